"""The models that tools/fetch/exports.py exports, smallest first."""

from export_models import cached, encoders, recurrent, seq2seq, vision

CASES = sorted(
    recurrent.CASES + vision.CASES + encoders.CASES + seq2seq.CASES + cached.CASES, key=lambda entry: entry[0]
)
CASES = [case for _, case in CASES]

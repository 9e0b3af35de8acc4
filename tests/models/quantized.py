#!/usr/bin/env python3
"""Runs quantised files with onnx-run and compares them with ONNX Runtime, and both with the float32 model they were made from.

    quantized.py PATH… [--cli FILE] [--filter REGEX] [--threads N] [--level N]…

PATH is a folder of <name>/{model.onnx, float.onnx, inputs.json}, as tools/fetch/quantized.py makes. Rounding to quantised values multiplies whatever two
runtimes' float32 sums differ by: one value that lies near the middle of two steps moves by a whole step. So equality cannot be asked for; results are measured as
root mean squares against the size of the float32 model's output:

    apart    ours from ONNX Runtime's. Allowed: what quantisation itself costs (`theirs`), at most 0.1, at least 2e-5
    ours     ours from the float32 model's. Allowed: 1.1 times `theirs`, and 2e-5
    theirs   ONNX Runtime's from the float32 model's

On processors without 8-bit dot products ONNX Runtime's sums saturate; there a model may agree instead with the file as ONNX Runtime computes it unoptimised, or with
onnx-run's own reference kernels, within the same bounds.

The last line says how many passed and failed; exit code 1 if any failed.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

import inputs
from compare import CaseFailed, find_models, run_ours, run_plainly
from reference import open_session, run, saturates

ROOT = Path(__file__).resolve().parents[2]
ROUNDING = 2e-5
MOST_APART = 0.1


def size_of(arrays):
    return np.sqrt(sum((a.astype(np.float64) ** 2).sum() for a in arrays))


def apart(a, b, scale):
    return size_of([x.astype(np.float64) - y.astype(np.float64) for x, y in zip(a, b)]) / scale


def measure(mine, theirs, true, scale):
    measured = (apart(mine, theirs, scale), apart(mine, true, scale), apart(theirs, true, scale))
    if not measured[0] <= max(ROUNDING, min(measured[2], MOST_APART)):
        raise CaseFailed(f"apart {measured[0]:.3g} from the peer, which is {measured[2]:.3g} from float32")
    if not measured[1] <= 1.1 * measured[2] + ROUNDING:
        raise CaseFailed(f"{measured[1]:.3g} from float32, the peer {measured[2]:.3g}")
    return measured


def check(options, path, level):
    description = inputs.own_description(path)
    session, original = open_session(path, optimised=True), open_session(path.parent / "float.onnx", optimised=True)
    outputs = [output.name for output in session.get_outputs()]
    options.argument = [f"--level={level}"]
    worst = (0.0, 0.0, 0.0)
    for size in description["sizes"]:
        feeds = inputs.draw(description, size, 1)
        true, theirs = run(original, feeds), run(session, feeds)
        mine = run_ours(options, path, feeds, outputs)
        for output, a, b in zip(outputs, mine, theirs):
            if a.shape != b.shape or a.dtype != b.dtype:
                raise CaseFailed(f"{output} is {a.dtype}{list(a.shape)}, expected {b.dtype}{list(b.shape)}")
        scale = size_of(true)
        try:
            measured = measure(mine, theirs, true, scale)
        except CaseFailed:
            if not saturates():
                raise
            try:
                measured = measure(mine, run(open_session(path, optimised=False), feeds), true, scale)
            except CaseFailed:
                measured = measure(mine, run_plainly(options, path, feeds, outputs), true, scale)
        worst = max(worst, measured)
    return worst


def main():
    parser = argparse.ArgumentParser(description="Compare quantised models with ONNX Runtime.")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--cli", type=Path, default=ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("--level", type=int, action="append", help="optimisation levels of onnx-run; default 0, 1 and 3")
    options = parser.parse_args()
    passed = failed = 0
    print(f"{'model':28} {'level':>5} {'apart':>9} {'ours':>9} {'theirs':>9}")
    for name, path in find_models(options.paths):
        if not re.search(options.filter, name):
            continue
        for level in options.level or (0, 1, 3):
            try:
                print(f"{name:28} {level:5} " + " ".join(f"{value:9.2e}" for value in check(options, path, level)), flush=True)
                passed += 1
            except CaseFailed as failure:
                print(f"{name:28} {level:5} FAILED {failure}", flush=True)
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs real models that ONNX Runtime has optimised and saved, and compares them with the originals in ONNX Runtime.

    saved_models.py LIBRARY MODELS [--filter REGEX]

Each MODELS/<name>/model.onnx is saved by ONNX Runtime's session at its levels "extended" and "all" (with channels blocked for this machine), MiniLM also by
onnxruntime.transformers.optimizer with Attention and with MultiHeadAttention. The outputs may differ by 1e-4 + 1e-4·|b| times `ALLOWED`.

Last line: N passed, N failed, N skipped. Exit code 1 if any failed, 77 without ONNX Runtime.
"""

import argparse
import logging
import re
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import onnxruntime
except ImportError:
    sys.exit(77)

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "models"), str(HERE.parent / "operators")]
import inputs  # noqa: E402
import native  # noqa: E402

# Where the rounding of either side is amplified, in units of the bound.
ALLOWED = {}


def session(path, level=None, save=None):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 2
    if level is not None:
        options.graph_optimization_level = level
    if save:
        options.optimized_model_filepath = str(save)
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def saved_by_session(path, folder):
    for name in ("EXTENDED", "ALL"):
        file = folder / f"{name.lower()}.onnx"
        session(path, getattr(onnxruntime.GraphOptimizationLevel, f"ORT_ENABLE_{name}"), file)
        yield name.lower(), file


def saved_by_optimizer(path, folder):
    from onnxruntime.transformers import optimizer
    from onnxruntime.transformers.fusion_options import FusionOptions

    logging.getLogger("onnxruntime.transformers").setLevel(logging.ERROR)
    for name, multi_head in (("Attention", False), ("MultiHeadAttention", True)):
        options = FusionOptions("bert")
        options.use_multi_head_attention = multi_head
        made = optimizer.optimize_model(str(path), model_type="bert", num_heads=12, hidden_size=384, optimization_options=options, opt_level=0)
        if not any(node.op_type == name for node in made.model.graph.node):
            raise RuntimeError(f"the optimizer made no {name}")
        file = folder / f"{name}.onnx"
        made.save_model_to_file(str(file))
        yield f"optimizer, {name}", file


def unused_inputs(path, feeds):
    """Zeros for inputs that a saved model has and the original had as initializers: nothing reads them."""
    result = {}
    for port in session(path, onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL).get_inputs():
        if port.name not in feeds:
            kind = {"tensor(int64)": np.int64, "tensor(float)": np.float32, "tensor(int32)": np.int32}[port.type]
            result[port.name] = np.zeros(port.shape, kind)
    return result


def error(ours, theirs):
    """The largest difference in units of the bound."""
    worst = 0.0
    for a, b in zip(ours, theirs, strict=True):
        if a.shape != b.shape:
            return float("inf")
        a, b = a.astype(np.float64), b.astype(np.float64)
        difference = np.abs(a - b) / (1e-4 + 1e-4 * np.abs(b))
        worst = max(worst, float(difference.max(initial=0.0)) if not np.isnan(difference).any() else float("inf"))
    return worst


def check(ours, name, path, folder):
    """Yields (what, outcome, remark)."""
    description = inputs.describe(name, path, session(path))
    feeds = inputs.draw(description, description["sizes"][0], 1)
    expected = session(path).run(None, feeds)
    makers = [saved_by_session] + ([saved_by_optimizer] if name.startswith("minilm") else [])
    for maker in makers:
        try:
            for what, file in maker(path, folder):
                try:
                    got = ours.run(file.read_bytes(), {**feeds, **unused_inputs(file, feeds)})
                except native.RunError as failure:
                    yield what, "failed", str(failure).replace("\n", " ")[:300]
                    continue
                units = error(got, expected)
                yield what, "passed" if units <= ALLOWED.get(name, 1) else "failed", f"{units:.3g} units"
        except ImportError as missing:
            yield maker.__name__, "skipped", str(missing)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("models", type=Path)
    parser.add_argument("--filter", default="")
    options = parser.parse_args()
    ours = native.Library(options.library)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for path in sorted(options.models.glob("*/model.onnx")):
        name = path.parent.name
        if not re.search(options.filter, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for what, outcome, remark in check(ours, name, path, Path(folder)):
                counts[outcome] += 1
                print(f"{outcome} {name} ({what}): {remark}", flush=True)
    print(", ".join(f"{count} {key}" for key, count in counts.items()))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())

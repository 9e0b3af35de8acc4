#!/usr/bin/env python3
"""Runs models that `onnx-run optimize` wrote in ONNX Runtime, against what it makes of the originals.

    saved.py MODELS_DIR… [--cli FILE] [--filter REGEX] [--plain]

Each <name>/model.onnx is optimised with --portable (and with --plain without, where fused operators of com.microsoft are written, too), checked by
onnx.checker, and run in ONNX Runtime without its own optimizer on inputs drawn as tests/models draws them. Outputs must be equal within 1e-3 of the largest
element of each; models that ONNX Runtime does not run as they are count as refused. Exit code 0 when none differs.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/models"))
import inputs  # noqa: E402


def session(path):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def differs(got, want):
    if not isinstance(want, np.ndarray) or want.dtype.kind not in "fiub":
        return None
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"{got.dtype}{list(got.shape)} instead of {want.dtype}{list(want.shape)}"
    if want.size == 0:
        return None
    a, b = got.astype(np.float64), want.astype(np.float64)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return "other elements are finite"
    worst, largest = np.abs(a - b)[np.isfinite(b)].max(initial=0), np.abs(b)[np.isfinite(b)].max(initial=0)
    grain = 2e-2 if want.dtype == np.float16 else 1e-3
    return f"off by {worst:.3g} where the largest is {largest:.3g}" if worst > grain * max(1.0, largest) else None


def judge(cli, path, folder, flags):
    name, target = path.parent.name, folder / "model.onnx"
    done = subprocess.run([cli, "optimize", path, "-o", target, "--external-data", "data", "--overwrite", *flags], capture_output=True, text=True)
    if done.returncode != 0:
        return f"optimize {flags}: {done.stderr.splitlines()[0][:300]}"
    try:
        original = session(path)
    except Exception:  # noqa: BLE001
        return "refused"
    description = inputs.describe(name, path, original)
    feeds = inputs.draw(description, description["sizes"][0], 1)
    try:
        onnx.checker.check_model(str(target), full_check=not any(d.domain not in ("", "ai.onnx.ml") for d in onnx.load(target, load_external_data=False).opset_import))
        saved = session(target)
        got = saved.run(None, feeds)
    except Exception as error:  # noqa: BLE001
        # Only portable files keep to what ONNX Runtime takes.
        return f"{flags}: {' '.join(str(error).split())[:300]}" if flags else "refused"
    wanted = dict(zip((o.name for o in original.get_outputs()), original.run(None, feeds)))
    names = [o.name for o in saved.get_outputs()]
    if names != list(wanted):
        return f"{flags}: outputs {names} instead of {list(wanted)}"
    return next((f"{flags}: {name}: {problem}" for name, value in zip(names, got) if (problem := differs(value, wanted[name]))), "")


def main():
    parser = argparse.ArgumentParser(description="Run optimised models in ONNX Runtime.")
    parser.add_argument("folders", nargs="+", type=Path, metavar="MODELS_DIR")
    parser.add_argument("--cli", type=Path, default=ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    counts = dict.fromkeys(("equal", "different", "refused"), 0)
    for path in (p for folder in options.folders for p in sorted(folder.glob("*/model.onnx")) if re.search(options.filter, p.parent.name)):
        for flags in [["--portable"]] + [[]] * options.plain:
            with tempfile.TemporaryDirectory() as folder:
                verdict = judge(options.cli, path, Path(folder), flags)
            counts["refused" if verdict == "refused" else "different" if verdict else "equal"] += 1
            if verdict and verdict != "refused":
                print(f"{path.parent.name}: {verdict}", flush=True)
    print(", ".join(f"{count} {kind}" for kind, count in counts.items()))
    return 1 if counts["different"] or not sum(counts.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

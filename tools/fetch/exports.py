#!/usr/bin/env python3
"""Exports test models with random weights from their configurations, each by PyTorch's TorchScript and dynamo exporters.

Writes OUT_DIR/<name>_<exporter>/{model.onnx[, model.onnx.data], inputs.json}, checks every file in onnxruntime against
PyTorch at each of its sizes, and prints a table. See README.md here for inputs.json and for what cannot be exported.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import pathlib
import shutil
import sys
import time
import traceback
import warnings

import numpy
import onnx
import onnxruntime
import torch

from export_models import CASES
from export_models.case import Case

SEED = 20240
TOLERANCE = 1e-4
INLINE_BYTES = 64 << 20


@contextlib.contextmanager
def muted():
    """Sends file descriptors 1 and 2 to nowhere: the exporters print whole graphs from native code."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for target, descriptor in zip((1, 2), saved):
            os.dup2(descriptor, target)
            os.close(descriptor)
        os.close(nowhere)


def export(case: Case, exporter: str, model: torch.nn.Module, path: pathlib.Path) -> None:
    opset = case.exporters[exporter]
    arrays = case.draw(case.example, SEED)
    args = tuple(torch.from_numpy(arrays[i.name]) for i in case.inputs)
    axes = {i.name: {axis: d for axis, d in enumerate(i.shape) if isinstance(d, str)} for i in case.inputs}
    common = dict(input_names=list(axes), output_names=case.outputs, opset_version=opset)
    if exporter.startswith("ts"):
        torch.onnx.export(model, args, str(path), dynamo=False, dynamic_axes=axes, **common)
        return
    variadic = getattr(model, "call", None) is not None
    shapes = {"tensors": tuple(axes.values())} if variadic else tuple(axes.values())
    program = torch.onnx.export(model, args, dynamo=True, dynamic_shapes=shapes, **common)
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    program.save(str(path), external_data=weights > INLINE_BYTES)


def distance(a: numpy.ndarray, b: numpy.ndarray) -> float:
    """Largest |a - b| in units of the agreement asked for: TOLERANCE + TOLERANCE * |b|."""
    a, b = a.astype(numpy.float64), b.astype(numpy.float64)
    return float((numpy.abs(a - b) / (TOLERANCE + TOLERANCE * numpy.abs(b))).max(initial=0.0))


def visible(array: numpy.ndarray, mask: numpy.ndarray | None) -> numpy.ndarray:
    """`array`, of (batch, sequence, …) or (batch, heads, total, …), with zeros where `mask` of (batch, total) is zero; the sequence is
    the end of the total."""
    if mask is None:
        return array
    axes = (2,) if array.ndim == 3 else (1, 3)
    seen = mask[:, mask.shape[1] - array.shape[1 if array.ndim == 3 else 2] :]
    return numpy.where(numpy.expand_dims(seen, axes) != 0, array, 0)


def session(path: pathlib.Path, level: onnxruntime.GraphOptimizationLevel) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def check(case: Case, model: torch.nn.Module, path: pathlib.Path) -> dict[str, float]:
    """Runs the file at every size: distances to PyTorch and to ONNX Runtime without optimisation, and how far each output moves
    when the inputs change. Raises where shapes differ or the file does not load."""
    onnx.checker.check_model(str(path))
    fast = session(path, onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL)
    names = [i.name for i in fast.get_inputs()]
    if names != [i.name for i in case.inputs]:
        raise ValueError(f"inputs are {names}")
    if [o.name for o in fast.get_outputs()] != case.outputs:
        raise ValueError(f"outputs are {[o.name for o in fast.get_outputs()]}")
    drawn = [(case.draw(size, SEED + 1), case.draw(size, SEED + 2)) for size in case.sizes]
    for first, second in drawn:
        for i in case.inputs:
            if i.kind == "mask":
                second[i.name] = first[i.name]
    results = [(fast.run(None, first), fast.run(None, second)) for first, second in drawn]
    del fast
    plain = session(path, onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    worst = {"torch": 0.0, "plain": 0.0, "moved": float("inf")}
    for (first, _), (base, other) in zip(drawn, results):
        with torch.no_grad():
            expected = model(*(torch.from_numpy(first[i.name]) for i in case.inputs))
        expected = [expected] if isinstance(expected, torch.Tensor) else list(expected)
        unoptimised = plain.run(None, first)
        for name, a, b, c, d in zip(case.outputs, base, expected, unoptimised, other):
            if a.shape != tuple(b.shape):
                raise ValueError(f"output {name} has shape {a.shape}, PyTorch's has {tuple(b.shape)}")
            if not numpy.isfinite(a).all():
                raise ValueError(f"output {name} is not finite")
            mask = first.get(case.masked)
            worst["torch"] = max(worst["torch"], distance(visible(a, mask), visible(b.numpy(), mask)))
            worst["plain"] = max(worst["plain"], distance(a, c))
            worst["moved"] = min(worst["moved"], distance(d, a))
    return worst


def produce(case: Case, exporter: str, folder: pathlib.Path) -> str:
    """Exports one file into a folder that appears whole or, when anything fails, not at all; returns the line to print."""
    start = time.monotonic()
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    path = partial / "model.onnx"
    torch.manual_seed(SEED)
    model = case.build().eval()
    with torch.no_grad(), warnings.catch_warnings(), muted():
        warnings.simplefilter("ignore")
        export(case, exporter, model, path)
    exported = time.monotonic()
    worst = check(case, model, path)
    description = {"model": case.name, "exporter": exporter, "opset": case.exporters[exporter], **case.describe()}
    (partial / "inputs.json").write_text(json.dumps(description, indent=1) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    size = sum(f.stat().st_size for f in folder.iterdir()) / 1e6
    wrong = [k for k in ("torch", "plain") if worst[k] > 1] + (["moved"] if worst["moved"] < 100 else [])
    return (
        f"{'ok' if not wrong else 'doubtful: ' + ', '.join(wrong):20} {size:7.1f} MB  export {exported - start:5.1f} s  "
        f"torch {worst['torch']:8.4f}  plain {worst['plain']:8.4f}  moved {worst['moved']:10.0f}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="models, or model_exporter")
    parser.add_argument("--missing", action="store_true", help="skip what OUT_DIR already has")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--traceback", action="store_true", help="print the whole traceback of a failure")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    wanted = [(c, e) for c in CASES for e in c.exporters]
    if options.only:
        known = {c.name for c in CASES} | {f"{c.name}_{e}" for c, e in wanted}
        unknown = sorted(set(options.only) - known)
        if unknown:
            parser.error(f"no model named {', '.join(unknown)}; --list prints the names")
        wanted = [(c, e) for c, e in wanted if c.name in options.only or f"{c.name}_{e}" in options.only]
    failures = 0
    for case, exporter in wanted:
        name = f"{case.name}_{exporter}"
        if options.list:
            print(name)
            continue
        folder = options.out_dir / name
        if options.missing and (folder / "inputs.json").exists():
            continue
        try:
            result = produce(case, exporter, folder)
        except Exception as error:
            failures += 1
            shutil.rmtree(folder.with_name(f".{name}.partial"), ignore_errors=True)
            lines = str(error).strip().splitlines() or [""]
            result = f"failed: {type(error).__name__}: {lines[0][:300]}"
            if options.traceback:
                traceback.print_exc()
        print(f"{name:30} {result}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

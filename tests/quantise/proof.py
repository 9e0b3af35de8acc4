#!/usr/bin/env python3
"""Quantises models with real weights with onnx-run and with onnxruntime.quantization, and measures both on the models' own tasks.

    proof.py MODELS_DIR [--cli FILE] [--only REGEX] [--setting REGEX] [--threads N] [--bench] [--json FILE]

MODELS_DIR is what ./dev fetch models filled; tasks are those of tasks.py. Every file of ours must pass onnx.checker and give the same in ONNX Runtime as in onnxrun.
A row shows, of a setting:

    task     how far the result on the task is from the float32 model's, in per cent: ours and theirs, both run by onnxrun
    error    root mean square of the output's error against its size
    apart    the same of ONNX Runtime's output from onnxrun's, of our file
    size     of the files, in per cent of the float32 model's
    speed    of ours in onnxrun, against float32 (--bench)

It fails where int8 costs more than 1 % on the task, int4 more than 2 %, where ours costs more than theirs by what one more answer in a hundred would, or where a
file is refused. onnxruntime.quantization has no float types; a model that its setting cannot take has no figures of theirs.
"""

import argparse
import json
import logging
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process

import tasks

sys.path.append(str(tasks.ROOT / "tests" / "models"))
from compare import run_ours, run_plainly  # noqa: E402
from reference import open_session, run, saturates  # noqa: E402

ALIKE = 0.02  # between two runtimes, where codes that lie between two steps may fall either way


class Samples(CalibrationDataReader):
    def __init__(self, samples):
        self.feeds = iter(samples)

    def get_next(self):
        return next(self.feeds, None)


def prepared(quantise):
    def prepare(task, target):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "prepared.onnx"
            quant_pre_process(task.path, path, skip_symbolic_shape=True)
            quantise(task, path, target)

    return prepare


@prepared
def theirs_dynamic(task, source, target):
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)


@prepared
def theirs_static(task, source, target):
    quantize_static(source, target, Samples(task.samples), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    per_channel=True)


def theirs_blocks(bits):
    @prepared
    def quantise(task, source, target):
        quantizer = MatMulNBitsQuantizer(onnx.load(source), bits=bits, block_size=32, is_symmetric=False)
        quantizer.process()
        onnx.save(quantizer.model.model, target)

    return quantise


# Name, flags, allowed, theirs.
SETTINGS = (
    ("int8 dynamic", ["--mode", "dynamic"], 0.01, theirs_dynamic),
    ("int8 static", ["--mode", "static"], 0.01, theirs_static),
    ("int8 weights", ["--type", "int8"], 0.01, theirs_blocks(8)),
    ("int8 channels", ["--type", "int8", "--block", "0"], 0.01, None),
    ("int4 weights", ["--type", "int4"], 0.02, theirs_blocks(4)),
    ("int4 products", ["--type", "int4", "--include", "MatMul|Gemm"], 0.02, theirs_blocks(4)),
    ("int4 portable", ["--type", "int4", "--portable"], 0.02, None),
    ("float16", ["--mode", "float", "--keep-io"], 0.01, None),
    ("bfloat16", ["--mode", "float", "--type", "bf16", "--keep-io"], 0.1, None),
)


def relative(a, b):
    return float(np.sqrt(((a.astype(np.float64) - b) ** 2).sum() / (b.astype(np.float64) ** 2).sum()))


def ours(options, task, path):
    return run_ours(options, path, task.inputs, [task.output])[0]


def quantise(options, task, flags, target, folder):
    samples = folder / "samples"
    if not samples.exists():
        samples.mkdir()
        for i, sample in enumerate(task.samples):
            np.savez(samples / f"{i:04}.npz", **sample)
    command = [str(options.cli), "quantize", str(task.path), "-o", str(target), "--json", *flags]
    command += ["--calibration", str(samples)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout)


def median(options, task, path, folder):
    command = [str(options.cli), "bench", str(path), "--json", f"--threads={options.threads}", "--duration=2"]
    for name, array in task.inputs.items():
        np.save(folder / f"{name}.npy", array[:1])
        command += ["--input", f"{name}={folder / f'{name}.npy'}"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["latency_ms"]["p50"]


def measure(options, task, setting, reference, folder):
    name, flags, allowed, peer = setting
    path = folder / "ours.onnx"
    quantise(options, task, flags, path, folder)
    onnx.checker.check_model(str(path), full_check=not any("microsoft" in entry.domain for entry in onnx.load(path).opset_import))
    answer = ours(options, task, path)
    row = {"model": task.name, "setting": name, "allowed": allowed, "task": task.score(answer, reference), "error": relative(answer, reference),
           "size": path.stat().st_size / task.path.stat().st_size, "problems": []}
    if name != "bfloat16":  # which ONNX Runtime lacks on the CPU
        session = open_session(path, optimised=True)
        outputs = [output.name for output in session.get_outputs()]
        row["apart"] = relative(run(session, task.inputs)[outputs.index(task.output)], answer)
        if row["apart"] > max(ALIKE, row["error"]) and saturates():  # where ONNX Runtime's sums do, the plain kernels take its place
            row["apart"] = min(row["apart"], relative(run_plainly(options, path, task.inputs, [task.output])[0], answer))
        if not row["apart"] <= max(ALIKE, row["error"]):
            row["problems"].append("not as in ONNX Runtime")
    if not row["task"] <= allowed:
        row["problems"].append(f"costs more than {allowed:.0%}")
    if peer is not None:
        try:
            other = folder / "theirs.onnx"
            peer(task, other)
            found = ours(options, task, other)
            row["their task"], row["their error"] = task.score(found, reference), relative(found, reference)
            row["their size"] = other.stat().st_size / task.path.stat().st_size
            if options.bench:
                row["their ms"] = median(options, task, other, folder)
            if row["task"] > row["their task"] + 0.01:
                row["problems"].append("worse than theirs")
        except Exception as error:  # whatever their tools throw
            row["theirs failed"] = str(error).splitlines()[0][:60]
    if options.bench:
        row["ms"] = median(options, task, path, folder)
    return row


def show(row, base):
    def percent(key):
        return f"{100 * row[key]:7.2f}" if key in row else "      -"

    speed = f"{base / row['ms']:6.2f}" if "ms" in row else "     -"
    theirs = f"{base / row['their ms']:6.2f}" if "their ms" in row else "     -"
    note = "; ".join(row["problems"]) or ("theirs: " + row["theirs failed"] if "theirs failed" in row else "")
    print(f"{row['model']:12} {row['setting']:14} {percent('task')} {percent('their task')} {percent('error')} {percent('their error')} {percent('apart')} "
          f"{percent('size')} {percent('their size')} {speed} {theirs}  {note}", flush=True)


def main():
    parser = argparse.ArgumentParser(description="Measure quantised models on their tasks.")
    parser.add_argument("models", type=Path, metavar="MODELS_DIR")
    parser.add_argument("--cli", type=Path, default=tasks.ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--setting", default="", metavar="REGEX")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--bench", action="store_true", help="measure speed, too")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    options.argument = []
    logging.disable(logging.WARNING)
    onnxruntime.set_default_logger_severity(3)
    rows = []
    print(f"{'':27} {'task %':>15} {'error %':>15} {'apart':>7} {'size %':>15} {'speed':>13}\n{'model':12} {'setting':14} "
          + f"{'ours':>7} {'theirs':>7} " * 2 + f"{'':>7} {'ours':>7} {'theirs':>7} {'ours':>6} {'theirs':>6}")
    for make in tasks.TASKS:
        if not re.search(options.only, make.name):
            continue
        task = make(options.models)
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            task.output = task.output or onnx.load(task.path).graph.output[0].name
            reference = ours(options, task, task.path)
            base = median(options, task, task.path, folder) if options.bench else 0
            if options.bench:
                print(f"{task.name:12} {'float32':14} {base:.3f} ms for one answer", flush=True)
            for setting in SETTINGS:
                if re.search(options.setting, setting[0]):
                    rows.append(measure(options, task, setting, reference, folder))
                    show(rows[-1], base)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    failed = sum(bool(row["problems"]) for row in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())

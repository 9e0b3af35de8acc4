#!/usr/bin/env python3
"""Whole runs of real models in onnxrun, ONNX Runtime and OpenVINO, side by side.

    peers.py MODELS_DIR… [--threads 1 2] [--filter REGEX] [--rounds N] [--clock wall|cpu] [--json FILE] [--markdown FILE]

Each runtime has a process of its own; the processes take turns (`rounds` times), so that a noisy moment hits all of them, and the
median over all turns counts. Columns: milliseconds; `ratio` is onnxrun's time by that of the better float32 peer (onnxrun-medium and
openvino-default may compute in bfloat16, the latter also in 8 bits where weights are of 8 or 4, and are shown beside each other). Rows with the worst ratio come first, then models that a runtime could not
run, with its reason. A model of SIZES that no MODELS_DIR holds is named at the end.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import onnxruntime
from onnx import numpy_helper

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "models"))
import inputs  # noqa: E402

OURS = "onnxrun"
PEERS = ("onnxruntime", "openvino")
MEDIUM = "onnxrun-medium"
RUNTIMES = (OURS, *PEERS, MEDIUM, "openvino-default")
TURN_MS = 60.0

# What a model is measured at: sizes of the symbols in its description. The first pattern that matches counts.
SIZES = (
    (r"(resnet50|mobilenet_v3|efficientnet_b0|convnext_tiny|vit_b_16|whisper_tiny_encoder|whisper_encoder)_.*", {"batch": 1}),
    (r"unet_.*", {"batch": 1, "height": 256, "width": 256}),
    (r"bert_base_.*", {"batch": 1, "sequence": 128}),
    (r"minilm_.*", {"batch": 1, "sequence": 64}),
    (r"(gpt2|llama_60m)_prefill_.*|llama_(dynamic_int8|int4)", {"batch": 1, "sequence": 64}),
    (r"(gpt2|llama_60m|llama)_kv_.*", {"batch": 1, "sequence": 1, "past": 127, "total": 128}),
    (r"t5_small_encoder_.*", {"batch": 1, "sequence": 64}),
    (r"(t5_small|whisper_tiny|whisper)_decoder_.*", {"batch": 1, "sequence": 32, "source": 64}),
    (r"(lstm_tagger|gru_tagger|lstm_streaming)_.*", {"batch": 1, "sequence": 128}),
    (r"ppocrv\d_det(_.*)?", {"batch": 1, "height": 640, "width": 640}),
    (r"ppocrv\d_rec(_.*)?", {"batch": 1, "width": 320}),
    (r"ppocrv\d_cls|magika_v3_3|digits", {"batch": 1}),
    (r"silero_vad|silero_vad_16k_op15|silero_vad_op18_ifless", {"batch": 1, "samples": 576, "rate": 16000}),
    (r"light_.*|genai_.*", {}),
)
EXPECTED = (
    "resnet50_ts", "mobilenet_v3_large_ts", "efficientnet_b0_ts", "convnext_tiny_ts", "vit_b_16_ts", "unet_ts", "bert_base_ts",
    "minilm_l6_v2", "gpt2_kv_dynamo", "gpt2_prefill_dynamo", "llama_60m_kv_ts", "llama_60m_prefill_ts", "whisper_tiny_encoder_ts",
    "t5_small_decoder_ts", "ppocrv4_det", "ppocrv4_rec", "ppocrv5_rec", "silero_vad", "magika_v3_3", "lstm_tagger_ts", "gru_tagger_ts",
    "light_densenet121", "light_inception_v2",
    "resnet50_qdq", "resnet50_qdq_int8", "resnet50_qoperator", "ppocrv4_det_qdq", "ppocrv4_det_qoperator", "ppocrv4_rec_qdq", "ppocrv4_rec_qoperator",
    "minilm_dynamic_int8", "minilm_int4", "minilm_int4_blocks128", "minilm_int4_level4", "minilm_int8", "mobilenet_v3_qdq", "mobilenet_v3_qoperator",
    "llama_dynamic_int8", "llama_int4", "llama_kv_int8", "whisper_encoder_dynamic_int8", "whisper_encoder_int4", "whisper_decoder_dynamic_int8",
    "whisper_decoder_int8",
)


class Failed(Exception):
    pass


class Worker:
    """One runtime with one model in a process of its own."""

    def __init__(self, runtime, options, path, threads, feeds, precision=None):
        if runtime in (OURS, MEDIUM):
            command = [str(options.worker), precision or ("medium" if runtime == MEDIUM else "highest")]
        else:
            command = [sys.executable, str(ROOT / "benchmarks/peers/peer_worker.py"), runtime]
        self.errors = tempfile.TemporaryFile("w+")
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen([*command, str(path), str(threads), options.clock, *feeds], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, env=environment)
        self.times = []
        self.load_ms = self.answer()["load_ms"]

    def answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        raise Failed(said[0] if said else f"ended with code {self.process.returncode}")

    def run(self, count):
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()


def measure(options, path, threads, feeds):
    """{runtime: {"ms", "load_ms"} or {"error"}} of one model at one number of threads."""
    workers, results = {}, {}
    for runtime in options.runtimes:
        try:
            workers[runtime] = Worker(runtime, options, path, threads, feeds)
        except Failed as failure:
            results[runtime] = {"error": str(failure)}
    counts = {}
    for runtime, worker in workers.items():
        first = statistics.median(worker.run(3))
        counts[runtime] = max(1, min(200, int(TURN_MS / max(first, 1e-3))))
    for _ in range(options.rounds):
        for runtime, worker in workers.items():
            worker.times += worker.run(counts[runtime])
    for runtime, worker in workers.items():
        results[runtime] = {"ms": statistics.median(worker.times), "load_ms": worker.load_ms, "runs": len(worker.times)}
        worker.close()
    return results


def size_of(name, description):
    for pattern, size in SIZES:
        if re.fullmatch(pattern, name):
            return size or description["sizes"][0]
    return None


def write_inputs(folder, name, path):
    """Writes the inputs as TensorProtos; returns the size and the workers' arguments, or None where SIZES does not list the model."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    known = (path.parent / "inputs.json").exists() or any(re.fullmatch(p, name) for p, _ in inputs.KNOWN)
    session = None if known else onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    description = inputs.describe(name, path, session)
    size = size_of(name, description)
    if size is None:
        return None
    arguments = []
    for i, (input_name, array) in enumerate(inputs.draw(description, size, 1).items()):
        file = folder / f"{i}.pb"
        file.write_bytes(numpy_helper.from_array(array).SerializeToString())
        arguments.append(f"{input_name}={file}")
    return size, arguments


def ratio(results):
    peers = [results[p]["ms"] for p in PEERS if "ms" in results.get(p, {})]
    return results[OURS]["ms"] / min(peers) if peers and "ms" in results.get(OURS, {}) else None


def instruction_set():
    """The processor's name and those of its features that decide about speed."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = re.search(r"^model name\s*:\s*(.*)$", info, re.M)
    flags = re.search(r"^flags\s*:\s*(.*)$", info, re.M)
    have = set(flags.group(1).split()) if flags else set()
    wanted = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8")
    return {"processor": name.group(1) if name else platform.processor(), "features": [f for f in wanted if f in have],
            "absent": [f for f in wanted if f not in have], "onnxrun_simd_level": os.environ.get("ONNXRUN_SIMD_LEVEL", "best")}


def cell(result):
    return f"{result['ms']:.3g}" if "ms" in result else "fails" if "error" in result else ""


def markdown(report):
    machine = report["machine"]
    lines = [f"{machine['processor']}: {', '.join(machine['features'])}; absent: {', '.join(machine['absent'])}; onnxrun's level: "
             f"{machine['onnxrun_simd_level']}. Medians in ms of {report['clock']} time; load average {report['load_before']:.1f} before, {report['load_after']:.1f} after.", ""]
    threads = report["threads"]
    columns = [(t, r) for t in threads for r in report["runtimes"]]
    head = ["model", *(f"ratio {t}t" for t in threads), *(f"{r} {t}t" for t, r in columns), "load ms (" + ", ".join(report["runtimes"]) + ")"]
    lines += ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    reasons = []
    for model in report["models"]:
        by_threads = {t: model["results"][str(t)] for t in threads}
        ratios = [f"{model['ratio'][str(t)]:.2f}" if model["ratio"][str(t)] else "" for t in threads]
        loads = ", ".join(f"{by_threads[threads[0]][r].get('load_ms', float('nan')):.0f}" for r in report["runtimes"])
        lines.append("| " + " | ".join([model["name"], *ratios, *(cell(by_threads[t][r]) for t, r in columns), loads]) + " |")
        reasons += [f"- {model['name']}, {r}, {t} threads: {by_threads[t][r]['error']}" for t, r in columns if "error" in by_threads[t][r]]
    if reasons:
        lines += ["", "Failures:", *reasons]
    if report["absent"]:
        lines += ["", "Not here: " + ", ".join(report["absent"])]
    if report["unlisted"]:
        lines += ["", "Here, but without a size to measure at: " + ", ".join(report["unlisted"])]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="MODELS_DIR", help="holds <name>/model.onnx")
    parser.add_argument("--worker", type=Path, default=ROOT / "build/release/bin/onnxrun_worker")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--filter", default="", metavar="REGEX", help="only models whose name matches; default: those of EXPECTED")
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: the process's processor time, for one thread on a busy machine")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    if not options.worker.exists():
        parser.error(f"{options.worker} does not exist; build the target benchmarks")
    found = {path.parent.name: path for folder in options.folders for path in sorted(folder.glob("*/model.onnx"))}
    wanted = {name: path for name, path in found.items() if (re.search(options.filter, name) if options.filter else name in EXPECTED)}
    if not wanted:
        parser.error("no model matches")
    report = {"version": 1, "machine": instruction_set(), "clock": options.clock, "threads": options.threads, "runtimes": options.runtimes,
              "rounds": options.rounds, "load_before": os.getloadavg()[0], "models": [], "unlisted": [],
              "absent": [] if options.filter else [name for name in EXPECTED if name not in found]}
    for name, path in wanted.items():
        with tempfile.TemporaryDirectory() as folder:
            drawn = write_inputs(Path(folder), name, path)
            if drawn is None:
                report["unlisted"].append(name)
                continue
            size, arguments = drawn
            results = {str(t): measure(options, path, t, arguments) for t in options.threads}
        row = {"name": name, "size": size, "results": results, "ratio": {t: ratio(r) for t, r in results.items()}}
        report["models"].append(row)
        print(name, *(f"{t}t: " + " ".join(f"{r} {cell(results[t][r])}" for r in options.runtimes) for t in results), sep="  ", file=sys.stderr, flush=True)
    report["load_after"] = os.getloadavg()[0]
    first = str(options.threads[0])
    report["models"].sort(key=lambda row: (row["ratio"][first] is None, -(row["ratio"][first] or 0)))
    text = markdown(report)
    print(text, end="")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

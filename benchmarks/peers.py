#!/usr/bin/env python3
"""Whole runs of real models in onnxrun, ONNX Runtime and OpenVINO, side by side.

    peers.py MODELS_DIR… [--threads 1 2] [--levels best v4 v3] [--streams 2] [--batch N] [--filter REGEX] [--rounds N] [--clock wall|cpu]
             [--json FILE] [--markdown FILE] [--plot FILE.svg] [--store FILE] [--check FILE]

Each runtime has a process of its own; the processes take turns (`rounds` times), so that a noisy moment hits all of them, and the
median over all turns counts. `ratio` is onnxrun's time by that of the better float32 peer, `medium` that of onnxrun at medium precision by OpenVINO's with its
defaults (which may compute in bfloat16, and in 8 bits where weights are of 8 or 4). Losses come first, then rows by their ratio, then models that a runtime
could not run, with its reason. Besides: loading, loading to the first result, the peak of memory above what the process held before, and with --streams how
many runs a second as many callers get. --levels holds onnxrun and OpenVINO to an instruction set (ONNX Runtime cannot be: it has no part in those rows).
--store keeps the ratios in a file, --check compares with one, names what became worse by more than --tolerance and then ends with code 1. A model of SIZES that
no MODELS_DIR holds is named at the end.
"""

import argparse
import json
import os
import re
import statistics
import sys
import tempfile
from pathlib import Path

import onnxruntime
from onnx import numpy_helper

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/models"), str(ROOT / "benchmarks/peers")]
import inputs  # noqa: E402
import report as reports  # noqa: E402
import stored  # noqa: E402
from machine import instruction_set  # noqa: E402
from processes import BEST, LEVELS, MEDIUM, MEDIUM_PEER, OURS, PEERS, RUNTIMES, Failed, Worker, can_be_held  # noqa: E402
from sizes import size_of  # noqa: E402
from report import cell  # noqa: E402, F401

TURN_MS = 60.0
STREAM_SECONDS = 1.0

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


def measure(options, path, threads, feeds, level):
    """{runtime: {"ms", "load_ms", "first_ms", "peak_bytes"} or {"error"}} of one model at one number of threads."""
    workers, results = {}, {}
    for runtime in options.runtimes:
        if not can_be_held(runtime, level):
            continue
        try:
            workers[runtime] = Worker(runtime, options, path, threads, feeds, level=level)
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
        results[runtime] = {"ms": statistics.median(worker.times), "runs": len(worker.times), **worker.loaded}
        worker.close()
    return results


def measure_streams(options, path, feeds, level):
    """{streams: {runtime: runs a second}}; the runtimes take turns, the best turn of each counts."""
    results = {}
    for streams in options.streams:
        rates = results[str(streams)] = {}
        workers = {}
        for runtime in options.runtimes:
            if can_be_held(runtime, level):
                try:
                    workers[runtime] = Worker(runtime, options, path, 1, feeds, level=level)
                except Failed:
                    continue  # told by measure()
        for _ in range(min(options.rounds, 2)):
            for runtime, worker in list(workers.items()):
                try:
                    rates[runtime] = max(rates.get(runtime, 0), worker.throughput(streams, STREAM_SECONDS))
                except Failed as failure:
                    print(f"{path.parent.name}, {runtime}, {streams} streams: {failure}", file=sys.stderr)
                    workers.pop(runtime)
        for worker in workers.values():
            worker.close()
    return results


def write_inputs(folder, name, path, batch=None):
    """Writes the inputs as TensorProtos, of another batch where one is given and the model has a symbol for it; returns the size and the workers' arguments, or None where SIZES does not list the model."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    known = (path.parent / "inputs.json").exists() or any(re.fullmatch(p, name) for p, _ in inputs.KNOWN)
    session = None if known else onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    description = inputs.describe(name, path, session)
    size = size_of(name, description)
    if size is None:
        return None
    if batch and "batch" in size:
        size = {**size, "batch": batch}
    arguments = []
    for i, (input_name, array) in enumerate(inputs.draw(description, size, 1).items()):
        file = folder / f"{i}.pb"
        file.write_bytes(numpy_helper.from_array(array).SerializeToString())
        arguments.append(f"{input_name}={file}")
    return size, arguments


def ratio(results, ours=OURS, peers=PEERS):
    times = [results[p]["ms"] for p in peers if "ms" in results.get(p, {})]
    return results[ours]["ms"] / min(times) if times and "ms" in results.get(ours, {}) else None


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="MODELS_DIR", help="holds <name>/model.onnx")
    parser.add_argument("--worker", type=Path, default=ROOT / "build/release/bin/onnxrun_worker")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=[BEST])
    parser.add_argument("--streams", type=int, nargs="+", default=[])
    parser.add_argument("--batch", type=int)
    parser.add_argument("--filter", default="", metavar="REGEX", help="only models whose name matches; default: those of EXPECTED")
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: the process's processor time, for one thread on a busy machine")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--check", type=Path)
    parser.add_argument("--tolerance", type=float, default=0.1, help="how much worse a ratio may be than the stored one; default 0.1")
    options = parser.parse_args()
    if not options.worker.exists():
        parser.error(f"{options.worker} does not exist; build the target benchmarks")
    if options.check and not options.check.exists():
        parser.error(f"{options.check} does not exist; --store writes one")
    found = {path.parent.name: path for folder in options.folders for path in sorted(folder.glob("*/model.onnx"))}
    wanted = {name: path for name, path in found.items() if (re.search(options.filter, name) if options.filter else name in EXPECTED)}
    if not wanted:
        parser.error("no model matches")
    return options, wanted, [] if options.filter else [name for name in EXPECTED if name not in found]


def measure_all(options, wanted, absent):
    report = {"version": 2, "machine": instruction_set(), "clock": options.clock, "threads": options.threads, "levels": options.levels, "batch": options.batch,
              "runtimes": options.runtimes, "rounds": options.rounds, "load_before": os.getloadavg()[0], "models": [], "unlisted": [], "absent": absent}
    for name, path in wanted.items():
        with tempfile.TemporaryDirectory() as folder:
            drawn = write_inputs(Path(folder), name, path, options.batch)
            if drawn is None:
                report["unlisted"].append(name)
                continue
            size, arguments = drawn
            for level in options.levels:
                results = {str(t): measure(options, path, t, arguments, level) for t in options.threads}
                row = {"name": name, "level": level, "size": size, "results": results, "ratio": {t: ratio(r) for t, r in results.items()},
                       "medium_ratio": {t: ratio(r, MEDIUM, (MEDIUM_PEER,)) for t, r in results.items()},
                       "throughput": measure_streams(options, path, arguments, level)}
                report["models"].append(row)
                print(reports.title(row), *(f"{t}t: " + " ".join(f"{r} {reports.cell(results[t].get(r, {}))}" for r in options.runtimes) for t in results), sep="  ",
                      file=sys.stderr, flush=True)
    report["load_after"] = os.getloadavg()[0]
    first = str(options.threads[0])
    report["models"].sort(key=lambda row: (row["ratio"][first] is None, -(row["ratio"][first] or 0)))
    return report


def main():
    options, wanted, absent = parse()
    report = measure_all(options, wanted, absent)
    text = reports.markdown(report)
    print(text, end="")
    for path, content in ((options.json, json.dumps(report, indent=1) + "\n"), (options.markdown, text), (options.plot, reports.plot(report))):
        if path:
            path.write_text(content)
    if options.check:
        try:
            worse = stored.worse(options.check, report, options.tolerance)
        except stored.OtherMachine as reason:
            print(f"Nothing to compare with: {reason}", file=sys.stderr)
            return 2
        print("\nWorse than stored:" if worse else "\nNothing is worse than stored.", *worse, sep="\n")
        return 1 if worse else 0
    if options.store:
        stored.write(options.store, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())

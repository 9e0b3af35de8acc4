#!/usr/bin/env python3
"""What the project promises beside speed, measured: each goal with its figure and whether it is met.

    goals.py MODELS_DIR… [--bin DIR] [--rounds N] [--shapes N] [--json FILE] [--markdown FILE]

Loading to the first result and peak memory against ONNX Runtime; memory against the weights and the planned activations; what a second session adds; the
overhead of a run and of a node, on chains of small nodes without optimisation; the processor time of an idle session; latency under four callers; runs at shapes
that change all the time. Times of loading and of callers are wall time and want a quiet machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "benchmarks/peers")]
import peers  # noqa: E402
from report import table  # noqa: E402

LOADED = ("resnet50_ts", "mobilenet_v3_large_ts", "bert_base_ts", "minilm_l6_v2", "gpt2_kv_dynamo", "ppocrv4_det", "ppocrv4_rec", "silero_vad", "magika_v3_3",
          "unet_ts", "lstm_tagger_ts", "light_inception_v2")
SECOND = ("resnet50_ts", "bert_base_ts", "ppocrv4_rec", "minilm_l6_v2")
CALLED = ("ppocrv5_cls", "silero_vad", "mobilenet_v3_large_ts")
CHAINS = (1, 64)


class Goals:
    def __init__(self, options, models):
        self.options, self.models, self.rows, self.absent = options, models, [], []

    def add(self, goal, figure, met):
        self.rows.append({"goal": goal, "figure": figure, "met": met})
        print(f"{'met   ' if met else 'MISSED'} {goal}: {figure}", file=sys.stderr, flush=True)

    def program(self, name, *arguments):
        done = subprocess.run([str(self.options.bin / name), *map(str, arguments)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{name} {arguments[0]} failed: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def with_inputs(self, names):
        for name in names:
            if name not in self.models:
                self.absent.append(name)
                continue
            with tempfile.TemporaryDirectory() as folder:
                _, arguments = peers.write_inputs(Path(folder), name, self.models[name])
                yield name, self.models[name], arguments

    def loading(self):
        settings = SimpleNamespace(worker=self.options.bin / "onnxrun_worker", clock="wall")
        for name, path, arguments in self.with_inputs(LOADED):
            found = {}
            for runtime in (peers.OURS, "onnxruntime"):
                loaded = []
                for _ in range(self.options.rounds):
                    worker = peers.Worker(runtime, settings, path, 1, arguments)
                    loaded.append(worker.loaded)
                    worker.close()
                found[runtime] = {key: statistics.median(one[key] for one in loaded) for key in loaded[0]}
            ours, theirs = found[peers.OURS], found["onnxruntime"]
            share = ours["first_ms"] / theirs["first_ms"]
            self.add(f"{name}: load to first result at most half of ONNX Runtime's", f"{share:.2f} ({ours['first_ms']:.0f} ms, {theirs['first_ms']:.0f})", share <= 0.5)
            share = ours["peak_bytes"] / theirs["peak_bytes"]
            self.add(f"{name}: peak memory at most 60 % of ONNX Runtime's", f"{share:.0%} ({ours['peak_bytes'] / 1e6:.0f} MB, {theirs['peak_bytes'] / 1e6:.0f})", share <= 0.6)
            memory = self.bench(path, arguments, ["--threads", 1, "--runs", 3, "--warmup", 0])["memory"]
            weights = sum(t.ByteSize() if not t.external_data else 0 for t in onnx.load(path, load_external_data=False).graph.initializer)
            weights = weights + sum(f.stat().st_size for f in path.parent.iterdir() if f != path and f.suffix in (".data", ".bin"))
            planned = max(weights, memory["packed"]) + memory["blocks"]
            self.add(f"{name}: peak memory at most 1.15 times weights and planned activations", f"{ours['peak_bytes'] / planned:.2f} ({planned / 1e6:.0f} MB planned)",
                     ours["peak_bytes"] <= 1.15 * planned)

    def bench(self, path, arguments, flags):
        feeds = [flag for argument in arguments for flag in ("--input", argument)]
        return self.program("onnx-run", "bench", path, "--json", *flags, *feeds)

    def second_sessions(self):
        for name, path, arguments in self.with_inputs(SECOND):
            found = self.program("onnxrun_probe", "second", path, *arguments)
            share = found["second_bytes"] / found["first_bytes"]
            self.add(f"{name}: a second session adds less than 5 %", f"{share:.1%} of {found['first_bytes'] / 1e6:.0f} MB", share < 0.05)

    def overhead(self):
        """Runs of chains of Neg over one number; the slope is a node's cost, its arithmetic included."""
        times = {}
        with tempfile.TemporaryDirectory() as folder:
            feed = Path(folder) / "x.pb"
            feed.write_bytes(numpy_helper.from_array(np.ones(1, np.float32)).SerializeToString())
            for length in CHAINS:
                nodes = [helper.make_node("Neg", [f"v{i}" if i else "x"], [f"v{i + 1}" if i + 1 < length else "y"]) for i in range(length)]
                graph = helper.make_graph(nodes, "chain", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
                                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
                path = Path(folder) / f"{length}.onnx"
                onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
                worker = peers.Worker(peers.OURS, SimpleNamespace(worker=self.options.bin / "onnxrun_worker", clock="cpu"), path, 1, [f"x={feed}"], "highest,0")
                worker.run(1000)
                times[length] = 1e6 * min(statistics.median(worker.run(2000)) for _ in range(self.options.rounds))
                worker.close()
        short, long = CHAINS
        node = (times[long] - times[short]) / (long - short)
        self.add("a node costs less than 100 ns", f"{node:.0f} ns", node < 100)
        self.add("a run costs less than 2 us beside its nodes", f"{times[short] - short * node:.0f} ns", times[short] - short * node < 2000)

    def idling(self):
        for _, path, arguments in self.with_inputs(("mobilenet_v3_large_ts",)):
            spent = self.program("onnxrun_probe", "idle", path, *arguments)["idle_ms"]
            self.add("an idle session uses no processor time", f"{spent:.2f} ms in 2 s", spent < 2)

    def callers(self):
        for name, path, arguments in self.with_inputs(CALLED):
            latency = self.bench(path, arguments, ["--threads", 1, "--streams", len(os.sched_getaffinity(0)), "--concurrency", 4, "--duration", 3])["latency_ms"]
            self.add(f"{name}: p99 within 1.3 times the median under 4 callers", f"{latency['p99'] / latency['p50']:.2f}", latency["p99"] <= 1.3 * latency["p50"])

    def new_shapes(self):
        count = self.options.shapes
        cases = (("ppocrv4_rec", count // 20, "W=32-640", ["x=float32:1x3x48xW"]),
                 ("minilm_l6_v2", count // 20, "S=1-512", ["input_ids=int64:1xS", "attention_mask=int64:1xS", "token_type_ids=int64:1xS"]),
                 ("digits", count, "B=1-20000", ["image=float32:Bx1x8x8"]))
        for name, runs, ranges, feeds in cases:
            if name not in self.models:
                self.absent.append(name)
                continue
            found = self.program("onnxrun_probe", "shapes", self.models[name], runs, ranges, *feeds)
            if name != "digits":  # whose runs take less time than any plan
                self.add(f"{name}: no cliff on a new shape",
                         f"a new one takes {found['typical']:.2f} times as long, at most {found['worst']:.2f} (99th percentile of {found['shapes']})", found["worst"] <= 2)
            memory = found["memory"]
            self.add(f"{name}: memory stays bounded over {found['shapes']} shapes", f"{found['resident_bytes'] / 1e6:.0f} MB, of which blocks {memory['blocks'] / 1e6:.0f}",
                     memory["used"] <= memory["limit"] and found["resident_bytes"] < 1.5e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="MODELS_DIR", help="holds <name>/model.onnx")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shapes", type=int, default=10000)
    parser.add_argument("--only", nargs="+", choices=GOALS, default=list(GOALS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    models = {path.parent.name: path for folder in options.folders for path in sorted(folder.glob("*/model.onnx"))}
    models.setdefault("digits", ROOT / "examples/digits/digits.onnx")
    goals = Goals(options, models)
    before = os.getloadavg()[0]
    for name in options.only:
        GOALS[name](goals)
    machine = peers.instruction_set()
    rows = sorted(goals.rows, key=lambda row: row["met"])
    text = "\n".join([f"{machine['processor']}: {', '.join(machine['features'])}. Load average {before:.1f} before, {os.getloadavg()[0]:.1f} after.", "",
                      *table(["goal", "measured", "met"], [[row["goal"], row["figure"], "yes" if row["met"] else "no"] for row in rows])]) + "\n"
    if goals.absent:
        text += "\nNot here: " + ", ".join(sorted(set(goals.absent))) + "\n"
    print(text, end="")
    if options.json:
        options.json.write_text(json.dumps({"version": 1, "machine": machine, "goals": rows}, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text)
    return 0


GOALS = {"loading": Goals.loading, "second": Goals.second_sessions, "overhead": Goals.overhead, "idle": Goals.idling, "callers": Goals.callers, "shapes": Goals.new_shapes}

if __name__ == "__main__":
    sys.exit(main())

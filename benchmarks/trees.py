#!/usr/bin/env python3
"""Times forests against ONNX Runtime, taking turns on the same inputs.

    trees.py [--cli FILE] [--trees N] [--depth N] [--features N] [--batches 1,100,1000] [--threads 1,2] [--copies N] [--rounds N]

Random complete trees with one target, and with ten classes voted for at every leaf. A time is the least of all runs', in microseconds: ours as
`onnx-run run --repeat` tells it (in whole microseconds), theirs around InferenceSession.run_with_iobinding (whose Python costs them about one). A model of
several copies of the forest side by side shows the time of one where that is short; it is divided by their number. The results are compared
first. Needs the packages of third_party/python/peers.txt.
"""

import argparse
import re
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

ROOT = Path(__file__).resolve().parents[1]


def forest(rng, trees, depth, features, classes, copies):
    """A model of complete trees; `classes` 0 is a regressor of one target. The first copy's scores are called y."""
    inner = 2**depth - 1
    count = 2 * inner + 1
    node = np.arange(count)
    branch = node < inner
    tile = lambda values: np.tile(values, trees).tolist()
    attributes = {
        "nodes_treeids": np.repeat(np.arange(trees), count).tolist(), "nodes_nodeids": tile(node), "nodes_modes": tile(np.where(branch, "BRANCH_LEQ", "LEAF")),
        "nodes_truenodeids": tile(np.where(branch, 2 * node + 1, 0)), "nodes_falsenodeids": tile(np.where(branch, 2 * node + 2, 0)),
        "nodes_featureids": rng.integers(0, features, trees * count).tolist(), "nodes_values": rng.normal(size=trees * count).astype(np.float32).tolist(),
    }
    prefix, votes = ("class", classes) if classes else ("target", 1)
    leaves = np.repeat(node[~branch], votes)
    attributes[f"{prefix}_treeids"] = np.repeat(np.arange(trees), len(leaves)).tolist()
    attributes[f"{prefix}_nodeids"] = tile(leaves)
    attributes[f"{prefix}_ids"] = tile(np.tile(np.arange(votes), inner + 1))
    attributes[f"{prefix}_weights"] = rng.random(trees * len(leaves)).astype(np.float32).tolist()
    nodes, outputs = [], []
    for copy in range(copies):
        y, label = (f"y{copy}", f"label{copy}") if copy else ("y", "label")
        outputs.append(helper.make_tensor_value_info(y, TensorProto.FLOAT, None))
        if classes:
            outputs.append(helper.make_tensor_value_info(label, TensorProto.INT64, None))
            nodes.append(helper.make_node("TreeEnsembleClassifier", ["x"], [label, y], domain="ai.onnx.ml", classlabels_int64s=list(range(classes)), **attributes))
        else:
            nodes.append(helper.make_node("TreeEnsembleRegressor", ["x"], [y], domain="ai.onnx.ml", n_targets=1, **attributes))
    graph = helper.make_graph(nodes, "forest", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, features])], outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=9)


def time_ours(cli, model, x, threads, repeat, out=None):
    command = [str(cli), "run", str(model), "--input", f"x={x}", "--threads", str(threads), "--repeat", str(repeat)]
    done = subprocess.run(command + (["--output-dir", str(out)] if out else []), capture_output=True, text=True, check=True)
    return float(re.search(r"time  min ([0-9.]+)", done.stdout)[1]) * 1000


class Peer:
    def __init__(self, model, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])

    def time(self, x, repeat):
        binding = self.session.io_binding()
        binding.bind_cpu_input("x", x)
        for output in self.session.get_outputs():
            binding.bind_output(output.name)
        times = []
        for _ in range(repeat):
            start = time.perf_counter()
            self.session.run_with_iobinding(binding)
            times.append(time.perf_counter() - start)
        return min(times) * 1e6


def measure(options, folder, model, classes, batch, threads):
    rng = np.random.default_rng(batch)
    x = rng.normal(size=(batch, options.features)).astype(np.float32)
    np.save(folder / "x.npy", x)
    peer = Peer(model, threads)
    repeat = max(50, 20000 // batch)
    time_ours(options.cli, model, folder / "x.npy", threads, 2, folder / "out")
    theirs = peer.session.run(["y"], {"x": x})[0]
    error = np.abs(np.load(folder / "out" / "y.npy") - theirs).max() / np.abs(theirs).max()
    ours_best, theirs_best = np.inf, np.inf
    for _ in range(options.rounds):
        ours_best = min(ours_best, time_ours(options.cli, model, folder / "x.npy", threads, repeat))
        theirs_best = min(theirs_best, peer.time(x, repeat))
    kind = f"{classes} classes" if classes else "1 target"
    ours_best, theirs_best = ours_best / options.copies, theirs_best / options.copies
    print(f"{kind:12} batch {batch:6} threads {threads}  ours {ours_best:10.1f}  ONNX Runtime {theirs_best:10.1f} us  ratio {ours_best / theirs_best:5.2f}  difference {error:.1e}", flush=True)


def main():
    numbers = lambda text: [int(part) for part in text.split(",")]
    parser = argparse.ArgumentParser(description="Time forests against ONNX Runtime.")
    parser.add_argument("--cli", type=Path, default=ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--depth", type=int, default=6)
    parser.add_argument("--features", type=int, default=30)
    parser.add_argument("--batches", type=numbers, default=[1, 100, 1000])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for classes in (0, 10):
            model = folder / f"{classes}.onnx"
            onnx.save(forest(np.random.default_rng(0), options.trees, options.depth, options.features, classes, options.copies), model)
            for batch in options.batches:
                for threads in options.threads:
                    measure(options, folder, model, classes, batch, threads)


if __name__ == "__main__":
    main()

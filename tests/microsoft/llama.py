#!/usr/bin/env python3
"""A small Llama as ONNX Runtime's generative-model builder writes it: a prompt, then tokens one by one with the caches carried on, against ONNX Runtime.

    llama.py LIBRARY

Random weights, in float32 and float16; rotary positions inside GroupQueryAttention or by RotaryEmbedding, projections apart or packed, caches that grow, of
full length, or of full length with past and present in one buffer (there the peer's are apart). Last line: N agree, N disagree. Exit code 1 where a step disagrees, 77 without ONNX Runtime.
"""

import ctypes
import itertools
import sys
from pathlib import Path

try:
    import numpy as np
    import onnxruntime
except ImportError:
    sys.exit(77)
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "operators"))
import native  # noqa: E402

LAYERS, HEADS, KV_HEADS, SIZE, INNER, WORDS, ROOM = 2, 4, 2, 16, 96, 50, 32
HIDDEN = HEADS * SIZE
TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}
# In units of the largest logit of a step.
BOUNDS = {"float32": 1e-5, "float16": 1e-2}


class Builder:
    def __init__(self, dtype, separate_rotary, packed):
        self.dtype, self.separate_rotary, self.packed = dtype, separate_rotary, packed
        self.random = np.random.default_rng(5)
        self.nodes, self.initializers, self.count = [], [], 0

    def weight(self, array):
        name = f"w{len(self.initializers)}"
        array = np.asarray(array)
        self.initializers.append(numpy_helper.from_array(array.astype(self.dtype) if array.dtype == np.float64 else array, name))
        return name

    def matrix(self, rows, columns):
        return self.weight(self.random.standard_normal((rows, columns)) * rows ** -0.5)

    def add(self, op, inputs, outputs=1, domain="", **attributes):
        """The first output's name, or all where several are asked for; None leaves one out."""
        wanted = [True] * outputs if isinstance(outputs, int) else outputs
        names = [f"v{self.count + i}" if there else "" for i, there in enumerate(wanted)]
        self.count += len(names)
        self.nodes.append(helper.make_node(op, inputs, names, domain=domain, **attributes))
        return names[0] if len(names) == 1 else names

    def fused(self, op, inputs, outputs=1, **attributes):
        return self.add(op, inputs, outputs, "com.microsoft", **attributes)

    def attention(self, x, layer):
        width = KV_HEADS * SIZE
        q, k, v = (self.add("MatMul", [x, self.matrix(HIDDEN, columns)]) for columns in (HIDDEN, width, width))
        attributes = {"num_heads": HEADS, "kv_num_heads": KV_HEADS}
        if self.separate_rotary:
            q = self.fused("RotaryEmbedding", [q, "position_ids", self.cos, self.sin])
            k = self.fused("RotaryEmbedding", [k, "position_ids", self.cos, self.sin])
            angles = []
        else:
            attributes["do_rotary"] = 1
            angles = [self.cos, self.sin]
        sources = [self.add("Concat", [q, k, v], axis=2), "", ""] if self.packed else [q, k, v]
        presents = [f"present.{layer}.key", f"present.{layer}.value"]
        y = f"attended.{layer}"
        self.nodes.append(helper.make_node("GroupQueryAttention", [*sources, f"past.{layer}.key", f"past.{layer}.value", self.lengths, self.total, *angles],
                                           [y, *presents], domain="com.microsoft", **attributes))
        return self.add("MatMul", [y, self.matrix(HIDDEN, HIDDEN)])

    def model(self):
        angles = np.arange(ROOM)[:, None] * 10000.0 ** (-np.arange(0, SIZE, 2) / SIZE)
        self.cos, self.sin = self.weight(np.cos(angles)), self.weight(np.sin(angles))
        ones = self.add("ReduceSum", ["attention_mask", self.weight(np.array([1]))], keepdims=0)
        self.lengths = self.add("Cast", [self.add("Sub", [ones, self.weight(np.array([1]))])], to=TensorProto.INT32)
        length = self.add("Gather", [self.add("Shape", ["attention_mask"]), self.weight(np.array(1))], axis=0)
        self.total = self.add("Cast", [length], to=TensorProto.INT32)
        stream = self.add("Gather", [self.weight(self.random.standard_normal((WORDS, HIDDEN))), "input_ids"])
        x = self.add("SimplifiedLayerNormalization", [stream, self.weight(np.ones(HIDDEN))], epsilon=1e-5, axis=-1, stash_type=1)
        for layer in range(LAYERS):
            more = self.attention(x, layer)
            x, _, _, stream = self.norm(stream, more)
            gate, up = self.add("MatMul", [x, self.matrix(HIDDEN, INNER)]), self.add("MatMul", [x, self.matrix(HIDDEN, INNER)])
            opened = self.add("Mul", [self.add("Mul", [gate, self.add("Sigmoid", [gate])]), up])
            more = self.add("MatMul", [opened, self.matrix(INNER, HIDDEN)])
            x, _, _, stream = self.norm(stream, more)
        self.nodes.append(helper.make_node("MatMul", [x, self.matrix(HIDDEN, WORDS)], ["logits"]))
        typed = TYPES[self.dtype]
        cache = [f"{layer}.{kind}" for layer in range(LAYERS) for kind in ("key", "value")]
        ports = [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"]),
                 helper.make_tensor_value_info("attention_mask", TensorProto.INT64, ["batch", "total"])]
        if self.separate_rotary:
            ports.append(helper.make_tensor_value_info("position_ids", TensorProto.INT64, ["batch", "sequence"]))
        ports += [helper.make_tensor_value_info(f"past.{name}", typed, ["batch", KV_HEADS, "past", SIZE]) for name in cache]
        outputs = [helper.make_tensor_value_info("logits", typed, ["batch", "sequence", WORDS])]
        outputs += [helper.make_tensor_value_info(f"present.{name}", typed, ["batch", KV_HEADS, "present", SIZE]) for name in cache]
        graph = helper.make_graph(self.nodes, "llama", ports, outputs, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)])
        model.ir_version = 10
        return model.SerializeToString()

    def norm(self, stream, more):
        scale = self.weight(1 + 0.1 * self.random.standard_normal(HIDDEN))
        return self.fused("SkipSimplifiedLayerNormalization", [stream, more, scale], [True, False, False, True], epsilon=1e-5)


def steps(run, dtype, separate_rotary, full_length, batch):
    """Logits of a prompt and six single tokens, each step's with the caches that the last one gave."""
    random = np.random.default_rng(9)
    past = {f"past.{layer}.{kind}": np.zeros((batch, KV_HEADS, ROOM if full_length else 0, SIZE), dtype) for layer in range(LAYERS) for kind in ("key", "value")}
    total = 0
    for length in (7, 1, 1, 1, 1, 1, 1):
        feeds = {"input_ids": random.integers(0, WORDS, (batch, length)), "attention_mask": np.ones((batch, total + length), np.int64), **past}
        if separate_rotary:
            feeds["position_ids"] = np.tile(np.arange(total, total + length), (batch, 1))
        logits, *presents = run(feeds)
        past = dict(zip(past, presents))
        total += length
        yield logits


def steps_in_place(library, model, dtype, separate_rotary, batch):
    """The same in one session whose caches are inputs and outputs at once."""
    keep = []

    def made(name, *arguments):
        keep.append((name.split("_")[0], library.made(name, *arguments)))
        return keep[-1][1]

    dims = (ctypes.c_int64 * 4)(batch, KV_HEADS, ROOM, SIZE)
    session = made("session_create", made("model_load_bytes", model, len(model), None), None)
    run = made("run_create", session)
    library.call("run_set_output", run, b"logits", None)
    for layer, kind in itertools.product(range(LAYERS), ("key", "value")):
        cache = made("value_create_tensor", TYPES[dtype], ctypes.addressof(dims), 4)
        library.call("run_set_input", run, f"past.{layer}.{kind}".encode(), cache)
        library.call("run_set_output", run, f"present.{layer}.{kind}".encode(), cache)

    def execute(feeds):
        for name, array in feeds.items():
            if not name.startswith("past."):
                value = library.to_value(array)
                library.call("run_set_input", run, name.encode(), value)
                library.free("value_free", value)
        library.call("run_execute", run)
        logits = library.made("run_output", run, 0)
        result = library.from_value(logits)
        library.free("value_free", logits)
        return [result, *(None for _ in range(2 * LAYERS))]

    yield from steps(execute, dtype, separate_rotary, True, batch)
    for kind, handle in reversed(keep):
        library.free(f"{kind}_free", handle)


def main():
    ours = native.Library(sys.argv[1])
    counts = {True: 0, False: 0}
    for dtype, rotary, packed, caches, batch in itertools.product(TYPES, (False, True), (False, True), ("grow", "full", "in place"), (1, 2)):
        model = Builder(dtype, rotary, packed).model()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        peer = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        case = (dtype, rotary, caches != "grow", batch)
        mine = steps_in_place(ours, model, dtype, rotary, batch) if caches == "in place" else steps(lambda feeds: ours.run(model, feeds), *case)
        pairs = zip(mine, steps(lambda feeds: peer.run(None, feeds), *case), strict=True)
        for number, (a, b) in enumerate(pairs):
            error = float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max() / np.abs(b.astype(np.float64)).max())
            good = a.shape == b.shape and error <= BOUNDS[dtype]
            counts[good] += 1
            if not good:
                print(f"  {dtype}, separate rotary {rotary}, packed {packed}, caches {caches}, batch {batch}, step {number}: {error:.3g}")
    print(f"{counts[True]} agree, {counts[False]} disagree")
    return 1 if counts[False] or not counts[True] else 0


if __name__ == "__main__":
    sys.exit(main())

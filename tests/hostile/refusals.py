#!/usr/bin/env python3
"""Models that have broken runtimes: each must end in a clear error, in time and without taking memory, or run.

    refusals.py [--library FILE] [--filter REGEX] [--unlimited]

Every case is tried with its values as graph inputs, all as constants, and all but the first as constants, at the lowest and the highest optimisation level, in a child
process that may take some seconds. An expected error must name the operator and match what the case expects. It may cost at most 64 MiB.

Last line: counts. Exit code 1 when any case did something else."""

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, parser

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests/operators")]

from native import Library, RunError  # noqa: E402
from sandbox import Sandbox  # noqa: E402

MEMORY, SECONDS, OPSET = 1 << 30, 5, 23
LIMIT = r"limit of \d+ bytes|more elements than|can be addressed|overflow|too many"
F, I = np.float32, np.int64
CASES = []


@dataclass
class Refusal:
    name: str
    model: object
    feeds: dict
    expect: str  # "" when it must run
    op: str
    settings: dict = field(default_factory=dict)
    seconds: float = SECONDS
    checked: bool = True  # also in builds that check the graph after each change
    most: int = 0  # bytes that a run that must end well may take; 0: any


def element(array):
    return TensorProto.STRING if array.dtype.kind in "OSU" else helper.np_dtype_to_tensor_dtype(array.dtype)


def one(name, op, inputs, expect, outputs=1, domain="", constants=True, opset=OPSET, settings=None, declared=False, **attributes):
    """A model of one node; inputs are arrays, None where absent; their dims are only `declared` where an operator needs that."""
    arrays = {f"x{k}": np.asarray(array) for k, array in enumerate(inputs) if array is not None}
    names = [f"x{k}" if array is not None else "" for k, array in enumerate(inputs)]
    node = helper.make_node(op, names, [f"y{k}" for k in range(outputs)], domain=domain, name="it", **attributes)
    for kept, way in ((), ""), (list(arrays)[1:], ", weights constant"), (list(arrays), ", constant"):
        if way and not (kept and constants):
            continue
        ports = [helper.make_tensor_value_info(n, element(a), a.shape if declared else [None] * a.ndim) for n, a in arrays.items() if n not in kept]
        initializers = [numpy_helper.from_array(arrays[n], n) for n in kept]
        results = [helper.make_empty_tensor_value_info(n) for n in node.output]
        graph = helper.make_graph([node], "one", ports, results, initializers)
        imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain in ("com.microsoft", "onnxrun") else [helper.make_opsetid(domain, 5)] if domain else [])
        model = helper.make_model(graph, opset_imports=imports, ir_version=10)
        feeds = {n: a for n, a in arrays.items() if n not in kept}
        CASES.append(Refusal(name + way, model, feeds, expect, op, settings or {}))


def whole(name, nodes, inputs, outputs, feeds, expect, op, settings=None):
    ports = [helper.make_tensor_value_info(n, element(np.asarray(a)), [None] * np.ndim(a)) for n, a in feeds.items()] if inputs is None else inputs
    graph = helper.make_graph(nodes, "whole", ports, [helper.make_empty_tensor_value_info(n) for n in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    CASES.append(Refusal(name, model, {n: np.asarray(a) for n, a in feeds.items()}, expect, op, settings or {}))


def ints(*values):
    return np.array(values, I)


def ones(*shape):
    return np.ones(shape, F)


BIG = 1 << 40
HUGE = (1 << 62)


def allocations():
    one("44 filling 2^40", "ConstantOfShape", [ints(BIG)], LIMIT)
    one("44 filling beyond 64 bits", "ConstantOfShape", [ints(1 << 33, 1 << 33)], LIMIT)
    one("44 filling a negative size", "ConstantOfShape", [ints(-1)], "negative|-1")
    one("45 folding 3 GB", "Expand", [ones(1), ints(3 << 28)], LIMIT)
    one("46 tiling", "Tile", [ones(2), ints(BIG)], LIMIT)
    one("46 tiling beyond 64 bits", "Tile", [ones(4, 4), ints(HUGE, HUGE)], LIMIT)
    one("46 tiling a negative number of times", "Tile", [ones(2), ints(-3)], "negative|-3")
    one("46 tiling with a wrong number of repeats", "Tile", [ones(2), ints(1, 2)], "repeats")
    one("47 expanding", "Expand", [ones(1, 1), ints(1 << 32, 1 << 32)], LIMIT)
    one("47 expanding to a negative size", "Expand", [ones(1), ints(-4)], "negative|-4")
    one("48 a range of 2^62", "Range", [np.int64(0), np.int64(HUGE), np.int64(1)], LIMIT)
    one("48 a range from one end to the other", "Range", [np.int64(-(1 << 63)), np.int64((1 << 63) - 1), np.int64(1)], LIMIT)
    one("48 a range to infinity", "Range", [F(0), F("inf"), F(1)], LIMIT + "|finite|infinit|inf")
    one("48 a range of nan", "Range", [F("nan"), F(1), F(1)], "finite|nan|number")
    one("48 a range with step 0", "Range", [np.int64(0), np.int64(3), np.int64(0)], "delta")
    one("49 one-hot depth", "OneHot", [ints(1), np.int64(BIG), np.array([0, 1], F)], LIMIT)
    one("49 negative one-hot depth", "OneHot", [ints(1), np.int64(-5), np.array([0, 1], F)], "depth")
    one("50 the largest of too few", "TopK", [ones(3), ints(5)], "5", outputs=2)
    one("50 the largest -1", "TopK", [ones(3), ints(-1)], "-1|negative", outputs=2)
    for pad in (HUGE, -HUGE):
        one(f"51 pads of {pad}", "Pad", [ones(3), ints(pad, pad)], LIMIT + "|pad")
    one("51 cropping to 2^62", "CenterCropPad", [ones(3, 3), ints(HUGE, HUGE)], LIMIT)
    one("51 cropping to -2^62", "CenterCropPad", [ones(3, 3), ints(-HUGE, 3)], "negative|shape")
    for scale in (1e30, 0, float("nan"), -2):
        one(f"52 scales of {scale}", "Resize", [ones(1, 1, 4, 4), None, np.array([1, 1, scale, scale], F)], LIMIT + "|scale")
    one("52 wrong number of scales", "Resize", [ones(1, 1, 4, 4), None, np.array([2, 2], F)], "scales")
    one("52 wrong number of sizes", "Resize", [ones(1, 1, 4, 4), None, None, ints(2)], "sizes")
    one("52 sizes of 2^40", "Resize", [ones(1, 1, 4, 4), None, None, ints(1, 1, BIG, BIG)], LIMIT)
    one("53 columns to a huge image", "Col2Im", [ones(1, 4, 1), ints(BIG, BIG), ints(2, 2)], LIMIT + "|columns|blocks|image")
    one("53 columns to no image", "Col2Im", [ones(1, 4, 1), ints(-1, 1), ints(2, 2)], "image|negative|-1")
    for name, value in (("strides", [0, 0]), ("dilations", [0, 1]), ("pads", [HUGE] * 4), ("pads", [-1] * 4)):
        one(f"53 columns with {name} {value}", "Col2Im", [ones(1, 4, 1), ints(2, 2), ints(2, 2)], name, **{name: value})
    one("53 columns of blocks of size 0", "Col2Im", [ones(1, 4, 1), ints(2, 2), ints(0, 2)], "block|positive|0")
    for op in ("HannWindow", "HammingWindow", "BlackmanWindow"):
        one(f"54 a window of 2^40, {op}", op, [np.int64(BIG)], LIMIT)
        one(f"54 a window of -1, {op}", op, [np.int64(-1)], "size|negative")
    one("54 a huge mel matrix", "MelWeightMatrix", [np.int64(1 << 30), np.int64(1 << 30), np.int64(8000), F(0), F(4000)], LIMIT)
    one("54 a negative mel matrix", "MelWeightMatrix", [np.int64(-4), np.int64(8), np.int64(8000), F(0), F(4000)], "num_mel_bins|negative|-4")
    one("55 split into 2^40", "Split", [ones(4)], "num_outputs|outputs", num_outputs=BIG)
    one("55 split with a wrong sum", "Split", [ones(4), ints(1, 1)], "split|4", outputs=2)
    one("55 a split of negative parts", "Split", [ones(4), ints(-1, 5)], "negative|-1", outputs=2)


def lookups():
    for index in (7, -8, HUGE, -(1 << 63)):
        one(f"56 gather at {index}", "Gather", [ones(3), ints(index)], "outside|range|index")
        one(f"56 gather elements at {index}", "GatherElements", [ones(3), ints(index)], "outside|range|index")
        one(f"57 gather of {index} dims", "GatherND", [ones(3), ints(index)], "outside|range|index")
        one(f"58 scatter to {index}", "ScatterElements", [ones(3), ints(index), ones(1)], "outside|range|index")
        one(f"58 scatter of {index} dims", "ScatterND", [ones(3), np.array([[index]], I), ones(1)], "outside|range|index")
        one(f"59 unpool from {index}", "MaxUnpool", [ones(1, 1, 1, 1), np.array([[[[index]]]], I)], "outside|range|index|indices", kernel_shape=[2, 2])
        one(f"60 region of image {index}", "RoiAlign", [ones(1, 1, 4, 4), ones(1, 4), ints(index)], "batch|outside|range")
        one(f"61 feature {index}", "ArrayFeatureExtractor", [ones(1, 3), ints(index)], "outside|range|index", domain="ai.onnx.ml")
    one("57 gather into a dim of 0", "GatherND", [ones(0, 2), np.array([[0]], I)], "outside|range|index")
    one("56 gather from nothing", "Gather", [ones(0), ints(0)], "outside|range|index")
    one("58 scatter with other updates", "ScatterND", [ones(3), np.array([[0]], I), ones(2)], "updates")
    one("56 compress beyond the end", "Compress", [ones(2), np.array([0, 0, 1, 1], bool)], "condition|outside|elements")
    one("56 take a sequence's tenth", "ReverseSequence", [ones(2, 3), ints(9, 1)], "sequence_lens|length|9")
    one("56 tensor scatter beyond the cache", "TensorScatter", [ones(1, 1, 2, 1), ones(1, 1, 1, 1), ints(7)], "write_indices|outside|range|7", opset=24)


def windows():
    one("62 other rank of weights", "Conv", [ones(1, 1, 4, 4), ones(1, 1, 2)], "rank|dimension|weight")
    one("62 other channels of weights", "Conv", [ones(1, 3, 4, 4), ones(1, 2, 2, 2)], "channel")
    for value in (0, -1, HUGE):
        one(f"63 group {value}", "Conv", [ones(1, 2, 4, 4), ones(2, 1, 2, 2)], "group|channel", group=value)
        one(f"63 group {value + 2} that does not divide", "Conv", [ones(1, 2, 4, 4), ones(1, 1, 2, 2)], "group|channel", group=max(value + 2, 2))
        one(f"63 strides {value}", "Conv", [ones(1, 1, 4, 4), ones(1, 1, 2, 2)], "stride", strides=[value, value])
        one(f"63 dilations {value}", "Conv", [ones(1, 1, 4, 4), ones(1, 1, 2, 2)], "dilation|window|kernel|overflow", dilations=[value, value])
        one(f"63 pool strides {value}", "MaxPool", [ones(1, 1, 4, 4)], "stride", strides=[value, value], kernel_shape=[2, 2])
        one(f"63 pool kernel {value}", "MaxPool", [ones(1, 1, 4, 4)], "kernel|window", kernel_shape=[value, value])
        one(f"64 blocks of {value}", "DepthToSpace", [ones(1, 4, 2, 2)], "blocksize", blocksize=value)
        one(f"64 blocks of {value} back", "SpaceToDepth", [ones(1, 4, 2, 2)], "blocksize", blocksize=value)
    one("64 blocks of 2^32", "DepthToSpace", [ones(1, 4, 2, 2)], "blocksize", blocksize=1 << 32)
    for pads, expect in (([0, 0, HUGE, 0], "pads"), ([-5, 0, 0, 0], "pads"), ([1, 0, BIG, 0], "pads"), ([1, 0, (1 << 31) - 1, 0], LIMIT)):
        one(f"63 conv pads {pads}", "Conv", [ones(1, 1, 8, 4), ones(1, 1, 2, 2)], expect, pads=pads)
        one(f"63 pool pads {pads}", "AveragePool", [ones(1, 1, 8, 4)], expect, pads=pads, kernel_shape=[2, 2])
    one("63 a pool much larger than its input", "AveragePool", [ones(1, 1, 4, 4)], "", kernel_shape=[(1 << 31) - 1] * 2, pads=[(1 << 31) - 2] * 4, count_include_pad=1,
        strides=[(1 << 31) - 1] * 2)
    one("63 a pool of 2^93 elements", "AveragePool", [ones(1, 1, 4, 4, 4)], "", kernel_shape=[(1 << 31) - 1] * 3, pads=[(1 << 31) - 2] * 6, count_include_pad=1,
        strides=[(1 << 31) - 1] * 3)
    one("63 transposed to 2^62", "ConvTranspose", [ones(1, 1, 4, 4), ones(1, 1, 2, 2)], LIMIT, output_padding=[0, 0], strides=[1 << 30] * 2)
    most = (1 << 63) - 1  # by which the last step to a position inside the image wraps
    for op, weights in (("Conv", (1, 8, 1)), ("ConvTranspose", (8, 1, 200_000))):
        one(f"63 {op} by the largest stride", op, [ones(1, 8, 1), ones(*weights)], "strides", strides=[most], pads=[199_990, 0])
    one("63 a pool dilated most", "MaxPool", [ones(1, 1, 4)], "dilations", outputs=2, kernel_shape=[1], dilations=[most], pads=[2, 0])
    one("63 transposed from nothing", "ConvTranspose", [np.zeros((1, 8, 0), F), ones(8, 1, 3)], "")
    for op in ("LpPool", "AveragePool", "MaxPool"):
        one(f"63 {op} of no images", op, [np.zeros((0, 1, 3, 3), F)], LIMIT, kernel_shape=[4, 4], pads=[(1 << 31) - 1] * 4)
    one("63 transposed to a given size", "ConvTranspose", [ones(1, 1, 4, 4), ones(1, 1, 2, 2)], LIMIT + "|output_shape|pad", output_shape=[BIG, BIG])
    one("65 attention with no heads", "Attention", [ones(1, 2, 4)] * 3, "heads", q_num_heads=0, kv_num_heads=0)
    one("65 attention with heads that do not fit", "Attention", [ones(1, 2, 4)] * 3, "heads|divi", q_num_heads=3, kv_num_heads=3)
    one("65 attention with 2^62 heads", "Attention", [ones(1, 2, 4)] * 3, "heads|divi", q_num_heads=HUGE, kv_num_heads=HUGE)
    one("65 com.microsoft attention with no heads", "MultiHeadAttention", [ones(1, 2, 4)] * 3, "num_heads", domain="com.microsoft", num_heads=0)


def arithmetic():
    one("66 division by 0", "Div", [ints(1, 2), ints(1, 0)], "zero|0")
    one("66 remainder by 0", "Mod", [ints(1, 2), ints(1, 0)], "zero|0")
    one("66 the least divided by -1", "Div", [ints(-(1 << 63)), ints(-1)], "")
    one("66 the least's remainder by -1", "Mod", [ints(-(1 << 63)), ints(-1)], "")
    for shift in (64, 65, 255):
        one(f"67 shift by {shift}", "BitShift", [np.array([1], np.uint64), np.array([shift], np.uint64)], "", direction="LEFT")
    w, r = ones(1, 4, 2), ones(1, 4, 1)
    one("68 a sequence of length 0", "LSTM", [ones(3, 1, 2), w, r, None, np.array([0], np.int32)], "", outputs=3, hidden_size=1)
    for length in (-1, 9, 2**31 - 1):
        one(f"68 a sequence of length {length}", "LSTM", [ones(3, 1, 2), w, r, None, np.array([length], np.int32)], "sequence_lens|length", outputs=3, hidden_size=1)
    one("69 another hidden size", "LSTM", [ones(3, 1, 2), w, r], "hidden|shape", outputs=3, hidden_size=7)
    one("69 no hidden size", "LSTM", [ones(3, 1, 2), w, r], "hidden", outputs=3, hidden_size=0)
    one("69 an initial state of another size", "LSTM", [ones(3, 1, 2), w, r, None, None, ones(1, 1, 5)], "initial_h|shape", outputs=3, hidden_size=1)


def tree(name, expect, **changes):
    attributes = {"nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [0, 0, 0], "nodes_values": [0.5, 0.0, 0.0],
                  "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0], "target_treeids": [0, 0],
                  "target_nodeids": [1, 2], "target_ids": [0, 0], "target_weights": [1.0, 2.0], "n_targets": 1} | changes
    one(f"70 {name}", "TreeEnsembleRegressor", [ones(1, 2)], expect, domain="ai.onnx.ml", constants=False, **attributes)


def learned():
    branches = ["BRANCH_LEQ"] * 3
    tree("a tree", "")
    tree("a node that is its own child", "node|cycle|twice|reach", nodes_truenodeids=[0, 0, 0])
    tree("two nodes in a circle", "node|cycle|twice|reach", nodes_modes=branches, nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 1])
    tree("a child that is not there", "node|child", nodes_truenodeids=[77, 0, 0])
    tree("a feature beyond the input", "feature", nodes_featureids=[1 << 40, 0, 0])
    tree("a feature of -1", "feature", nodes_featureids=[-1, 0, 0])
    tree("a target that is not there", "target", target_ids=[0, 9])
    tree("2^62 targets", "target|" + LIMIT, n_targets=HUGE)
    tree("lists of different length", "nodes_values|length|entries|elements", nodes_values=[0.5])
    one("71 other numbers of vectors", "SVMRegressor", [ones(1, 2)], "support_vectors|coefficients|vectors", domain="ai.onnx.ml", constants=False, n_supports=3,
        support_vectors=[1.0, 2.0], coefficients=[1.0], rho=[0.0], kernel_type="LINEAR")
    one("71 2^62 vectors", "SVMRegressor", [ones(1, 2)], "support|vectors|n_supports", domain="ai.onnx.ml", constants=False, n_supports=HUGE, support_vectors=[1.0, 2.0],
        coefficients=[1.0], rho=[0.0], kernel_type="LINEAR")
    for name, changes in {"an index beyond the output": {"ngram_indexes": [HUGE]}, "a negative index": {"ngram_indexes": [-1]}, "2^62 skips": {"max_skip_count": HUGE},
                          "counts that decrease": {"ngram_counts": [5, 0]}, "2^62 grams": {"max_gram_length": HUGE}}.items():
        attributes = {"mode": "TF", "min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0, "ngram_counts": [0], "ngram_indexes": [0], "pool_int64s": [3]} | changes
        one(f"72 {name}", "TfIdfVectorizer", [ints(3, 3)], "" if "skips" in name else "ngram|gram|index|" + LIMIT, constants=False, **attributes)
    one("73 a catastrophic expression", "RegexFullMatch", [np.array(["a" * 4000], object)], "", pattern="(a*)*b", constants=False)
    one("73 a malformed expression", "RegexFullMatch", [np.array(["a"], object)], "pattern|expression", pattern="(((", constants=False)
    one("73 a huge repetition", "RegexFullMatch", [np.array(["a"], object)], "pattern|expression", pattern="((a{1000}){1000}){1000}", constants=False)
    for equation in ("ij->ij->", "i,j", "i->ii", "ij,jk,kl", "i...j...->i", "->a", "1->1", "i,", "ijk"):
        one(f"74 the equation {equation}", "Einsum", [ones(2, 2)], "equation|inputs|operand|rank|dim", equation=equation)


def searches():
    """68: what a search over tokens is told of its vocabulary."""
    decoder = parser.parse_graph("""d (int32[r,l] input_ids, int32[r,l] position_ids, int32[r,t] attention_mask, float[2,r,1,p,1] past_0) =>
        (float[r,l,4] logits, float[2,r,1,q,1] present_0)
        <float[4,4] w = {1,2,3,4,5,6,7,8,9,8,7,6,5,4,3,2}, int64[3] axes = {0, 2, 4}> {
        logits = Gather(w, input_ids) f = Cast<to = 1>(input_ids) u = Unsqueeze(f, axes) both = Concat<axis = 0>(u, u)
        present_0 = Concat<axis = 3>(past_0, both) }""")
    numbers = [np.array([n], np.int32) for n in (6, 0, 3, 1)]
    for size, expect in ((0, ""), (2, ""), (1, "vocab_size"), (5, "vocabulary"), (HUGE, "vocabulary")):
        one(f"68 beams over a vocabulary of {size}", "BeamSearch", [np.ones((1, 2), np.int32), *numbers, np.array([1], F)], expect, domain="com.microsoft", constants=False,
            decoder=decoder, model_type=0, eos_token_id=0, pad_token_id=0, vocab_size=size)
        one(f"68 tokens of a vocabulary of {size}", "GreedySearch", [np.ones((1, 2), np.int32), *numbers[:2]], expect, domain="com.microsoft", constants=False,
            decoder=decoder, model_type=0, eos_token_id=0, pad_token_id=0, vocab_size=size)


    grown = parser.parse_graph("""d (int32[r,l] input_ids, int32[r,l] position_ids, int32[r,t] attention_mask, float[2,r,1,p,1] past_0) =>
        (float[r,l,v] logits, float[2,r,1,q,1] present_0)
        <float[1] zero = {0}, int64[3] axes = {0, 2, 4}, int64[1] begun = {2}, int64[1] much = {200000}, int64[1] four = {4}> {
        total = Shape<start = 1>(attention_mask) over = Sub(total, begun) more = Mul(over, much) size = Add(more, four)
        rows = Shape(input_ids) whole = Concat<axis = 0>(rows, size) logits = Expand(zero, whole)
        f = Cast<to = 1>(input_ids) u = Unsqueeze(f, axes) both = Concat<axis = 0>(u, u) present_0 = Concat<axis = 3>(past_0, both) }""")
    one("68 beams over a vocabulary that grows", "BeamSearch", [np.ones((1, 2), np.int32), *numbers, np.array([1], F)], "", outputs=3, domain="com.microsoft",
        constants=False, decoder=grown, model_type=0, eos_token_id=0, pad_token_id=0)


def caches():
    """65: caches of another type than the attributes say; attention and tables of no numbers."""
    numbers = lambda *shape: np.ones(shape, np.int32)  # noqa: E731
    heads = {"domain": "com.microsoft", "num_heads": 1, "kv_num_heads": 1}
    scaled = {"k_quant_type": "PER_TENSOR", "v_quant_type": "PER_TENSOR"}
    rest = [None] * 5 + [ones(1)] * 2
    one("65 caches of floats said to be of 4 bits", "GroupQueryAttention", [ones(1, 2, 64)] * 3 + [ones(1, 1, 16384, 32)] * 2 + [numbers(1) * 16383, numbers(1) * 16384] + rest,
        "k_quant_type", outputs=3, constants=False, kv_cache_bit_width=4, **heads, **scaled)
    one("65 caches of bytes said to be of floats", "GroupQueryAttention", [ones(1, 2, 8)] * 3 + [np.zeros((1, 1, 16, 8), np.int8)] * 2 + [numbers(1), numbers(1) * 2],
        "k_quant_type", outputs=3, constants=False, **heads)
    for rank in (19, 40):  # which nothing tells before the run
        many = ones(*[1] * rank)
        for op in ("MaxPool", "AveragePool", "LpPool"):
            whole(f"65 {op} of rank {rank}", [helper.make_node(op, ["x"], ["y"], kernel_shape=[1] * (rank - 2))],
                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)], ["y"], {"x": many}, "spatial axes", op)
    length = 100_000
    one("65 a prompt longer than the cache", "GroupQueryAttention", [ones(1, length, 8)] * 3 + [np.zeros((1, 1, 16, 8), np.int8)] * 2 + [numbers(1) * 0, numbers(1) * length] + rest,
        "", outputs=3, constants=False, local_window_size=16, sliding_window_cache=1, **heads, **scaled)
    one("65 no total length", "GroupQueryAttention", [ones(1, 2, 8)] * 3 + [None, None, numbers(1), numbers(1, 0)], "total_sequence_length", constants=False, **heads)
    empty = np.zeros(0, I)
    one("65 no match of the step before", "BifurcationDetector", [ints(1, 2), ints(1), empty, ints(1, 2, 3)], "prev_suffix_match_idx", outputs=2, domain="com.microsoft")
    one("65 filters at no rate", "MelWeightMatrix", [I(4), I(16), empty, F(0), F(1)], "sample_rate")
    one("65 filters between no edges", "MelWeightMatrix", [I(4), I(16), I(8), np.zeros(0, F), F(1)], "lower_edge_hertz")
    one("65 tokens of no sequence", "VarlenNGramHashMapping", [np.arange(1000, dtype=I), ints(3, 5), ints(7), np.array([500, 502], np.int32)], "sequences", domain="com.microsoft",
        constants=False, max_ngram_size=2, n_head_per_ngram=1, pad_id=0)
    for size in (1026, 100_000):
        one(f"53 {size} pads of a scalar", "Pad", [F(1), np.full(size, 7)], "pads")
    one("53 pads of no axes", "Pad", [ones(4), np.full(5000, 1_000_000), None, empty], "pads")
    one("53 a transform along one of two axes", "DFT", [ones(4125, 521, 1), None, I(1)], "", constants=False)
    CASES[-1].seconds = 20


def types():
    """93: elements of a type that the file does not state and an operator does not take."""
    byte, many = np.zeros((50, 3), np.int8), {"classlabels_int64s": [1, 2, 3]}
    window = {"kernel_shape": [2, 2], "strides": [2, 2]}
    texts = np.array(["a", "b"] * 40, object)
    for op, domain, inputs, attributes in (
            ("ZipMap", "ai.onnx.ml", [byte], many), ("StringSplit", "", [np.zeros(64, np.uint8)], {"delimiter": ","}), ("StringConcat", "", [byte, byte], {}),
            ("StringNormalizer", "", [np.zeros(64, np.int8)], {}), ("RegexFullMatch", "", [byte], {"pattern": "a"}), ("Gather", "", [ones(9), byte], {}),
            ("GatherND", "", [ones(9, 9, 9), byte], {}), ("ReverseSequence", "", [ones(4, 3), np.zeros(3, np.uint8)], {}),
            ("MaxUnpool", "", [ones(1, 1, 2, 2), np.zeros((1, 1, 2, 2), np.int8)], window), ("DynamicTimeWarping", "com.microsoft", [np.zeros((3, 4), np.uint8)], {}),
            ("QLinearSigmoid", "com.microsoft", [texts, F(1), np.uint8(0), F(1), np.uint8(0)], {}), ("Attention", "", [ones(1, 1, 2, 4), np.zeros((1, 1, 2, 4), np.int8), ones(1, 1, 2, 4)], {}),
            ("DynamicQuantizeLinear", "", [np.zeros(3, np.uint8)], {})):
        feeds = {f"x{k}": np.asarray(x) for k, x in enumerate(inputs)}
        node = helper.make_node(op, list(feeds), ["y"], domain=domain, name="it", **attributes)
        imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("ai.onnx.ml", 5)]
        for way in ("inputs", "elements"):
            nodes, given, ports = [node], dict(feeds), []
            for name, array in feeds.items():
                port = helper.make_tensor_value_info(name, 0, [None] * array.ndim)
                if way == "elements":
                    nodes.insert(0, helper.make_node("SequenceAt", ["s" + name, "zero"], [name]))
                    port = helper.make_tensor_sequence_value_info("s" + name, 0, None)
                    given["s" + name] = [given.pop(name)]
                ports.append(port)
            graph = helper.make_graph(nodes, "types", ports, [helper.make_empty_tensor_value_info("y")], [numpy_helper.from_array(np.int64(0), "zero")])
            model = helper.make_model(graph, opset_imports=imports, ir_version=10)
            CASES.append(Refusal(f"93 {op} of {way} of another type", model, given, "must be|must have the type", op))
    # Types that operators do take, but not every kernel of theirs.
    half = np.ones((64, 4096), np.float16)
    codes = {"cats_strings": [str(k) for k in range(4096)], "cats_int64s": [(1 << 40) + 5 * k for k in range(4096)]}
    weights = [np.full((8, 1, 16), 3, np.uint8), ones(8, 1), np.full((8, 1), 9, np.uint8)]
    recurrent = [ones(2, 1, 2), ones(1, 6, 2), ones(1, 6, 2), ones(1, 12)]
    for op, domain, inputs, untyped, expect, attributes in (
            ("LayerNormalization", "", [half, half[0]], (0, 1), "", {}), ("RMSNormalization", "", [half, half[0]], (1,), "", {}),
            ("CategoryMapper", "ai.onnx.ml", [np.array(["a"] * 2000, object)], (0,), "declare them", codes), ("Col2Im", "", [np.ones((1, 4, 1), bool), ints(2, 2), ints(2, 2)], (0,), "added", {}),
            *(("MatMulNBits", "com.microsoft", [ones(1, 32), *weights], (k,), "", {"K": 32, "N": 8, "bits": 4, "block_size": 32}) for k in (1, 2, 3)),
            ("GRU", "", recurrent, (3,), "", {"hidden_size": 2})):
        arrays = {f"x{k}": np.asarray(x) for k, x in enumerate(inputs)}
        ports = [helper.make_tensor_value_info(f"x{k}", 0, [None] * arrays[f"x{k}"].ndim) for k in untyped]
        kept = [numpy_helper.from_array(array, name) for name, array in arrays.items() if int(name[1:]) not in untyped]
        graph = helper.make_graph([helper.make_node(op, list(arrays), ["y"], domain=domain, name="it", **attributes)], "types", ports,
                                  [helper.make_empty_tensor_value_info("y")], kept)
        imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("ai.onnx.ml", 5)]
        feeds = {f"x{k}": arrays[f"x{k}"] for k in untyped}
        CASES.append(Refusal(f"93 {op} of a late type {untyped}", helper.make_model(graph, opset_imports=imports, ir_version=10), feeds, expect, op))
    nodes = [helper.make_node("Concat", ["x0"], ["y"], axis=0, name="it"), helper.make_node("StringConcat", ["y", "y"], ["z"])]
    ports = [helper.make_tensor_value_info(n, t, [None]) for n, t in (("x0", 0), ("y", TensorProto.STRING))]
    graph = helper.make_graph(nodes, "types", ports[:1], [ports[1], helper.make_empty_tensor_value_info("z")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    CASES.append(Refusal("93 an output declared as another type", model, {"x0": ones(9)}, "declared as", "Concat"))


def nothing():
    """75: tensors without elements."""
    none = ones(0, 3)
    for op, inputs, attributes in [("MatMul", [none, ones(3, 2)], {}), ("MatMul", [ones(2, 0), ones(0, 2)], {}), ("Add", [none, ones(3)], {}), ("Softmax", [none], {}),
                                   ("Conv", [ones(0, 1, 4, 4), ones(1, 1, 2, 2)], {}), ("Gather", [ones(3), np.zeros(0, I)], {}), ("Concat", [none, none], {"axis": 0}),
                                   ("ReduceSum", [none], {}), ("Transpose", [none], {}), ("Resize", [ones(0, 1, 2, 2), None, np.array([1, 1, 2, 2], F)], {}),
                                   ("NonZero", [none], {}), ("Unique", [ones(0)], {}), ("CumSum", [none, np.int64(0)], {}), ("LayerNormalization", [none, ones(3)], {}),
                                   ("Attention", [ones(0, 1, 2, 4)] * 3, {}), ("MaxPool", [ones(0, 1, 4, 4)], {"kernel_shape": [2, 2]}), ("Einsum", [none], {"equation": "ij->j"}),
                                   ("Where", [np.zeros((0, 3), bool), none, none], {}), ("Pad", [ones(0), ints(1, 1)], {}), ("ScatterND", [ones(3), np.zeros((0, 1), I), ones(0)], {})]:
        one(f"75 nothing for {op}", op, inputs, "", outputs=1, **attributes)
    one("75 the largest of nothing", "ReduceMax", [ones(0)], "")
    one("75 the place of the largest of nothing", "ArgMax", [ones(0)], "empty|axis|0")


def info(name, type_, dims):
    return helper.make_tensor_value_info(name, type_, dims)


def loop(body_nodes, state_dims, outputs, keep_going="keep"):
    body = helper.make_graph(body_nodes, "body", [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, []), info("s", TensorProto.FLOAT, state_dims)],
                             [info(keep_going, TensorProto.BOOL, [])] + [info(o, TensorProto.FLOAT, None) for o in outputs])
    return body


def endless():
    keep = helper.make_node("Identity", ["c"], ["keep"])
    start = {"s0": ones(1)}
    forever = {"M": np.int64((1 << 63) - 1), "go": np.bool_(True)}
    body = loop([keep, helper.make_node("Add", ["s", "s"], ["t"])], None, ["t"])
    whole("76 a loop without an end", [helper.make_node("Loop", ["M", "go", "s0"], ["r"], name="it", body=body)], None, ["r"], forever | start, "deadline", "Loop")
    body = loop([keep, helper.make_node("Identity", ["s"], ["t"]), helper.make_node("Expand", ["s", "many"], ["u"])], None, ["t", "u"])
    whole("77 growing scan outputs", [helper.make_node("Loop", ["M", "go", "s0"], ["r", "q"], name="it", body=body)], None, ["r", "q"],
          forever | start | {"many": ints(1 << 20)}, LIMIT + "|deadline", "Loop")
    body = loop([keep, helper.make_node("Concat", ["s", "s"], ["t"], axis=0)], None, ["t"])
    whole("78 a state that doubles", [helper.make_node("Loop", ["M", "go", "s0"], ["r"], name="it", body=body)], None, ["r"], forever | start, LIMIT, "Loop")
    parts = [helper.make_node("Loop", ["M", "go", "e"], ["r"], name="it",
                              body=helper.make_graph([keep, helper.make_node("SequenceInsert", ["s", "x"], ["t"])], "body",
                                                     [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, []),
                                                      helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)],
                                                     [info("keep", TensorProto.BOOL, []), helper.make_tensor_sequence_value_info("t", TensorProto.FLOAT, None)]))]
    whole("77 a sequence that grows", [helper.make_node("Expand", ["s0", "many"], ["x"]), helper.make_node("SequenceEmpty", [], ["e"]), *parts,
                                       helper.make_node("SequenceLength", ["r"], ["n"])], None, ["n"], forever | start | {"many": ints(1 << 20)}, LIMIT + "|deadline", "Loop")
    body = helper.make_graph([helper.make_node("Identity", ["a"], ["b"])], "body", [info("a", TensorProto.FLOAT, None)], [info("b", TensorProto.FLOAT, None)])
    for count in (1 << 31, HUGE, 0, -1):
        whole(f"40 a scan of {count} inputs", [helper.make_node("Scan", ["s0"], ["r"], name="it", body=body, num_scan_inputs=count)], None, ["r"], start,
              "num_scan_inputs|inputs", "Scan")
    # Some 44 tera operations: no machine that a test runs on does them in time.
    products = [helper.make_node("MatMul", [f"a{i}", "a0"], [f"a{i + 1}"], name=f"it{i}") for i in range(64)]
    whole("79 a product that takes too long", [helper.make_node("Expand", ["s0", "size"], ["a0"]), *products], None, ["a64"], start | {"size": ints(7000, 7000)}, "deadline", "MatMul")
    whole("46 of different ranks", [helper.make_node("SequenceConstruct", ["a", "b"], ["s"]), helper.make_node("ConcatFromSequence", ["s"], ["r"], axis=1)], None, ["r"],
          {"a": ones(2, 2), "b": ones(2)}, "join|rank|shape", "ConcatFromSequence")


@dataclass
class Filled:
    """An input that the model makes itself, so that neither a feed nor a constant is that large."""

    dims: tuple
    value: object = F(1)


def slow(name, op, inputs, outputs=1, domain="", opset=OPSET, **attributes):
    """One node that would take hours."""
    nodes, feeds, names, ports = [], {}, [], []
    for k, given in enumerate(inputs):
        names.append("" if given is None else f"x{k}")
        if isinstance(given, Filled):
            feeds[f"d{k}"] = ints(*given.dims)
            nodes.append(helper.make_node("ConstantOfShape", [f"d{k}"], [f"x{k}"], value=numpy_helper.from_array(np.array([given.value]))))
        elif given is not None:
            feeds[f"x{k}"] = np.asarray(given)
    ports = [helper.make_tensor_value_info(n, element(a), a.shape) for n, a in feeds.items()]
    nodes.append(helper.make_node(op, names, [f"y{k}" for k in range(outputs)], domain=domain, name="it", **attributes))
    graph = helper.make_graph(nodes, "slow", ports, [helper.make_empty_tensor_value_info(n) for n in nodes[-1].output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("onnxrun", 1),
                                                    helper.make_opsetid("ai.onnx.ml", 5)], ir_version=10)
    CASES.append(Refusal(f"88 {name}", model, feeds, "deadline", op, {}, 1))


def endless_nodes():
    """88: single nodes, of kernels that look at the deadline in their innermost loops."""
    long = Filled((1, 1, 20_000_000))
    for op in ("Conv", "ConvTranspose"):
        slow(f"{op} with a long filter", op, [long, Filled((1, 1, 10_000_000))])
    slow("Conv with four long filters", "Conv", [long, Filled((4, 1, 10_000_000))])
    slow("Conv of float64", "Conv", [Filled((1, 1, 20_000_000), np.float64(1)), Filled((1, 1, 10_000_000), np.float64(1))])
    slow("ConvInteger with a long filter", "ConvInteger", [Filled((1, 1, 20_000_000), np.uint8(1)), Filled((1, 1, 10_000_000), np.uint8(1))])
    slow("CausalConvWithState", "CausalConvWithState", [Filled((1, 1, 10_000_000)), Filled((1, 1, 1_000_000))], outputs=2, opset=27)
    for op, attributes, outputs in (("MaxPool", {}, 1), ("MaxPool", {}, 2), ("AveragePool", {}, 1), ("LpPool", {"p": 3}, 1)):
        slow(f"{op} by large windows, {outputs} outputs", op, [Filled((1, 1, 6000, 6000))], outputs=outputs, kernel_shape=[3000, 3000], **attributes)
    slow("MaxpoolWithMask by large windows", "MaxpoolWithMask", [Filled((1, 1, 6000, 6000)), Filled((1, 1, 6000, 6000), np.int32(1))], domain="com.microsoft",
         kernel_shape=[3000, 3000])
    slow("windows beside the image", "MaxpoolWithMask", [Filled((1, 1, 1000, 1000, 1)), Filled((1, 1, 1000, 1000, 1), np.int32(1))], domain="com.microsoft",
         kernel_shape=[1000, 1000, 1], pads=[0, 0, 20000, 0, 0, 20000])
    slow("blocks as large as the image", "Col2Im", [Filled((1, 10_000_000, 1)), ints(10_000_000), ints(10_000_000)])
    slow("samples along ten axes", "GridSample", [Filled((1, 100_000) + (1,) * 10), Filled((1,) * 10 + (100, 10), F(0.1))], mode="cubic")
    slow("a region of many samples", "RoiAlign", [ones(1, 1, 4, 4), np.array([[0, 0, 3e9, 3e9]], F), ints(0)], output_height=9, output_width=9)
    slow("draws from many classes", "Multinomial", [Filled((1, 10_000_000), F(0))], sample_size=1_000_000)
    slow("a product of six arrays", "Einsum", [Filled((2000, 2000))] * 6, equation="ab,ac,ad,bc,bd,cd->")
    slow("a determinant", "Det", [np.float32(np.arange(49_000_000) % 1009).reshape(7000, 7000)])
    slow("boxes that one box hides", "NonMaxSuppression", [np.tile(np.array([[[0, 0, 1, 1]]], F), (1, 1000, 1)), Filled((1, 200_000, 1000)),
                                                               ints(1 << 40)[0], F(1), F(0)])
    slow("n-grams with gaps", "TfIdfVectorizer", [Filled((1_000_000,), I(1))], mode="TF", min_gram_length=1, max_gram_length=2, max_skip_count=HUGE,
         ngram_counts=[0, 0], ngram_indexes=[0], pool_int64s=[1, 1])
    slow("tokens that repeat", "NGramRepeatBlock", [Filled((1, 2_000_000), I(0)), Filled((1, 5))], domain="com.microsoft", ngram_size=1_000_000)
    slow("tokens that match", "BifurcationDetector", [Filled((300_000,), I(0))] * 2 + [ints(0)], outputs=2, domain="com.microsoft",
         min_ngram_size=1, max_ngram_size=HUGE)
    slow("an expression that looks ahead", "Tokenizer", [np.array(["a" * 3_000_000], object)], domain="com.microsoft", mark=0, mincharnum=1,
         pad_value="#", tokenexp="a.*b|a")
    classes = 2500
    pairs = classes * (classes - 1) // 2
    scale = np.linspace(-3, 3, pairs, dtype=F).tolist()
    slow("probabilities of many classes", "SVMClassifier", [Filled((2000, 1))], outputs=2, domain="ai.onnx.ml", kernel_type="LINEAR", post_transform="NONE",
         classlabels_ints=list(range(classes)), vectors_per_class=[1] * classes, support_vectors=[1.0] * classes,
         coefficients=[0.5] * (classes * (classes - 1)), rho=scale, prob_a=scale, prob_b=[0.1] * pairs)
    slow("bins of a region as tall as its image", "MaxRoiPool", [Filled((1, 1, 200_000, 1)), np.array([[0, 0, 0, 0, 1e9]], F)], pooled_shape=[1, 200_000])
    slow("n-grams of 2^40 sequences without tokens", "NGramHashMapping", [Filled((1 << 40, 0), I(0)), ints(1, 1), ints(1)], domain="com.microsoft",
         max_ngram_size=2, n_head_per_ngram=1, pad_id=0)
    slow("windows far wider than a column", "MaxPool", [Filled((1, 1, 40_000_000, 1))], kernel_shape=[1, 65536], pads=[0, 65535, 0, 65535], strides=[1, 65535])
    tall = {"kernel_shape": [1, 2147483647], "pads": [0, 2147483646, 0, 0], "strides": [1, 1073741824]}
    square, large = {"kernel_shape": [501, 501], "pads": [250] * 4}, {"kernel_shape": [1024, 1024], "pads": [1023] * 4, "strides": [1024, 1024]}
    for name, x, attributes in (("columns of two thousand million bytes", np.ones((1, 1, 100, 1, 8), np.uint8), tall),
                                ("columns of two thousand million floats", ones(1, 1, 100, 1, 8), tall), ("501 by 501", ones(1, 1, 1001, 1001, 8), square),
                                ("a million for each of a million planes", ones(1_000_000, 1, 1, 1, 8), large)):
        one(f"88 windows on blocks, {name}", "BlockedMaxPool", [x], "deadline", domain="onnxrun", constants=False, declared=True, **attributes)
        CASES[-1].seconds = 1
    for op, attributes in (("Normalizer", {"norm": "L2"}), ("Scaler", {"offset": [1.0], "scale": [2.0]})):
        one(f"75 rows of 2^60 columns, none of them, for {op}", op, [np.zeros((0, 1 << 60), F)], "", domain="ai.onnx.ml", constants=False, **attributes)
    one("75 nothing, many times, for FeatureVectorizer", "FeatureVectorizer", [np.zeros((1 << 40, 0), F)], "", domain="ai.onnx.ml", constants=False,
        inputdimensions=[0])
    slow("interpolation along thirty axes", "Resize", [ones(*[1] * 30), None, np.full(30, 1.5, F)], mode="linear")
    expression = "|".join("[ab]*a[ab]{%d}" % (1000 - i) for i in range(100))
    one("88 an expression of many instructions", "RegexFullMatch", [np.array(["ab" * 150_000], object)], "steps", constants=False, pattern=expression)
    one("88 separators of many instructions", "Tokenizer", [np.array(["ab" * 150_000], object)], "steps", domain="com.microsoft", constants=False, mark=0,
        mincharnum=1, pad_value="#", tokenexp=expression)
    shapes = [helper.make_node("Reshape", [f"x{i}", f"s{i % 2}"], [f"x{i + 1}"], name=f"it{i}") for i in range(6000)]
    sizes = [helper.make_node("Constant", [], [f"s{i}"], value_ints=[2 + i, 3 - i]) for i in range(2)]
    whole("88 a chain of six thousand nodes that become one", sizes + shapes, None, ["x6000"], {"x0": ones(6)}, "", "Reshape")
    CASES[-1].checked = False
    none = np.zeros(0, F)
    one("75 nothing, many times, for Unique", "Unique", [none.reshape(1 << 40, 3, 0)], "", constants=False, axis=1)
    rows, places = none.reshape(1 << 40, 0), np.zeros((1 << 40, 0), I)
    many = {"CumSum": [rows, I(1)], "Trilu": [none.reshape(1 << 20, 1 << 20, 0)], "LinearAttention": [none.reshape(2, 1 << 40, 0)] * 3,
            "LayerNormalization": [rows, none], "RMSNormalization": [rows, none], "GatherND": [rows[:1], places], "ScatterND": [rows[:1], places, none.reshape(1 << 40, 1, 0)],
            "NonMaxSuppression": [none.reshape(1 << 40, 0, 4), none.reshape(1 << 40, 1, 0), I(9)],
            "Gemm": [rows, none.reshape(0, 0), ones(1)], "Unique": [none.reshape(0, 1 << 40)], "MatMul": [rows, none.reshape(0, 0)], "LpNormalization": [rows],
            "MeanVarianceNormalization": [none.reshape(1, 1 << 40, 0, 0)], "GatherElements": [rows, places], "ScatterElements": [rows, places, rows],
            "TensorScatter": [none.reshape(1 << 40, 1, 4, 0), none.reshape(1 << 40, 1, 1, 0)], "Attention": [none.reshape(1 << 40, 1, 0, 4)] * 3,
            "NGramRepeatBlock": [places, rows], "QLinearConcat": [F(1), np.uint8(0), none.reshape(1 << 40, 3, 0).astype(np.uint8), F(1), np.uint8(0)]}
    for op, inputs in many.items():
        attributes = {"LinearAttention": {"q_num_heads": 1, "kv_num_heads": 1, "update_rule": "linear"}, "NGramRepeatBlock": {"ngram_size": 2}, "QLinearConcat": {"axis": 1}}.get(op, {})
        domain = "com.microsoft" if op in ("NGramRepeatBlock", "QLinearConcat") else ""
        for kernels in ("fastest", "reference"):
            one(f"75 nothing, many times, for {op} by {kernels} kernels", op, inputs, "", domain=domain, opset=27, constants=False, settings={"kernels": kernels}, **attributes)
    for op in ("BlockedAveragePool", "BlockedMaxPool"):
        for block in (8, 16):
            one(f"75 a window wider than its image for {op} in blocks of {block}", op, [ones(2, 1, 3, 1, block)], "", domain="onnxrun", declared=True,
                kernel_shape=[1, 2])


def text():
    """89: text of strings, which is as much memory as numbers are."""
    little = {"max_memory": 32 << 20}
    word, bound = np.array(["a" * (1 << 20)], object), LIMIT
    many = ints(4000)
    for name, op, inputs, attributes in (
            ("expanded", "Expand", [word, many], {}), ("tiled", "Tile", [word, many], {}), ("gathered", "Gather", [word, np.zeros(4000, I)], {}),
            ("chosen", "Where", [np.ones(4000, bool), word, word], {}), ("of one-hot values", "OneHot", [np.zeros(4000, I), I(2), np.repeat(word, 2)], {}),
            ("as padding", "Pad", [np.array(["b"], object), ints(0, 4000), word[0]], {}),
            ("by elements", "GatherElements", [word, np.zeros(4000, I)], {}), ("by tuples", "GatherND", [word, np.zeros((4000, 1), I)], {}),
            ("joined end to end", "StringConcat", [np.repeat(word, 8).reshape(8, 1), np.repeat(word, 8)], {})):
        one(f"89 text that is {name}", op, inputs, bound, constants=False, settings=little, **attributes)
    one("89 labels", "LabelEncoder", [np.zeros(4000, I)], bound, domain="ai.onnx.ml", constants=False, settings=little, keys_int64s=[1], values_strings=["x"],
        default_string=word[0])
    one("89 padding of tokens", "Tokenizer", [np.array(["a" * 5000, "b"], object)], bound, domain="com.microsoft", constants=False, settings=little, mark=0,
        mincharnum=1, pad_value=word[0], tokenexp=".")
    one("89 parts of text", "StringSplit", [np.array(["a " * 4_000_000], object)], bound, constants=False, outputs=2, settings=little)
    one("89 a long separator", "StringSplit", [np.array(["a" * 4_000_000] * 2, object)], "", constants=False, outputs=2, delimiter="a" * 2_000_000 + "b")
    whole("89 text that is joined", [helper.make_node("Concat", ["w"] * 100, ["r"], axis=0, name="it")], None, ["r"], {"w": word}, bound, "Concat", little)
    doubles = [helper.make_node("StringConcat", [f"s{i}", f"s{i}"], [f"s{i + 1}"], name=f"it{i}") for i in range(40)]
    whole("89 text that doubles", doubles, None, ["s40"], {"s0": np.array(["abcdefgh"], object)}, bound, "StringConcat", little)
    kept = helper.make_graph([helper.make_node("Identity", ["c"], ["keep"]), helper.make_node("Identity", ["w"], ["t"])], "body",
                             [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, [])],
                             [info("keep", TensorProto.BOOL, []), info("t", TensorProto.STRING, [1])])
    whole("89 text of every iteration", [helper.make_node("Loop", ["M", "go"], ["r"], name="it", body=kept)], None, ["r"],
          {"M": I(4000), "go": np.bool_(True), "w": word}, bound, "Loop", little)


def lists():
    """90: lists that kernels and sequences make of sizes, where the tensors have no elements."""
    little = {"max_memory": 32 << 20}
    many, none = 1 << 31, np.zeros(0, F)
    one("90 tables of a resize to nothing", "Resize", [ones(1, 1, 4, 0), None, None, ints(1, 1, many, 0)], "", mode="linear", settings=little)
    one("90 scores of 10^8 targets", "TreeEnsembleRegressor", [none.reshape(0, 3)], LIMIT, domain="ai.onnx.ml", constants=False, settings=little, n_targets=10**8,
        nodes_treeids=[0], nodes_nodeids=[0], nodes_modes=["LEAF"], nodes_featureids=[0], nodes_values=[0.0], nodes_truenodeids=[0], nodes_falsenodeids=[0],
        nodes_hitrates=[1.0], nodes_missing_value_tracks_true=[0], target_treeids=[0], target_nodeids=[0], target_ids=[0], target_weights=[1.0])
    one("90 products of no rows", "MatMul", [none.reshape(1 << 26, 0, 4), ones(1, 4, 4)], LIMIT, constants=False, settings=little)
    nodes = [helper.make_node("ConstantOfShape", ["s"], ["x"]), helper.make_node("Unique", ["x"], ["y"], axis=1)]
    whole("90 keys of slices of nothing", nodes, None, ["y"], {"s": ints(0, 1 << 61)}, LIMIT, "Unique", little)
    one("90 no tokens for 2^31 experts", "MoE", [none.reshape(0, 4), none.reshape(0, many), none.reshape(many, 0, 4), None, none.reshape(many, 4, 0)], "",
        domain="com.microsoft", constants=False, settings=little, k=1)
    numbers = [np.zeros((1, 1_000_000), np.int32), np.zeros((1, 1), np.int32), np.array([1], np.int32), np.array([1], np.int32)]
    one("90 a layout of a million blocks", "SparseAttention", [ones(1, 1, 16)] * 3 + [ones(1, 1, 16, 16)] * 2 + numbers, LIMIT, outputs=3, domain="com.microsoft",
        constants=False, settings=little, num_heads=1, kv_num_heads=1, sparse_block_size=16)
    one("90 scales of no rows", "Scaler", [none.reshape(0, 1 << 27)], "", domain="ai.onnx.ml", constants=False, settings=little, offset=[1.0], scale=[2.0])
    one("90 scores of no rows", "LinearRegressor", [none.reshape(0, 0)], "", domain="ai.onnx.ml", constants=False, settings=little, targets=1 << 28)
    classes = 1500
    pairs = [1.0] * (classes * (classes - 1) // 2)
    one("90 pairs of many classes", "SVMClassifier", [ones(1, 1)], LIMIT, outputs=2, domain="ai.onnx.ml", constants=False, settings={"max_memory": 32 << 20},
        kernel_type="LINEAR", post_transform="NONE", classlabels_ints=list(range(classes)), vectors_per_class=[1] + [0] * (classes - 1), support_vectors=[1.0],
        coefficients=[0.5] * (classes - 1), rho=pairs, prob_a=pairs, prob_b=pairs)
    one("90 a sequence of 2^31 empty tensors", "SplitToSequence", [none.reshape(many, 0)], LIMIT, constants=False, settings=little)
    for mask in ((0, 1, 1, 1), (1, 0, 1, 1)):
        one(f"90 masks {mask}", "MaxpoolWithMask", [ones(1, 1, 1, 1), np.zeros(mask, np.int32)], "mask", domain="com.microsoft", constants=False,
            kernel_shape=[1, 1])


def shapes():
    """90: tables of kernels that are bound for one shape after the other."""
    many, word, text, number = 50_000, np.array(["q"], object), np.array([format(3**1000, "b").translate({48: "a", 49: "b"})], object), ints(1)
    expression = "[ab]*a[ab]{300}"  # each character leads to another state of its cache
    names, zeros = [str(i) for i in range(many)], [0] * many
    for op, domain, start, attributes in (
            ("StringNormalizer", "", word, {"stopwords": names}),
            ("TfIdfVectorizer", "", number, {"mode": "TF", "min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0, "ngram_counts": [0],
                                             "ngram_indexes": zeros, "pool_int64s": list(range(many))}),
            ("LabelEncoder", "ai.onnx.ml", number, {"keys_int64s": list(range(many)), "values_strings": [""] * many}),
            ("CategoryMapper", "ai.onnx.ml", word, {"cats_int64s": list(range(many)), "cats_strings": names}),
            ("RegexFullMatch", "", text, {"pattern": expression}),
            ("Tokenizer", "com.microsoft", text, {"mark": 0, "mincharnum": 1, "pad_value": "#", "tokenexp": expression})):
        nodes = [helper.make_node("Identity", ["c"], ["keep"]), helper.make_node("Concat", ["s", "s0"], ["t"], axis=0),
                 helper.make_node(op, ["s"], ["u"], domain=domain, **attributes), helper.make_node("Size", ["u"], ["z"])]
        if element(start) == TensorProto.STRING or op == "LabelEncoder":  # else Size needs no more than the shape
            nodes[3:] = [helper.make_node("Unique", ["u"], ["v"]), helper.make_node("Size", ["v"], ["z"])]
        kind = element(start)
        body = helper.make_graph(nodes, "body", [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, []), info("s", kind, None)],
                                 [info("keep", TensorProto.BOOL, []), info("t", kind, None), info("z", TensorProto.INT64, None)])
        rounds = [numpy_helper.from_array(np.int64(60), "M"), numpy_helper.from_array(np.bool_(True), "go")]
        graph = helper.make_graph([helper.make_node("Loop", ["M", "go", "s0"], ["r", "q"], body=body)], "shapes", [info("s0", kind, start.shape)],
                                  [helper.make_empty_tensor_value_info("q")], rounds)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 1 if op == "CategoryMapper" else 5), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        CASES.append(Refusal(f"90 tables for each of many shapes, {op}", model, {"s0": start}, "", op, {"max_plans": 8 << 20}, most=32 << 20))


def functions():
    """91: much of a small file, by calling a function again and again."""
    little = {"max_memory": 32 << 20, "timeout": 20}
    long, opsets = "n" * (1 << 18), [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 5)]
    encoder = helper.make_node("LabelEncoder", ["a"], ["b"], domain="ai.onnx.ml", keys_int64s=list(range(100_000)), values_int64s=list(range(100_000)))
    for name, body, kind in (("names", [helper.make_node("Relu", ["a"], [long]), helper.make_node("Relu", [long], ["b"])], F),
                             ("notes", [helper.make_node("Relu", ["a"], ["b"], doc_string=long)], F), ("attributes", [encoder], I)):
        function = helper.make_function("f", "f", ["a"], ["b"], body, opsets)
        calls = [helper.make_node("f", ["x"], [f"y{k}"], domain="f") for k in range(4000)]
        graph = helper.make_graph(calls, "calls", [info("x", element(np.zeros(1, kind)), [1])], [helper.make_empty_tensor_value_info("y0")])
        model = helper.make_model(graph, functions=[function], opset_imports=[*opsets, helper.make_opsetid("f", 1)], ir_version=10)
        CASES.append(Refusal(f"91 {name} of a function", model, {"x": np.ones(1, kind)}, LIMIT, body[0].op_type, little))
    function = helper.make_function("f", "f", [f"a{k}" for k in range(300_000)], ["b"], [helper.make_node("Relu", ["a0"], ["b"])], opsets)
    calls = [helper.make_node("f", ["x"], [f"y{k}"], domain="f") for k in range(4000)]
    graph = helper.make_graph(calls, "calls", [info("x", TensorProto.FLOAT, [1])], [helper.make_empty_tensor_value_info("y0")])
    model = helper.make_model(graph, functions=[function], opset_imports=[*opsets, helper.make_opsetid("f", 1)], ir_version=10)
    CASES.append(Refusal("91 inputs of a function", model, {"x": ones(1)}, "time", "time", {"timeout": 2}))


def many_nodes():
    """94: thousands of nodes that a pass weighs together."""
    x = info("x", TensorProto.FLOAT, [1, 16, 4, 4])
    convs = [helper.make_node("Conv", ["x", f"w{k}"], [f"y{k}"], name="it", kernel_shape=[1, 1]) for k in range(2000)]
    weights = [helper.make_node("Constant", [], [f"w{k}"], value=numpy_helper.from_array(np.full((16, 16, 1, 1), k, F))) for k in range(2000)]
    outputs = [f"y{k}" for k in range(2000)]
    whole("94 convolutions of one value", weights + convs, [x], outputs, {"x": ones(1, 16, 4, 4)}, "", "Conv", {"timeout": 10})
    CASES[-1].checked = False
    half = info("x", TensorProto.FLOAT16, [4, 4])
    product = [helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(np.ones((4, 4), np.float16))), helper.make_node("MatMul", ["x", "w"], ["x0"], name="it")]
    chain = [helper.make_node(("Neg", "Sin", "Sqrt")[k % 3], [f"x{k}"], [f"x{k + 1}"]) for k in range(50_000)]
    readers = [helper.make_node("Pow", ["x0", "x"], [f"x{k + 1}"]) for k in range(20_000)]
    for name, nodes, outputs in (("a chain", chain, ["x50000"]), ("readers of one value", readers, [f"x{k + 1}" for k in range(20_000)])):
        whole(f"94 {name} of float16", product + nodes, [half], outputs, {"x": np.ones((4, 4), np.float16)}, "", "MatMul", {"timeout": 15})
        CASES[-1].checked, CASES[-1].seconds = False, 15


def prepare(path):
    def make():
        library = Library(path)

        def work(case):
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            before = memory("VmRSS")
            try:
                settings = {"max_memory": MEMORY, "threads": 2, "level": case["level"]} | case["settings"]
                library.run(case["model"], case["feeds"], settings, timeout=case["seconds"])
                message = None
            except RunError as error:
                message = str(error)
            except MemoryError:
                message = "out of memory in Python"
            return message, memory("VmHWM") - before

        return work

    return make


def memory(key):
    for line in open("/proc/self/status"):
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return 0


def wrong(case, message, grown):
    """What is not as expected, or None."""
    if not case.expect:
        if message is None and 0 < case.most < grown:
            return f"takes {grown >> 20} MiB"
        return message and f"must run: {message}"
    if message is None:
        return "ran"
    text = " ".join(message.split())
    if "internal error" in text:
        return text
    if case.op not in text and "deadline" not in text:
        return f"does not name {case.op}: {text}"
    if not re.search(case.expect, text):
        return f"does not say {case.expect!r}: {text}"
    patient = case.name.startswith(("76", "77", "78", "79", "88"))  # these take memory before they stop
    return f"costs {grown >> 20} MiB: {text}" if grown > 64 << 20 and not patient else None


def main():
    arguments = argparse.ArgumentParser(description="Try models that must be refused.")
    arguments.add_argument("--library", type=Path, default=ROOT / "build/release/lib/libonnxrun.so")
    arguments.add_argument("--filter", default="", metavar="REGEX")
    arguments.add_argument("--unlimited", action="store_true", help="no limit of addresses and cost, as sanitizers need it")
    options = arguments.parse_args()
    for group in (allocations, lookups, windows, arithmetic, learned, searches, caches, types, nothing, endless, endless_nodes, text, lists, shapes, functions, many_nodes):
        group()
    sandbox = Sandbox(prepare(options.library), 0 if options.unlimited else 6 << 30, 60 if options.unlimited else 20)
    failed = count = 0
    for case in CASES:
        if not re.search(options.filter, case.name) or (options.unlimited and not case.checked):
            continue
        for level in (0, 3):
            count += 1
            job = {"model": case.model.SerializeToString(), "feeds": case.feeds, "settings": case.settings, "seconds": case.seconds, "level": level}
            if case.most:
                sandbox.stop()  # a new child has no memory of earlier runs to use
            problem, result = sandbox(job)
            if problem is None:
                problem = wrong(case, result[0], 0 if options.unlimited else result[1])
            if problem:
                failed += 1
                print(f"{case.name} ({case.op}, level {level}): {problem[:400]}", flush=True)
    sandbox.stop()
    print(f"{count} runs of {len(CASES)} cases, {failed} failed")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())

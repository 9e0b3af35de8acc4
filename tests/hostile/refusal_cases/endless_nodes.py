"""88: single nodes, of kernels that look at the deadline in their innermost loops."""

from dataclasses import dataclass

import numpy as np
from onnx import helper, numpy_helper

from refusal_cases.building import CASES, F, HUGE, I, OPSET, Refusal, element, ints, one, ones, whole


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


def add():
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

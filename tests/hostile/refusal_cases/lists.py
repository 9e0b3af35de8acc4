"""90: lists that kernels and sequences make of sizes, where the tensors have no elements."""

import numpy as np
from onnx import helper, numpy_helper

from refusal_cases.building import CASES, F, LIMIT, ints, one, ones, whole


def add():
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
    text = np.array([format(3**4000, "b").translate({48: "a", 49: "b"}) * 2], object)  # each character leads to another state of a cache
    nodes = [helper.make_node("RegexFullMatch", ["x"], [f"y{i}"], pattern="[ab]*a[ab]{%d}" % (300 + i)) for i in range(40)]
    whole("90 caches of forty expressions", nodes, None, [f"y{i}" for i in range(40)], {"x": text}, "", "RegexFullMatch", {"max_memory": 16 << 20})
    CASES[-1].most = 40 << 20
    one("90 classes of characters by the thousand", "RegexFullMatch", [np.array(["a"], object)], LIMIT, settings=little, pattern=r"\pL" * 20_000)
    one("88 an expression that takes minutes to compile", "RegexFullMatch", [np.array(["a"], object)], "too long", pattern=r"\pL" * 1_000_000)
    one("88 separators that take minutes to compile", "Tokenizer", [np.array(["a"], object)], "too long", domain="com.microsoft", mark=0, mincharnum=1,
        pad_value="#", separators=[r"\pL|" * 5000 + str(i) for i in range(100)])
    half = lambda *shape: numpy_helper.from_array(np.ones(shape, np.float16))  # noqa: E731
    nodes = [helper.make_node("Constant", [], [name], value=value) for name, value in (("w", half(1, 3 * 512, 2048)), ("r", half(1, 3 * 512, 512)))]
    whole("90 copies of narrow weights in float32", [*nodes, helper.make_node("GRU", ["x", "w", "r"], ["y"], hidden_size=512, name="it")], None, ["y"],
          {"x": np.ones((1, 1, 2048), np.float16)}, LIMIT, "GRU", {"max_memory": 24 << 20})
    weights = helper.make_node("Constant", [], ["w"], value=half(1024, 4096))
    whole("90 a copy of a narrow matrix in float32", [weights, helper.make_node("MatMul", ["x", "w"], ["y"], name="it")], None, ["y"],
          {"x": np.ones((1, 1024), np.float16)}, LIMIT, "MatMul", {"max_memory": 30 << 20})
    classes = 1500
    pairs = [1.0] * (classes * (classes - 1) // 2)
    one("90 pairs of many classes", "SVMClassifier", [ones(1, 1)], LIMIT, outputs=2, domain="ai.onnx.ml", constants=False, settings={"max_memory": 32 << 20},
        kernel_type="LINEAR", post_transform="NONE", classlabels_ints=list(range(classes)), vectors_per_class=[1] + [0] * (classes - 1), support_vectors=[1.0],
        coefficients=[0.5] * (classes - 1), rho=pairs, prob_a=pairs, prob_b=pairs)
    one("90 a sequence of 2^31 empty tensors", "SplitToSequence", [none.reshape(many, 0)], LIMIT, constants=False, settings=little)
    for mask in ((0, 1, 1, 1), (1, 0, 1, 1)):
        one(f"90 masks {mask}", "MaxpoolWithMask", [ones(1, 1, 1, 1), np.zeros(mask, np.int32)], "mask", domain="com.microsoft", constants=False,
            kernel_shape=[1, 1])

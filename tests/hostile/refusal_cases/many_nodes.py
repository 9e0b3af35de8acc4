"""94: thousands of nodes that a pass weighs together."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from refusal_cases.building import CASES, F, info, ones, whole


def add():
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

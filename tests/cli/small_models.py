"""Small models that several tests of the command line take."""

import onnx_bytes as ob


def chain():
    """y = Relu(Dropout(x @ w) + b); beside it s, the sum over all."""
    nodes = [ob.node("MatMul", ["x", "w"], ["p"], "product"), ob.node("Dropout", ["p"], ["d"], "drop"), ob.node("Add", ["d", "b"], ["h"], "shift"),
             ob.node("Relu", ["h"], ["y"], "act"), ob.node("ReduceSum", ["h"], ["s"], "total")]
    weights = [ob.tensor([1, 2, 3, 4], [2, 2], name="w"), ob.tensor([-5, 1], [2], name="b")]
    return ob.model(nodes, [ob.value_info("x", ["n", 2])], [ob.value_info("y", ["n", 2]), ob.value_info("s", [1, 1])], weights)


def rounding():
    """A layer normalisation spelt out between other nodes, which fused rounds differently."""
    last = ob.data(5, ob.data(1, "axes") + ob.number(8, -1) + ob.number(20, 7))
    nodes = [ob.node("Sin", ["x"], ["a"]), ob.node("ReduceMean", ["a"], ["m"], "mean") + last, ob.node("Sub", ["a", "m"], ["c"]), ob.node("Pow", ["c", "two"], ["q"]),
             ob.node("ReduceMean", ["q"], ["v"], "variance") + last, ob.node("Add", ["v", "eps"], ["e"]), ob.node("Sqrt", ["e"], ["r"]), ob.node("Div", ["c", "r"], ["n"]),
             ob.node("Mul", ["n", "scale"], ["s"]), ob.node("Add", ["s", "shift"], ["l"]), ob.node("Cos", ["l"], ["k"]), ob.node("Neg", ["k"], ["y"])]
    weights = [ob.tensor([2], [], name="two"), ob.tensor([1e-5], [], name="eps"), ob.tensor([0.1 * i for i in range(37)], [37], name="scale"),
               ob.tensor([0.3 * i for i in range(37)], [37], name="shift")]
    return ob.model(nodes, [ob.value_info("x", [8, 37])], [ob.value_info("y", [8, 37])], weights)

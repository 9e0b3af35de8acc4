"""Sizes at which the faster kernels take over, with tails that fill no vector."""

import numpy as np
from cases import Case, is_float, operator
from families.network import convolution, wide
from families.pools import pooled
from families.reduction import softmax


@operator("MatMul")
def matmul(g):
    for dtype in [t for t in g.types() if np.dtype(t).name in ("float32", "float64", "float16", "bfloat16", "int32")]:
        for a, b in [((65, 130), (130, 67)), ((1, 300), (300, 129)), ((3, 33, 65), (3, 65, 31)), ((129, 17), (17, 1)), ((2, 3, 20, 64), (64, 48))]:
            low = -1 if is_float(dtype) else -50
            yield Case([g.array(dtype, a, low, -low), g.array(dtype, b, low, -low)], expect=lambda x, y: np.matmul(wide(x), wide(y)).astype(x.dtype), rtol=2e-5, atol=2e-5,
                       magnitude=4, constants=g.pick([set(), {1}]))


@operator("Conv")
def conv(g):
    for dtype in g.types():
        for channels, filters, kernel, groups, extra in [(32, 48, 3, 1, {"pads": [1, 1, 1, 1]}), (17, 33, 1, 1, {}), (24, 24, 3, 24, {"pads": [1, 1, 1, 1]}), (3, 16, 7, 1, {"strides": [2, 2], "pads": [3, 3, 3, 3]}),
                                                         (16, 32, 3, 4, {"strides": [2, 2], "dilations": [2, 2]}), (64, 64, 1, 1, {"strides": [2, 2]})]:
            x, w = g.array(dtype, (1, channels, 19, 23), -1, 1), g.array(dtype, (filters, channels // groups, kernel, kernel), -1, 1)
            bias = g.array(dtype, (filters,), -1, 1) if g.chance() else None
            plan = (extra.get("strides", [1, 1]), extra.get("pads", [0] * 4), extra.get("dilations", [1, 1]), groups)

            def expect(x, w, b=None, plan=plan):
                total = convolution(wide(x), wide(w), *plan)
                return (total if b is None else total + wide(b).reshape(1, -1, 1, 1)).astype(x.dtype)

            yield Case([x, w, bias], {"group": groups, **extra}, expect=expect, rtol=2e-5, atol=2e-5, magnitude=8, constants=g.pick([{1, 2}, set()]))


@operator("ConvInteger", "MatMulInteger")
def integers(g):
    for left in g.types(0):
        for right in g.types(1):
            if g.op == "MatMulInteger":
                yield Case([g.array(left, (33, 130), -128, 255), g.array(right, (130, 67), -128, 255), g.array(left, (), -9, 9)],
                           expect=lambda x, y, z: np.matmul(x.astype(np.int64) - int(z), y.astype(np.int64)).astype(np.int32), constants=g.pick([{1, 2}, set()]))
            else:
                yield Case([g.array(left, (1, 33, 11, 13), -128, 255), g.array(right, (40, 33, 3, 3), -128, 255), g.array(left, (), -9, 9)],
                           expect=lambda x, w, z: convolution(x.astype(np.int64) - int(z), w.astype(np.int64), [1, 1], [0] * 4, [1, 1], 1).astype(np.int32),
                           constants=g.pick([{1, 2}, set()]))


@operator("MaxPool", "AveragePool")
def pools(g):
    for dtype in g.types():
        attributes = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}
        yield Case([g.array(dtype, (1, 18, 15, 33), -9, 9)], attributes,
                   expect=lambda x, a=attributes: (lambda y: y[0] if isinstance(y, tuple) else y)(pooled(g.op, x, a, [3, 3], [2, 2], [1] * 4, [1, 1])), rtol=2e-5, atol=2e-5)


@operator("Softmax", "LayerNormalization", "ReduceSum", "ReduceMax", "ReduceMean")
def rows(g):
    for dtype in [t for t in g.types() if is_float(t)]:
        for shape in [(5, 1003), (1, 257), (300, 7)]:
            x = g.array(dtype, shape)
            if g.op == "Softmax":
                yield Case([x], {"axis": 1}, expect=lambda x: softmax(wide(x), 1).astype(x.dtype))
            elif g.op == "LayerNormalization":
                yield Case([x, g.array(dtype, shape[1:])], {"axis": 1}, expect=lambda x, s: (
                    (wide(x) - wide(x).mean(1, keepdims=True)) / np.sqrt(wide(x).var(1, keepdims=True) + np.float32(1e-5)) * wide(s)).astype(x.dtype), rtol=5e-5, atol=5e-5, magnitude=4)
            else:
                function = {"ReduceSum": np.sum, "ReduceMax": np.max, "ReduceMean": np.mean}[g.op]
                axes = np.array([1]) if len(g.schema.inputs) > 1 else None
                yield Case([x] + ([] if axes is None else [axes]), {"keepdims": 0, **({"axes": [1]} if axes is None else {})},
                           expect=lambda x, _=None, f=function: f(wide(x), 1).astype(x.dtype), rtol=2e-5, atol=2e-5, magnitude=30)


@operator("Transpose", "Add", "Mul", "Where", "Relu", "Exp", "Tanh", "Gather", "Concat", "Cast")
def many(g):
    x = g.array(np.float32, (3, 67, 129))
    if g.op == "Transpose":
        for perm in ([0, 2, 1], [2, 0, 1], [1, 2, 0], [2, 1, 0]):
            for dtype in (np.float32, np.uint8, np.int64, np.float16):
                if np.dtype(dtype) in g.types():
                    yield Case([g.array(dtype, (3, 67, 129), 0, 99)], {"perm": perm}, expect=lambda x, p=perm: np.transpose(x, p))
    elif g.op in ("Add", "Mul"):
        function = np.add if g.op == "Add" else np.multiply
        if g.version >= 7:
            for shape in [(129,), (67, 1), (3, 1, 1), (1, 67, 129), ()]:
                yield Case([x, g.array(np.float32, shape)], expect=function)
    elif g.op == "Where":
        yield Case([g.array(bool, (67, 129)), x, g.array(np.float32, (3, 1, 1))], expect=np.where)
    elif g.op == "Gather":
        yield Case([x, g.rng.integers(0, 67, (5, 40))], {"axis": 1}, expect=lambda x, i: np.take(x, i, 1))
    elif g.op == "Concat":
        yield Case([x, x, x], {"axis": 2}, expect=lambda *x: np.concatenate(x, 2))
    elif g.op == "Cast":
        if g.version >= 6:
            for target in (np.float16, np.int8, np.float64, np.uint8):
                y = np.abs(x) if target == np.uint8 else x
                yield Case([y], {"to": {np.float16: 10, np.int8: 3, np.float64: 11, np.uint8: 2}[target]}, expect=lambda x, t=target: x.astype(t))
    else:
        function = {"Relu": lambda x: np.maximum(x, 0), "Exp": np.exp, "Tanh": np.tanh}[g.op]
        yield Case([x], expect=lambda x, f=function: f(wide(x)).astype(x.dtype), rtol=2e-6)

"""Cases of operators that work element by element, move elements or pool."""

import itertools

import ml_dtypes
import numpy as np
from onnx import TensorProto

from cases import Case

F = np.float32


def cases(seed):
    rng = np.random.default_rng(seed)
    result = []
    for kind in (np.uint8, np.int8):
        info = np.iinfo(kind)

        def draw(*shape):
            return rng.integers(info.min, info.max + 1, shape).astype(kind)

        def zero():
            return np.array(rng.integers(info.min, info.max + 1), kind)

        def scale(low=0.01, high=0.1):
            return np.array(rng.uniform(low, high), F)

        name = np.dtype(kind).name
        for op in ("QLinearAdd", "QLinearMul"):
            for a, b in (((3, 700), (3, 700)), ((2, 3, 5), (5,)), ((4, 1), (1, 6)), ((1, 300), ()), ((), ()), ((0, 3), (3,)), ((7, 1, 2), (7, 5, 2))):
                for _ in range(2):
                    result.append(Case(op, [draw(*a), scale(), zero(), draw(*b), scale(), zero(), scale(0.02, 1.5), zero()], note=f"{name} {a} {b}", step=1,
                                       levels=a == (3, 700)))
            # ONNX Runtime's own inference fails without zero points.
            a, b, (p, q, r) = draw(4, 5), draw(4, 5), (F(0.03), F(0.04), F(0.11 if op == "QLinearAdd" else 1.3))
            x, y = a * np.float64(p), b * np.float64(q)
            c = np.clip(np.rint((x + y if op == "QLinearAdd" else x * y) / r), info.min, info.max).astype(kind)
            result.append(Case(op, [a, np.array(p), None, b, np.array(q), None, np.array(r), None], note=f"{name} without zero points", expected=[c], step=1))
            result.append(Case(op, [draw(4, 5), (scale(),), (zero(),), (draw(4, 5),), (scale(),), (zero(),), (scale(),), (zero(),)], note=f"{name} constants",
                               step=1))
        everything = np.arange(info.min, info.max + 1).astype(kind)
        for alpha in ({}, {"alpha": 0.3}, {"alpha": -1.5}):
            result.append(Case("QLinearLeakyRelu", [everything, (scale(),), (zero(),), (scale(),), (zero(),)], alpha, note=f"{name} {alpha}", step=0))
        result.append(Case("QLinearLeakyRelu", [everything, scale(), None, scale(), None], note=f"{name} without zero points"))
        for low, high in ((0.01, 0.1), (0.5, 2.0)):
            result.append(Case("QLinearSigmoid", [everything.reshape(4, 64), scale(low, high), zero(), np.array(1 / 255, F), zero()], note=f"{name} {high}", step=1))
        for axis, shape, opset in itertools.product((-1, 0, 1), ((3, 40), (2, 3, 7)), (11, 13)):
            result.append(Case("QLinearSoftmax", [draw(*shape), (scale(),), (zero(),), (np.array(1 / 255, F),), (np.array(info.min, kind),)],
                               {"axis": axis, "opset": opset}, note=f"{name} {shape} axis {axis} opset {opset}", step=1))
        condition = rng.random((3, 4, 5)) < 0.5
        for x, y in (((3, 4, 5), (3, 4, 5)), ((5,), (4, 1)), ((), (3, 1, 1))):
            result.append(Case("QLinearWhere", [condition, draw(*x), scale(), zero(), draw(*y), scale(), zero(), scale(), zero()], note=f"{name} {x} {y}"))
        for axis, shapes in ((1, ((2, 3, 4), (2, 1, 4), (2, 5, 4))), (-1, ((2, 3), (2, 0), (2, 9))), (0, ((4,), (5,)))):
            parts = [part for shape in shapes for part in (draw(*shape), (scale(),), (zero(),))]
            result.append(Case("QLinearConcat", [(scale(),), (zero(),), *parts], {"axis": axis}, note=f"{name} {shapes}"))
        same = [(np.array(0.05, F),), (np.array(3, kind),)]
        result.append(Case("QLinearConcat", [*same, draw(2, 3), *same, draw(2, 4), *same], {"axis": 1}, note=f"{name} one scale"))
        result += pools(name, draw, scale, zero)
        result += linear(name, kind, draw, rng)
    result += quantisation(rng)
    return result


def pools(name, draw, scale, zero):
    result = []
    ends = [(scale(),), (zero(),), (scale(),), (zero(),)]
    for attributes in ({"kernel_shape": [3, 3]}, {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 0, 0, 2]},
                       {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1, "strides": [2, 2]},
                       {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER"}):
        result.append(Case("QLinearAveragePool", [draw(2, 3, 9, 8), *ends], attributes, note=f"{name} {attributes}", step=1))
    result.append(Case("QLinearAveragePool", [draw(2, 9, 8, 3), *ends], {"kernel_shape": [3, 3], "channels_last": 1}, note=f"{name} channels_last", step=1))
    result.append(Case("QLinearGlobalAveragePool", [draw(2, 5, 7, 7), *ends], note=name, step=1))
    result.append(Case("QLinearGlobalAveragePool", [draw(2, 7, 6, 5), *ends], {"channels_last": 1}, note=f"{name} channels_last", step=1))
    result.append(Case("NhwcMaxPool", [draw(2, 9, 8, 3)], {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}, note=name))
    return result


def linear(name, kind, draw, rng):
    """Operators without a kernel in ONNX Runtime, against NumPy."""
    info = np.iinfo(kind)
    x, own, other = draw(2, 3, 40), F(0.05), F(0.07)
    x_zero, y_zero = np.array(7, kind), np.array(3, kind)
    result = []
    for axes, keep in (([1], 0), ([0, -1], 1)):
        mean = ((x.astype(np.int64) - 7) * np.float64(own)).mean(axis=tuple(axes), keepdims=bool(keep))
        y = np.clip(np.rint(mean / other) + 3, info.min, info.max).astype(kind)
        result.append(Case("QLinearReduceMean", [x, np.array(own), x_zero, np.array(other), y_zero], {"axes": axes, "keepdims": keep}, note=f"{name} {axes}",
                           expected=[y], step=1))
        wide = np.int32 if info.min < 0 else np.uint32
        result.append(Case("ReduceSumInteger", [x], {"axes": axes, "keepdims": keep}, note=f"{name} {axes}",
                           expected=[x.astype(wide).sum(axis=tuple(axes), keepdims=bool(keep), dtype=wide)]))
    a, b = draw(3, 4), draw(4)
    result.append(Case("MulInteger", [a, np.array(5, kind), b, np.array(9, kind)], note=name,
                       expected=[((a.astype(np.int32) - 5) * (b.astype(np.int32) - 9)).astype(np.int32)]))
    result.append(Case("MulInteger", [a, None, b, None], note=f"{name} without zero points", expected=[a.astype(np.int32) * b.astype(np.int32)]))
    return result


def quantisation(rng):
    """com.microsoft's QuantizeLinear and DequantizeLinear over all types; what NumPy files cannot hold is cast to int32."""
    result = []
    for kind in (np.int8, np.uint8, np.int16, np.uint16, ml_dtypes.int4, ml_dtypes.uint4):
        name = np.dtype(kind).name
        low, high = (int(ml_dtypes.iinfo(kind).min), int(ml_dtypes.iinfo(kind).max)) if "4" in name else (np.iinfo(kind).min, np.iinfo(kind).max)
        x = (rng.standard_normal((3, 5, 6)) * (high - low) * 0.05).astype(F)
        x.flat[:6] = [0.05, 0.15, 0.25, -0.05, 1e5, -1e5]
        q = rng.integers(low, high + 1, (3, 5, 6)).astype(kind)
        for note, scale, zero, attributes in (("tensor", np.array(0.1, F), np.array(3, kind), {}),
                                              ("axis", rng.uniform(0.05, 0.2, 5).astype(F), rng.integers(low, high + 1, 5).astype(kind), {"axis": 1}),
                                              ("last axis", rng.uniform(0.05, 0.2, 6).astype(F), rng.integers(low, high + 1, 6).astype(kind), {"axis": -1}),
                                              ("without zero point", np.array(0.1, F), None, {})):
            constant = None if zero is None else (zero,)
            if zero is not None or name == "uint8":
                result.append(Case("QuantizeLinear", [x, (scale,), constant], attributes, note=f"{name} {note}", output_type=TensorProto.INT32))
            result.append(Case("DequantizeLinear", [(q,), (scale,), constant], attributes, note=f"{name} {note}", rtol=1e-6))
        half = x.clip(-60000, 60000).astype(np.float16)
        result.append(Case("QuantizeLinear", [half, (np.array(0.125, np.float16),), (np.array(1, kind),)], note=f"{name} float16", output_type=TensorProto.INT32))
    return result

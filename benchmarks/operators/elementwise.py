"""Operators that compute each element by itself."""

import numpy as np
from case import Case, drawn, f32, fixed, tensor_type

SIZES = ((64, 1024), (2048, 2048))
OUTER = ((2048, 1), (1, 257))


def cases():
    for size in SIZES:
        yield from comparisons(size)
        yield from logic(size)
        yield from casts(size)
        yield from choices(size)
        yield from arithmetic(size)
        yield from functions(size)
        yield from quantising(size)
    for dtype in ("float32", "int32", "int64"):
        for op in ("Equal", "Less", "Add", "Mul"):
            yield Case(op, [drawn(dtype, *shape) for shape in OUTER])
    yield Case("And", [drawn("bool", *shape) for shape in OUTER])
    yield Case("Where", [drawn("bool", 8, 1, 256, 256), f32(8, 12, 256, 256), f32(1, low=0, high=1)])
    yield Case("Where", [drawn("bool", 1, 1, 256, 256), f32(8, 12, 256, 256), f32(8, 12, 256, 256)])
    yield Case("Where", [drawn("bool", 64, 1), drawn("int64", 64, 1024), drawn("int64", 1)])
    for op in ("Add", "Sub", "Mul", "Div", "Max", "Pow"):
        yield Case(op, [f32(64, 1024, low=0.5, high=2), f32(1024, low=0.5, high=2)])
    yield Case("Mul", [f32(8, 96, 56, 56), f32(96, 1, 1)])
    yield Case("PRelu", [f32(8, 96, 56, 56), f32(96, 1, 1)])


def comparisons(size):
    for op in ("Equal", "Less", "Greater", "GreaterOrEqual"):
        for dtype in ("float32", "int32", "int64"):
            yield Case(op, [drawn(dtype, *size), drawn(dtype, *size)])
    yield Case("Equal", [drawn("int64", *size), fixed(3)])
    yield Case("Equal", [drawn("bool", *size), drawn("bool", *size)])
    yield Case("Greater", [f32(*size), fixed(0.5, np.float32)])
    yield Case("Less", [drawn("float64", *size), drawn("float64", *size)])
    yield Case("Less", [drawn("float16", *size), drawn("float16", *size)])


def logic(size):
    for op in ("And", "Or", "Xor"):
        yield Case(op, [drawn("bool", *size), drawn("bool", *size)])
    yield Case("Not", [drawn("bool", *size)])
    for op in ("IsNaN", "IsInf"):
        yield Case(op, [f32(*size)])
    yield Case("BitwiseAnd", [drawn("int32", *size), drawn("int32", *size)])
    yield Case("BitShift", [drawn("uint8", *size), drawn("uint8", *size, high=8)], {"direction": "LEFT"})


def casts(size):
    types = ("float32", "float16", "int32", "int64", "uint8", "bool", "float64")
    for source in types:
        for target in types:
            if source != target and not {source, target} <= {"float16", "uint8", "float64"}:
                yield Case("Cast", [drawn(source, *size)], {"to": tensor_type(target)})


def choices(size):
    for dtype in ("float32", "int64", "bool"):
        yield Case("Where", [drawn("bool", *size), drawn(dtype, *size), drawn(dtype, *size)])
    yield Case("Where", [drawn("bool", *size), fixed(-1e9, np.float32), f32(*size)])


def arithmetic(size):
    for dtype in ("float32", "int32", "int64", "float64", "float16"):
        for op in ("Add", "Sub", "Mul", "Div"):
            yield Case(op, [drawn(dtype, *size, low=1, high=100), drawn(dtype, *size, low=1, high=100)])
    for dtype in ("float32", "int32", "int64"):
        yield Case("Min", [drawn(dtype, *size), drawn(dtype, *size)])
        yield Case("Max", [drawn(dtype, *size), drawn(dtype, *size)])
        for op in ("Abs", "Neg", "Sign"):
            yield Case(op, [drawn(dtype, *size, low=-9, high=9)])
        yield Case("Clip", [drawn(dtype, *size), fixed(1, dtype), fixed(50, dtype)])
        yield Case("Relu", [drawn(dtype, *size, low=-9, high=9)])
    yield Case("Mul", [drawn("int64", *size), fixed(3)])
    yield Case("Div", [drawn("int64", *size), fixed(3)])
    yield Case("Div", [drawn("int32", *size), fixed(7, np.int32)])
    yield Case("Mod", [drawn("int64", *size, low=1), drawn("int64", *size, low=1)])
    yield Case("Mod", [drawn("int64", *size, low=1), fixed(7)])
    yield Case("Mod", [f32(*size, low=1, high=9), f32(*size, low=1, high=9)], {"fmod": 1})
    yield Case("Pow", [f32(*size, low=0.1, high=3), f32(*size, low=0.1, high=3)])
    for power in (2, 3, 0.5, 1.7):
        yield Case("Pow", [f32(*size, low=0.1, high=3), fixed(power, np.float32)])
    yield Case("Pow", [drawn("int64", *size, high=20), fixed(2)])
    yield Case("Sum", [f32(*size)] * 3)
    yield Case("Mean", [f32(*size)] * 3)
    yield Case("Max", [f32(*size)] * 3)


def functions(size):
    for op in ("Floor", "Ceil", "Round", "Exp", "Erf", "Tanh", "Sigmoid", "Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh", "Reciprocal", "Softplus", "Softsign",
               "Elu", "Selu", "Celu", "LeakyRelu", "HardSigmoid", "HardSwish", "Mish", "Gelu", "ThresholdedRelu", "Shrink"):
        yield Case(op, [f32(*size)])
    for op in ("Log", "Sqrt", "Asin", "Acos", "Atanh"):
        yield Case(op, [f32(*size, low=0.01, high=0.99)])
    yield Case("Acosh", [f32(*size, low=1.01, high=9)])
    for op in ("Exp", "Sqrt", "Tanh", "Log"):
        yield Case(op, [drawn("float64", *size, low=0.01, high=3)])
    for op in ("Sigmoid", "Tanh", "Exp", "Relu"):
        yield Case(op, [drawn("float16", *size, low=-3, high=3)])
    yield Case("QuickGelu", [f32(*size)], domain="com.microsoft")
    yield Case("FastGelu", [f32(*size)], domain="com.microsoft")


def quantising(size):
    for dtype in ("uint8", "int8"):
        yield Case("QuantizeLinear", [f32(*size), fixed(0.02, np.float32), fixed(3, dtype)])
        yield Case("DequantizeLinear", [drawn(dtype, *size), fixed(0.02, np.float32), fixed(3, dtype)])
    channels = size[0]
    scales = np.full(channels, 0.02, np.float32)
    yield Case("QuantizeLinear", [f32(*size), fixed(scales, np.float32), fixed(np.zeros(channels), np.int8)], {"axis": 0})
    yield Case("DequantizeLinear", [drawn("int8", *size), fixed(scales, np.float32), fixed(np.zeros(channels), np.int8)], {"axis": 0})
    yield Case("DynamicQuantizeLinear", [f32(*size)], outputs=3)

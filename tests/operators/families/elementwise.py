"""Operators of one element after another, against NumPy in float64."""

import math

import numpy as np
from cases import Case, is_float, is_integer, operator


def erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x) if x.size else x


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(0, x)


# name: (function of x and the attributes, attributes to draw from, range)
UNARY = {
    "Acos": (np.arccos, {}, (-1, 1)), "Acosh": (np.arccosh, {}, (1, 9)), "Asin": (np.arcsin, {}, (-1, 1)),
    "Asinh": (np.arcsinh, {}, (-4, 4)), "Atan": (np.arctan, {}, (-4, 4)), "Atanh": (np.arctanh, {}, (-1, 1)),
    "Ceil": (np.ceil, {}, (-4, 4)), "Cos": (np.cos, {}, (-9, 9)), "Cosh": (np.cosh, {}, (-4, 4)), "Erf": (erf, {}, (-3, 3)),
    "Exp": (np.exp, {}, (-9, 9)), "Floor": (np.floor, {}, (-4, 4)), "Log": (np.log, {}, (0, 9)), "Neg": (np.negative, {}, (-4, 4)),
    "Reciprocal": (lambda x: 1 / x, {}, (-4, 4)), "Round": (np.rint, {}, (-4, 4)), "Sigmoid": (sigmoid, {}, (-9, 9)),
    "Sign": (np.sign, {}, (-4, 4)), "Sin": (np.sin, {}, (-9, 9)), "Sinh": (np.sinh, {}, (-4, 4)), "Sqrt": (np.sqrt, {}, (0, 9)),
    "Tan": (np.tan, {}, (-1.4, 1.4)), "Tanh": (np.tanh, {}, (-4, 4)), "Abs": (np.abs, {}, (-4, 4)),
    "Softsign": (lambda x: x / (1 + np.abs(x)), {}, (-4, 4)), "Softplus": (softplus, {}, (-20, 20)),
    "Mish": (lambda x: x * np.tanh(softplus(x)), {}, (-6, 6)), "Relu": (lambda x: np.where(x < 0, 0, x), {}, (-4, 4)),
    "HardSwish": (lambda x: x * np.clip(x / 6 + 0.5, 0, 1), {}, (-4, 4)),
    "Celu": (lambda x, alpha=1.0: np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(x / alpha)), {"alpha": [0.5, 2.0]}, (-4, 4)),
    "Elu": (lambda x, alpha=1.0: np.where(x < 0, alpha * np.expm1(x), x), {"alpha": [0.5, 2.0]}, (-4, 4)),
    "HardSigmoid": (lambda x, alpha=0.2, beta=0.5: np.clip(alpha * x + beta, 0, 1), {"alpha": [0.5], "beta": [0.25]}, (-4, 4)),
    "LeakyRelu": (lambda x, alpha=0.01: np.where(x < 0, alpha * x, x), {"alpha": [0.25]}, (-4, 4)),
    "Selu": (lambda x, alpha=1.67326319217681884765625, gamma=1.05070102214813232421875: gamma * np.where(x > 0, x, alpha * np.expm1(x)),
             {"alpha": [1.5], "gamma": [2.0]}, (-4, 4)),
    "Shrink": (lambda x, lambd=0.5, bias=0.0: np.where(x < -lambd, x + bias, np.where(x > lambd, x - bias, 0)),
               {"lambd": [1.5], "bias": [0.5]}, (-4, 4)),
    "Swish": (lambda x, alpha=1.0: x * sigmoid(alpha * x), {"alpha": [0.5]}, (-6, 6)),
    "ThresholdedRelu": (lambda x, alpha=1.0: np.where(x > alpha, x, 0), {"alpha": [0.5]}, (-4, 4)),
    "Gelu": (lambda x, approximate="none": 0.5 * x * (1 + (erf(x / np.sqrt(2)) if approximate == "none" else
                                                           np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))),
             {"approximate": ["none", "tanh"]}, (-4, 4)),
}
# What happens at NaN and infinity is not the formula's.
FINITE = {"Mish", "HardSwish", "Swish", "Gelu", "Softsign", "Celu", "Selu", "Shrink", "Elu", "Softplus", "HardSigmoid", "Sign"}
SELU_1 = {"alpha": 1.6732, "gamma": 1.0507}


def rounded(function):
    """`function` computed in float64 (integers: int64) and rounded to the type of the first input."""

    def expect(*inputs):
        with np.errstate(all="ignore"):
            work = [x.astype(np.float64) if is_float(x.dtype) else x for x in inputs if x is not None]
            return np.asarray(function(*work)).astype(inputs[0].dtype)

    return expect


@operator(*UNARY)
def unary(g):
    function, choices, (low, high) = UNARY[g.op]
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            names = set(g.schema.attributes)
            attributes = {name: g.pick(values) for name, values in choices.items() if name in names and g.chance()}
            effective = dict(attributes)
            if g.op == "Selu" and g.version < 6:
                effective = {**SELU_1, **effective}
            # Attributes, and their defaults, are float32.
            defaults = dict(zip(function.__code__.co_varnames[1:], function.__defaults__ or ())) if choices else {}
            effective = {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in {**defaults, **effective}.items()}
            x = g.array(dtype, shape, low, high)
            if is_float(dtype) and g.op not in FINITE and g.chance(0.5):
                x = g.special(dtype, shape)
            yield Case([x], attributes, expect=rounded(lambda x, effective=effective: function(x, **effective)), rtol=2e-6)


@operator("Identity")
def identity(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            yield Case([g.array(dtype, shape)], expect=lambda x: x)
    if any(t.startswith("seq(") for t in g.schema.inputs[0].types):
        yield Case([[g.array(np.float32, (2,)), g.array(np.float32, (3, 1))]], expect=lambda x: ([*x],))


@operator("Not")
def negation(g):
    for shape in g.shapes_for(np.float32):
        yield Case([g.array(bool, shape)], expect=np.logical_not)


@operator("BitwiseNot")
def bitwise_not(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            yield Case([g.array(dtype, shape, -100, 100)], expect=np.invert)


@operator("IsNaN", "IsInf")
def float_class(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            x = g.special(dtype, shape) if is_float(dtype) else g.array(dtype, shape)
            if g.op == "IsNaN":
                yield Case([x], expect=lambda x: np.isnan(x.astype(np.float32)))
                continue
            attributes = {name: int(g.chance()) for name in ("detect_negative", "detect_positive") if g.chance(0.7)}
            yield Case([x], attributes, expect=lambda x, a=attributes: (np.isposinf(x.astype(np.float32)) & bool(a.get("detect_positive", 1)))
                       | (np.isneginf(x.astype(np.float32)) & bool(a.get("detect_negative", 1))))


def quiet(function, *arguments):
    with np.errstate(all="ignore"):
        return function(*arguments)


def divide(a, b):
    return np.trunc(a / b) if a.dtype.kind == "f" else (np.sign(a.astype(object)) * np.sign(b.astype(object)) * (abs(a.astype(object)) // abs(b.astype(object))))


ARITHMETIC = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.true_divide}
COMPARISON = {"Equal": np.equal, "Less": np.less, "Greater": np.greater, "LessOrEqual": np.less_equal, "GreaterOrEqual": np.greater_equal}
LOGIC = {"And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}
BITWISE = {"BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor}
LEGACY_UNTIL = 7  # attributes axis and broadcast


def legacy_shapes(g):
    """Shapes and attributes of the broadcasting of opset 1: the second operand is a run of axes of the first."""
    rank = int(g.rng.integers(1, 5))
    shape = g.dims(rank)
    if g.chance(0.4):
        return shape, shape, {}, shape
    first = int(g.rng.integers(0, rank))
    last = int(g.rng.integers(first, rank)) + 1
    second = shape[first:last]
    attributes = {"broadcast": 1}
    if last != rank or g.chance():
        attributes["axis"] = first
    return shape, second, attributes, (1,) * first + second + (1,) * (rank - last)


def pairs(g, dtype):
    """Shapes of two operands, attributes, and the shape that the second has for NumPy."""
    for shape in g.shapes_for(dtype):
        if "broadcast" in g.schema.attributes:
            yield legacy_shapes(g)
        else:
            a, b = g.broadcast_pair(shape)
            yield a, b, {}, b


@operator(*ARITHMETIC)
def arithmetic(g):
    function = ARITHMETIC[g.op]
    for dtype in g.types():
        for a, b, attributes, second in pairs(g, dtype):
            x, y = g.array(dtype, a, -9, 9), g.array(dtype, b, -9, 9)
            if g.op == "Div" and is_integer(dtype):
                y = np.where(y == 0, np.ones_like(y), y)

            def expect(x, y, second=second):
                with np.errstate(all="ignore"):
                    if is_float(x.dtype):
                        return np.asarray(function(x.astype(np.float64), y.astype(np.float64).reshape(second))).astype(x.dtype)
                    if g.op == "Div":
                        return np.asarray(divide(x, y.reshape(second))).astype(x.dtype)
                    return np.asarray(function(x, y.reshape(second))).astype(x.dtype)

            yield Case([x, y], attributes, expect=expect)


@operator(*COMPARISON, *LOGIC, *BITWISE)
def compare(g):
    function = {**COMPARISON, **LOGIC, **BITWISE}[g.op]
    for dtype in g.types():
        for a, b, attributes, second in pairs(g, dtype):
            x, y = g.array(dtype, a), g.array(dtype, b)
            if is_float(dtype) and g.chance():
                x, y = g.special(dtype, a), g.special(dtype, b)
            yield Case([x, y], attributes, expect=lambda x, y, second=second: np.asarray(quiet(function, x, y.reshape(second))))


@operator("Pow")
def power(g):
    for dtype in g.types(0):
        for a, b, attributes, second in pairs(g, dtype):
            other = g.pick(g.types(1)) if g.version >= 12 else dtype
            x, y = g.array(dtype, a, 0.2 if is_float(dtype) else 0, 4), g.array(other, b, 0, 3)
            expect = lambda x, y, second=second: np.asarray(  # noqa: E731
                np.power(x.astype(np.float64), y.astype(np.float64).reshape(second))).astype(x.dtype)
            if is_integer(dtype) and is_float(other):
                y = np.asarray(np.rint(y.astype(np.float64))).astype(other)
            yield Case([x, y], attributes, expect=expect, rtol=5e-6)


@operator("Mod")
def modulo(g):
    for dtype in g.types():
        for a, b, _, _ in pairs(g, dtype):
            x, y = g.array(dtype, a, -20, 20), g.array(dtype, b, -9, 9)
            y = np.where(y.astype(np.float64) == 0, np.ones_like(y), y)
            fmod = 1 if (is_float(dtype) and g.version < 28) or g.chance() else 0

            def expect(x, y, fmod=fmod):
                wide = np.float64 if is_float(x.dtype) else object
                if is_float(x.dtype):
                    return np.asarray((np.fmod if fmod else np.mod)(x.astype(wide), y.astype(wide))).astype(x.dtype)
                return (np.fmod if fmod else np.mod)(x, y)

            yield Case([x, y], {"fmod": fmod} if fmod or g.chance() else {}, expect=expect, rtol=1e-4, atol=1e-4)


@operator("BitShift")
def bit_shift(g):
    for dtype in g.types():
        bits = np.dtype(dtype).itemsize * 8
        for shape in g.shapes_for(dtype):
            a, b = g.broadcast_pair(shape)
            x, y = g.array(dtype, a, -100, 100), g.array(dtype, b, 0, bits - 1)
            direction = g.pick(["LEFT", "RIGHT"])
            yield Case([x, y], {"direction": direction}, expect=np.left_shift if direction == "LEFT" else np.right_shift)


@operator("PRelu")
def prelu(g):
    for dtype in g.types():
        for shape in [s for s in g.shapes_for(dtype) if s]:
            slope_shape, second = tuple(1 if g.chance(0.4) else d for d in shape), None
            if g.version < 7:
                if len(shape) < 2:
                    continue
                slope_shape = g.pick([(shape[1],), (1,)])
                second = slope_shape + (1,) * (len(shape) - 2)

            def expect(x, slope, second=second):
                wide = [v.astype(np.float64) if is_float(v.dtype) else v for v in (x, slope)]
                return np.where(wide[0] < 0, wide[0] * (wide[1] if second is None else wide[1].reshape(second)), wide[0]).astype(x.dtype)

            yield Case([g.array(dtype, shape), g.array(dtype, slope_shape)], expect=expect)


@operator("Max", "Min", "Sum", "Mean")
def variadic(g):
    function = {"Max": np.maximum, "Min": np.minimum}.get(g.op, np.add)
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            count = int(g.rng.integers(1, 5))
            inputs = [g.array(dtype, g.broadcast_pair(shape)[0] if g.version >= 8 else shape, -20, 20) for _ in range(count)]
            if g.op in ("Max", "Min") and g.version >= 8 and is_float(dtype) and g.chance(0.3):
                inputs = [g.special(dtype, x.shape) for x in inputs]

            def expect(*inputs):
                work = [x.astype(np.float64) if is_float(x.dtype) else x for x in inputs]
                total = work[0]
                with np.errstate(all="ignore"):
                    for x in work[1:]:
                        total = function(total, x)
                    return np.asarray(total / len(inputs) if g.op == "Mean" else total).astype(inputs[0].dtype)

            yield Case(inputs, expect=expect, magnitude=40)


@operator("Where")
def where(g):
    for dtype in g.types(1):
        for shape in g.shapes_for(dtype):
            a, b = g.broadcast_pair(shape)
            yield Case([g.array(bool, g.broadcast_pair(shape)[1]), g.array(dtype, a), g.array(dtype, b)], expect=np.where)


@operator("Clip")
def clip(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            low, high = (g.pick([None, -1, 1]), g.pick([None, 2, 0])) if not np.dtype(dtype).kind == "u" else (g.pick([None, 1]), g.pick([None, 3]))
            x = g.array(dtype, shape)

            def expect(x, *_, low=low, high=high):
                wide = x.astype(np.float64) if is_float(x.dtype) else x
                wide = wide if low is None else np.maximum(wide, low)
                return np.asarray(wide if high is None else np.minimum(wide, high)).astype(x.dtype)

            if g.version < 11:
                attributes = {name: float(v) for name, v in (("min", low), ("max", high)) if v is not None}
                yield Case([x], attributes, expect=expect)
            else:
                yield Case([x] + [None if v is None else np.array(v, dtype=dtype) for v in (low, high)], expect=expect)

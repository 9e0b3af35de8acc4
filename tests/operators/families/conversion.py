"""Casts, quantisation and constants."""

import numpy as np
from cases import Case, elem_type, integer_range, is_float, is_integer, operator
from native import to_tensor
from onnx import TensorProto, helper, numpy_helper


SMALL_INTEGERS = {"int4", "uint4", "int2", "uint2"}
PLAIN = {np.dtype(t) for t in "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64".split()}


def converted(x, target):
    """By numpy where it converts directly; integers keep their low bits, other numbers go through float32."""
    target = np.dtype(target)
    if is_integer(target) and is_integer(x.dtype):
        return x.astype(np.int64).astype(np.int8 if target.name in SMALL_INTEGERS else target).astype(target)
    if is_integer(target):
        return np.trunc(x.astype(np.float32)).astype(np.int64).astype(target)
    return x.astype(np.float32).astype(target)


def source(g, dtype, shape):
    if np.dtype(dtype).name == "float8_e8m0fnu":
        return g.array(dtype, shape, 0.5, 9)
    if dtype == object:
        return np.array(g.rng.choice(["1.5", "-2", "0", "1e3", "7"], shape), dtype=object)
    if is_integer(dtype):
        return g.array(dtype, shape, -100, 100)
    return g.array(dtype, shape, -9, 9)


@operator("Cast", "CastLike")
def cast(g):
    targets = g.types(0, outputs=True)
    for dtype in g.types(0):
        for target in targets if g.op == "Cast" and g.version >= 24 else g.some(targets, 6):
            x = source(g, dtype, (3, 4))
            if target == object and (is_float(dtype) or np.dtype(dtype).kind not in "iub"):
                continue  # the text of a float is the platform's in the standard's own words
            if dtype == object and (np.dtype(target).kind not in "iuf" or not (is_float(target) or is_integer(target))):
                continue
            if dtype == object and not is_float(target):
                x = np.array(g.rng.choice(["1", "12", "0"], (3, 4)), dtype=object)
            if np.dtype(target).kind == "u" or "uint" in np.dtype(target).name:
                x = x if dtype == object or dtype == bool else np.asarray(np.abs(x.astype(np.float64))).astype(dtype)
            plain = {np.dtype(t) for t in (dtype, target)} <= PLAIN
            if plain and is_float(dtype) and is_integer(target):
                x = np.clip(x, -100, 100)
            names = {np.dtype(t).name for t in (dtype, target)}
            expect = (lambda x, *_, t=target: x.astype(t)) if plain else None
            if names & SMALL_INTEGERS and not names & {"bool", "object"} or "float8_e8m0fnu" == np.dtype(dtype).name or any("float6_" in n for n in names):
                exotic = object in (dtype, target) or np.dtype(target).name == "float8_e8m0fnu"
                expect = None if exotic else lambda x, *_, t=target: converted(x, t)
            if g.op == "CastLike":
                yield Case([x, g.array(target, (1,))], expect=expect)
            elif g.version < 6:
                yield Case([x], {"to": TensorProto.DataType.Name(elem_type(target))}, expect=expect)
            else:
                yield Case([x], {"to": elem_type(target)}, expect=expect)


@operator("BitCast")
def bit_cast(g):
    for dtype in g.types(0):
        size = np.dtype(dtype).itemsize
        for target in g.types(0, outputs=True):
            small = [t for t in (dtype, target) if np.dtype(t).name in ("int4", "uint4", "int2", "uint2", "float4_e2m1fn")]
            if np.dtype(target).itemsize != size or small or object in (dtype, target) or (target == bool and dtype != bool):
                continue
            for shape in [(), (3, 4), (0, 2)]:
                yield Case([g.array(dtype, shape)], {"to": elem_type(target)}, expect=lambda x, t=target: x.view(t))


@operator("Constant")
def constant(g):
    for dtype in g.types(0, outputs=True):
        value = g.array(dtype, g.pick([(), (3,), (2, 2), (0,)]))
        yield Case([], {"value": to_tensor(value)}, expect=lambda value=value: value)
    for name, value in [("value_float", 1.5), ("value_floats", [1.0, 2.0]), ("value_int", 3), ("value_ints", [4, 5]), ("value_string", "a"), ("value_strings", ["b", "c"])]:
        if name in g.schema.attributes:
            kind = np.float32 if "float" in name else np.int64 if "int" in name else object
            yield Case([], {name: value}, expect=lambda v=np.array(value, dtype=kind): v)
    if "sparse_value" in g.schema.attributes:
        values, places = to_tensor(np.array([1.0, 2.0], dtype=np.float32)), to_tensor(np.array([1, 5], dtype=np.int64))
        dense = np.zeros((2, 3), np.float32)
        dense.ravel()[[1, 5]] = 1, 2
        yield Case([], {"sparse_value": helper.make_sparse_tensor(values, places, [2, 3])}, expect=lambda: dense)
        pairs = to_tensor(np.array([[0, 1], [1, 2]], dtype=np.int64))
        yield Case([], {"sparse_value": helper.make_sparse_tensor(values, pairs, [2, 3])}, expect=lambda: dense)


@operator("QuantizeLinear")
def quantize(g):
    for dtype in g.types(0):
        for kind in g.types(0, outputs=True):
            x = g.array(dtype, (4, 6), -20, 20)
            axis, block = g.pick([None, 0, 1]) if g.version >= 13 else None, 0
            shape = () if axis is None else (x.shape[axis],)
            if g.version >= 21 and axis == 1 and g.chance():
                block, shape = 2, (4, 3)
            real = g.pick([t for t in g.types(1) if is_float(t) and (g.version >= 23 or t == dtype)] or [np.float32])
            scale = np.asarray(2.0 ** g.rng.integers(-2, 2, shape)).astype(real)
            zero = g.array(kind, shape, 0, 5) if is_integer(kind) else np.zeros(shape, kind)
            attributes = {**({} if axis is None else {"axis": axis}), **({"block_size": block} if block else {})}
            given = kind == np.uint8 and g.chance()

            def expect(x, s, z=None, axis=axis, block=block, kind=kind):
                each = (lambda v: v) if axis is None else (lambda v: np.repeat(v, block, 1)) if block else (lambda v: v.reshape((-1, 1) if axis == 0 else (1, -1)))
                # The division has the precision of the scale.
                quotient = (x.astype(s.dtype) / each(s)).astype(s.dtype)
                if not is_integer(kind):
                    return numpy_helper.saturate_cast(quotient.astype(np.float32), kind) if "float8" in np.dtype(kind).name else quotient.astype(np.float32).astype(kind)
                low, high = integer_range(kind)
                return np.clip(np.rint(quotient.astype(np.float64)) + (0 if z is None else each(z.astype(np.float64))), low, high).astype(kind)

            yield Case([x, scale] + ([] if given else [zero]), attributes, expect=expect)


@operator("DequantizeLinear")
def dequantize(g):
    for dtype in g.types(0):
        for real in [t for t in g.types(1) if is_float(t)]:
            axis, block = g.pick([None, 0, 1]) if g.version >= 13 else None, 0
            x = g.array(dtype, (4, 6), -100, 100)
            shape = () if axis is None else (x.shape[axis],)
            if g.version >= 21 and axis == 1 and g.chance():
                block, shape = 2, (4, 3)
            scale = np.asarray(g.rng.uniform(0.1, 2, shape)).astype(real)
            zero = None
            if is_integer(dtype) and dtype != np.int32 and g.chance(0.7):
                zero = g.array(dtype, shape, -5, 5)
            attributes = {**({} if axis is None else {"axis": axis}), **({"block_size": block} if block else {})}

            def expect(x, s, z=None, axis=axis, block=block):
                each = (lambda v: v) if axis is None else (lambda v: np.repeat(v, block, 1)) if block else (lambda v: v.reshape((-1, 1) if axis == 0 else (1, -1)))
                return ((x.astype(np.float64) - (0 if z is None else each(z.astype(np.float64)))) * each(s.astype(np.float64))).astype(s.dtype)

            yield Case([x, scale, zero], attributes, expect=expect)


@operator("DynamicQuantizeLinear")
def dynamic_quantize(g):
    for shape, low, high in [((3, 4), -4, 4), ((7,), 0, 9), ((2, 3), -9, -1), ((1,), 2, 3), ((2, 3, 4), -1, 1)]:
        yield Case([g.array(np.float32, shape, low, high)], outputs=3)



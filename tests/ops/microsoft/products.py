"""Cases of products and convolutions of quantised values."""

import itertools

import numpy as np

from cases import Case, random_bytes

F = np.float32
KINDS = (np.uint8, np.int8)


class Draw:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def bytes(self, kind, *shape):
        return random_bytes(self.rng, kind, shape)

    def scales(self, *shape):
        return np.asarray(self.rng.uniform(0.001, 0.02, shape), F)

    def floats(self, *shape):
        return np.asarray(self.rng.standard_normal(shape), F)


def fed_and_constant(values):
    """The inputs as they are, and with all but the first constant."""
    yield "fed", values
    yield "constant", [values[0], *(None if value is None else (value,) for value in values[1:])]


def cases(seed):
    draw = Draw(seed)
    result = [*to_float(draw), *dynamic(draw), *gemm(draw), *convolutions(draw)]
    for a, b in (((3, 40), (40, 7)), ((2, 3, 5), (2, 5, 4))):
        values = [draw.rng.integers(-300, 300, shape).astype(np.int16) for shape in (a, b)]
        result.append(Case("MatMulInteger16", values, note=f"{a} {b}"))
    return result


def to_float_by_numpy(a, b, a_scale, b_scale, a_zero, b_zero, bias):
    left, right = (x.astype(np.int64) - (0 if zero is None else zero.astype(np.int64)) for x, zero in ((a, a_zero), (b, b_zero)))
    return ((left @ right) * (np.float64(a_scale) * b_scale) + (0 if bias is None else bias)).astype(F)


def to_float(draw):
    result = []
    for a_kind, b_kind in itertools.product(KINDS, KINDS):
        kinds = f"{np.dtype(a_kind).name} {np.dtype(b_kind).name}"
        for a, b in (((5, 64), (64, 70)), ((1, 133), (133, 200)), ((2, 3, 30), (30, 9)), ((130, 20), (20, 300))):
            n = b[-1]
            for columns, with_zeros, with_bias in ((False, True, True), (True, True, False), (True, False, True)):
                zeros = [draw.bytes(a_kind), draw.bytes(b_kind, n) if columns else draw.bytes(b_kind)] if with_zeros else [None, None]
                values = [draw.bytes(a_kind, *a), draw.bytes(b_kind, *b), draw.scales(), draw.scales(n) if columns else draw.scales(), *zeros,
                          draw.floats(n) if with_bias else None]
                # ONNX Runtime has no kernel for these types.
                expected = [to_float_by_numpy(*values)] if a_kind == np.int8 and b_kind == np.uint8 else None
                for how, inputs in fed_and_constant(values):
                    result.append(Case("MatMulIntegerToFloat", inputs, note=f"{kinds} {a} {b} columns={columns} zeros={with_zeros} {how}", rtol=2e-6, atol=1e-4,
                                       expected=expected, levels=a == (5, 64) and columns and with_zeros))
    values = [draw.bytes(np.uint8, 2, 3, 16), draw.bytes(np.int8, 2, 16, 5), draw.scales(), draw.scales(), draw.bytes(np.uint8), draw.bytes(np.int8)]
    result.append(Case("MatMulIntegerToFloat", values, note="batches", rtol=2e-6, atol=1e-4))
    return result


def dynamic(draw):
    result = []
    for b_kind, (a, b) in itertools.product(KINDS, (((5, 64), (64, 70)), ((1, 33), (33, 20)), ((2, 40, 96), (96, 130)))):
        n = b[-1]
        for columns, with_zeros, with_bias in ((False, True, True), (True, False, False), (True, True, True)):
            zero = (draw.bytes(b_kind, n) if columns else draw.bytes(b_kind)) if with_zeros else None
            values = [draw.floats(*a), draw.bytes(b_kind, *b), draw.scales(n) if columns else draw.scales(), zero, draw.floats(n) if with_bias else None]
            for how, inputs in fed_and_constant(values):
                result.append(Case("DynamicQuantizeMatMul", inputs, note=f"{np.dtype(b_kind).name} {a} {b} columns={columns} {how}", rtol=2e-6, atol=1e-4))
    return result


def gemm(draw):
    result = []
    for a_kind, b_kind in ((np.uint8, np.int8), (np.uint8, np.uint8), (np.int8, np.int8)):
        for ta, tb, columns, quantised in itertools.product((0, 1), (0, 1), (False, True), (False, True)):
            m, k, n = 7, 50, 70
            b_zero = draw.bytes(b_kind, n) if columns else draw.bytes(b_kind)
            if columns and b_kind == np.int8:
                b_zero = np.zeros(n, np.int8)
            values = [draw.bytes(a_kind, *((k, m) if ta else (m, k))), draw.scales(), draw.bytes(a_kind), draw.bytes(b_kind, *((n, k) if tb else (k, n))),
                      draw.scales(n) if columns else draw.scales(), b_zero, draw.rng.integers(-9999, 9999, n).astype(np.int32)]
            if quantised:
                values += [np.array(0.7, F), draw.bytes(a_kind)]
            for how, inputs in fed_and_constant(values):
                result.append(Case("QGemm", inputs, {"transA": ta, "transB": tb, "alpha": 0.7},
                                   note=f"{np.dtype(a_kind).name} {np.dtype(b_kind).name} {ta}{tb} columns={columns} quantised={quantised} {how}",
                                   step=1, rtol=2e-6, atol=1e-4, levels=ta == tb == 1 and columns))
    base = [draw.bytes(np.uint8, 3, 8), draw.scales(), draw.bytes(np.uint8), draw.bytes(np.int8, 8, 5), draw.scales(), np.array(0, np.int8)]
    result.append(Case("QGemm", base, note="without C", rtol=2e-6, atol=1e-4))
    for shape in ((3, 5), (1, 5), (3, 1), (1,)):
        result.append(Case("QGemm", [*base, draw.rng.integers(-999, 999, shape).astype(np.int32)], note=f"C {shape}", rtol=2e-6, atol=1e-4))
    return result


def convolutions(draw):
    result = []
    for x_kind, w_kind in ((np.uint8, np.int8), (np.uint8, np.uint8), (np.int8, np.int8)):
        for shape, w_shape, attributes in (((1, 8, 9, 10), (12, 8, 3, 3), {"pads": [1, 1, 1, 1]}), ((2, 6, 12, 7), (6, 1, 3, 3), {"group": 6, "strides": [2, 2]}),
                                           ((1, 4, 20), (5, 4, 5), {"dilations": [2]}), ((1, 16, 14, 14), (70, 16, 1, 1), {})):
            for columns in (False, True):
                w_zero = np.zeros(w_shape[0], w_kind) if columns and w_kind == np.int8 else draw.bytes(w_kind) if w_kind == np.uint8 else np.array(0, w_kind)
                values = [draw.bytes(x_kind, *shape), draw.scales(), draw.bytes(x_kind), (draw.bytes(w_kind, *w_shape),),
                          (draw.scales(w_shape[0]) if columns else draw.scales(),), (w_zero,), np.array(0.05, F), draw.bytes(x_kind),
                          (draw.rng.integers(-999, 999, w_shape[0]).astype(np.int32),)]
                note = f"{np.dtype(x_kind).name} {np.dtype(w_kind).name} {shape} columns={columns}"
                # The canonical operator too: it has the same kernels and no other test at every level.
                result.append(Case("QLinearConv", values, attributes, note=f"ai.onnx {note}", domain="", levels=True))
                result.append(Case("QLinearConv", values, attributes, note=note))
                if columns and x_kind == w_kind:
                    moved = np.ascontiguousarray(np.moveaxis(values[0], 1, -1))
                    result.append(Case("QLinearConv", [moved, *values[1:]], {**attributes, "channels_last": 1}, note=f"{note} channels_last"))
    return result

"""Element types that the other generators leave out: each operator here moves or looks at values of any type."""

import numpy as np
from cases import Case, elem_type, is_float, is_integer, operator
from families.sequences import port
from onnx import helper


def identity_body(kind, loop):
    """A body that carries a state of one type and scans it."""
    nodes = [helper.make_node("Identity", ["s"], ["t"]), helper.make_node("Identity", ["s"], ["y"])]
    first = [port("i", 7, []), port("c", 9, [])] if loop else []
    more = [helper.make_node("Identity", ["c"], ["go"])] if loop else []
    inputs = first + [port("s", kind, [2])] + ([] if loop else [port("x", kind, [2])])
    outputs = ([port("go", 9, [])] if loop else []) + [port("t", kind, [2]), port("y", kind, [2])]
    if not loop:
        nodes[1] = helper.make_node("Identity", ["x"], ["y"])
    return helper.make_graph(nodes + more, "body", inputs, outputs)


@operator("Loop", "Scan")
def states(g):
    for dtype in g.types(2 if g.op == "Loop" else len(g.schema.inputs) - 1):
        # Identity in the body takes what its own version takes.
        if np.dtype(dtype).name == "bfloat16" and g.version < 13:
            continue
        s, x = g.array(dtype, (2,)), g.array(dtype, (3, 2))
        body = identity_body(elem_type(dtype), g.op == "Loop")
        if g.op == "Loop":
            yield Case([np.array(3), np.array(True), s], {"body": body}, 2, expect=lambda n, c, s: (s, np.stack([s] * 3)))
        elif g.version == 8:
            yield Case([None, s[None], x[None]], {"body": body, "num_scan_inputs": 1}, 2, expect=lambda n, s, x: (s, x))
        else:
            yield Case([s, x], {"body": body, "num_scan_inputs": 1}, 2, expect=lambda s, x: (s, x))


@operator("SequenceMap")
def mapped(g):
    from families.sequences import some_types

    for dtype in some_types(g):
        body = helper.make_graph([helper.make_node("Identity", ["a"], ["b"])], "body", [port("a", elem_type(dtype))], [port("b", elem_type(dtype))])
        yield Case([[g.array(dtype, (2,)), g.array(dtype, (3,))]], {"body": body}, expect=lambda x: ([*x],))


@operator("Attention")
def masks(g):
    for dtype in g.types(3):
        mask = g.array(dtype, (3, 5), 0, 1)
        if dtype == bool:
            mask[:, 0] = True
        yield Case([g.array(np.float32, s) for s in ((1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 5, 4))] + [mask], {}, rtol=1e-4, atol=1e-4, magnitude=4)


def bits(x):
    name = x.dtype.name
    return (x.view(np.uint8) if name == "float4_e2m1fn" else x.astype(np.int8).view(np.uint8)) & (3 if "int2" in name else 15)


def from_bits(raw, target):
    name = np.dtype(target).name
    if name == "float4_e2m1fn":
        return raw.view(target)
    width = 2 if "int2" in name else 4
    signed = (raw.astype(np.int16) ^ (1 << (width - 1))) - (1 << (width - 1))
    return (raw if "uint" in name else signed.astype(np.int8)).astype(target)


@operator("BitCast")
def packed(g):
    for group in (("int4", "uint4", "float4_e2m1fn"), ("int2", "uint2")):
        kinds = [t for t in g.types(0) if np.dtype(t).name in group]
        for dtype in kinds:
            for target in kinds:
                x = g.array(dtype, (3, 5), -6, 6)
                yield Case([x], {"to": elem_type(target)}, expect=lambda x, t=target: from_bits(bits(x), t))


@operator("DequantizeLinear", "QuantizeLinear")
def power_scales(g):
    for real in [t for t in g.types(1) if np.dtype(t).name == "float8_e8m0fnu"]:
        scale = (2.0 ** g.rng.integers(-3, 3, 4)).astype(np.float32).astype(real)
        if g.op == "DequantizeLinear":
            for target in g.types(0, outputs=True):
                if is_float(target):
                    yield Case([g.array(np.int8, (4, 6), -100, 100), scale], {"axis": 0, "output_dtype": elem_type(target)},
                               expect=lambda x, s, t=target: (x * s.astype(np.float32).reshape(-1, 1)).astype(t))
        else:
            yield Case([g.array(np.float32, (4, 6)), scale, np.zeros(4, np.int8)], {"axis": 0, "precision": 1},
                       expect=lambda x, s, z: np.clip(np.rint(x / s.astype(np.float32).reshape(-1, 1)), -128, 127).astype(np.int8))


@operator("GridSample")
def nearest(g):
    for dtype in [t for t in g.types(0) if not is_float(t)]:
        x, grid = g.array(dtype, (1, 2, 4, 5)), g.array(np.float32, (1, 3, 4, 2), -0.95, 0.95)

        def expect(x, grid):
            places = [np.rint((grid[..., k].astype(np.float64) + 1) / 2 * (x.shape[3 - k] - 1)).astype(int) for k in (0, 1)]
            return x[0][:, places[1][0], places[0][0]][None]

        yield Case([x, grid], {"mode": "nearest", "align_corners": 1}, expect=expect)


@operator("Resize", "Upsample")
def repeated(g):
    for dtype in [t for t in g.types(0) if not is_float(t)]:
        x = g.array(dtype, (1, 2, 3, 2))
        expect = lambda x, *_: x.repeat(2, 2).repeat(3, 3)  # noqa: E731
        scales = np.array([1, 1, 2, 3], dtype=np.float32)
        if g.op == "Resize" and g.version >= 11:
            more = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
            yield Case([x, np.array([], dtype=np.float32) if g.version < 13 else None, scales], {"mode": "nearest", **more}, expect=expect)
        elif g.op == "Resize" or g.version >= 9:
            yield Case([x, scales], {"mode": "nearest"}, expect=expect)
        elif g.version >= 7:
            yield Case([x], {"scales": [1.0, 1.0, 2.0, 3.0], "mode": "nearest"}, expect=expect)
        else:
            yield Case([x], {"height_scale": 2.0, "width_scale": 3.0, "mode": "nearest"}, expect=expect)


@operator("MelWeightMatrix")
def mel(g):
    for whole in g.types(0):
        for real in g.types(3):
            for target in g.types(0, outputs=True):
                if is_integer(target):
                    continue
                values = [np.array(v, dtype=whole) for v in (8, 16, 8192)] + [np.array(v, dtype=real) for v in (0.0, 4096.0)]
                yield Case(values, {"output_datatype": elem_type(target)}, rtol=1e-4, atol=1e-4)


@operator("QLinearMatMul")
def scales(g):
    for real in g.types(1):
        scale = lambda value, real=real: np.array(value, dtype=real)  # noqa: E731
        a, b = g.array(np.uint8, (3, 4), 0, 50), g.array(np.int8, (4, 5), -50, 50)
        yield Case([a, scale(0.5), np.array(3, dtype=np.uint8), b, scale(0.25), np.array(1, dtype=np.int8), scale(8), np.array(128, dtype=np.uint8)], {}, slack=1,
                   expect=lambda a, s, az, b, t, bz, u, z: np.clip(np.rint((a.astype(np.int64) - 3) @ (b.astype(np.int64) - 1) * 0.015625) + 128, 0, 255).astype(np.uint8))


@operator("RandomNormalLike", "RandomUniformLike")
def likes(g):
    for dtype in g.types(0):
        def check(outputs):
            y = outputs[0]
            return None if y.dtype == np.float32 and y.shape == (30, 40) and len(np.unique(y)) > 600 else f"{y.dtype}{y.shape}"

        yield Case([g.array(dtype, (30, 40))], {"dtype": 1}, check=check)


@operator("TfIdfVectorizer")
def words(g):
    attributes = {"mode": "TF", "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 0, "ngram_counts": [0, 2], "ngram_indexes": [0, 1, 2],
                  "pool_strings": ["a", "Ab", "a", "Ab"]}
    yield Case([np.array(["a", "Ab", "x", "a", "a", "Ab"], dtype=object)], attributes, expect=lambda x: np.array([3, 2, 2], dtype=np.float32))

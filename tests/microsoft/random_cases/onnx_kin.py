"""Operators that ONNX has too."""

import numpy as np
from onnx import TensorProto, helper

from case import Case


def numbers(r, kind, *shape):
    if kind == "float32":
        return r.normal(*shape)
    return r.ints(0, 9, *shape).astype(kind)


def output_of(kind):
    return {0: helper.np_dtype_to_tensor_dtype(np.dtype(kind))}


def unique(r):
    return Case("Unique", [r.ints(-4, 5, r.pick(0, 1, 7, 50)).astype(np.float64)], {}, 3, output_types={1: TensorProto.INT64, 2: TensorProto.INT64})


def grid_sample(r):
    attributes = {}
    if r.chance():
        attributes["mode"] = r.pick("bilinear", "nearest", "bicubic")
    if r.chance():
        attributes["padding_mode"] = r.pick("zeros", "border", "reflection")
    if r.chance():
        attributes["align_corners"] = 1
    batch = r.pick(1, 2)
    return Case("GridSample", [r.normal(batch, r.between(1, 3), 5, 7), r.uniform(-1.4, 1.4, batch, 4, 6, 2)], attributes, tolerance=1e-4)


def expand_dims(r):
    rank, kind = r.between(1, 3), r.pick("float32", "int32", "uint8")
    axis = np.array(r.between(-rank - 1, rank), np.int32)
    return Case("ExpandDims", [numbers(r, kind, *[2, 3, 4][:rank]), axis.reshape(1) if r.chance() else axis], output_types=output_of(kind),
                constant={1} if r.chance() else ())


def gather_nd(r):
    kind, index = r.pick("float32", "int64"), r.pick(np.int32, np.int64)
    width = r.between(1, 3)
    indices = np.stack([r.ints(0, size, 4) for size in (3, 4, 5)[:width]], -1).astype(index)
    return Case("GatherND", [numbers(r, kind, 3, 4, 5), indices], output_types=output_of(kind))


def pad(r):
    mode = r.pick(None, "constant", "reflect", "edge")
    pads = r.ints(-1 if mode in (None, "constant") else 0, 3, 4).astype(np.int64)
    value = r.normal(*r.pick((), (1,))) if mode in (None, "constant") and r.chance() else None
    return Case("Pad", [r.normal(4, 5), pads.reshape(1, 4) if r.chance() else pads, value], {"mode": mode} if mode else {}, dtype=r.pick("float32", "float64"),
                constant={1} if r.chance() else ())


def range_(r):
    kind = r.pick("float32", "float64", "int16", "int32", "int64")
    start, limit = r.between(-5, 5), r.between(-5, 20)
    delta = r.pick(None, 1, 2, -1, 3)
    values = [np.array(v, kind) if v is not None else None for v in (start, limit, delta)]
    if r.chance():
        values = [None if v is None else v.reshape(1) for v in values]
    if kind.startswith("float"):
        values = [None if v is None else v.astype(np.float64) for v in values]
        return Case("Range", values, dtype=kind, constant={0, 1, 2} if r.chance() else ())
    return Case("Range", values, output_types=output_of(kind))


def trilu(r):
    kind = r.pick("float32", "int64")
    return Case("Trilu", [numbers(r, kind, *r.pick((4, 5), (2, 3, 3))), np.array(r.between(-3, 3)) if r.chance() else None],
                {"upper": r.pick(0, 1)} if r.chance() else {}, output_types=output_of(kind))


def sample(r):
    return Case("SampleOp", [r.normal(2, 3)])


def unfold(r):
    kind, rank = r.pick("float32", "int32"), r.between(1, 3)
    attributes = {"size": r.between(1, 4)}
    if r.chance():
        attributes["step"] = r.between(1, 3)
    if r.chance():
        attributes["dim"] = r.between(-rank, rank - 1)
    return Case("UnfoldTensor", [numbers(r, kind, *[5, 4, 7][:rank])], attributes, output_types=output_of(kind), symbolic=r.chance(0.3))


def conv_transpose(r):
    rank, group = r.pick(1, 2), r.pick(1, 2)
    kernel, strides = [r.between(2, 3) for _ in range(rank)], [r.between(1, 2) for _ in range(rank)]
    attributes = {"strides": strides, "kernel_shape": kernel}
    if group > 1:
        attributes["group"] = group
    if r.chance(0.3):
        attributes["output_padding"] = [r.between(0, s - 1) for s in strides]
    filters = r.between(1, 3)
    return Case("ConvTransposeWithDynamicPads", [r.normal(2, 2 * group, *[5] * rank), r.normal(2 * group, filters, *kernel), r.ints(0, 2, 2 * rank),
                                                 r.normal(filters * group) if r.chance() else None], attributes)


FAMILIES = {
    "Unique": unique,
    "GridSample": grid_sample,
    "ExpandDims": expand_dims,
    "GatherND": gather_nd,
    "Pad": pad,
    "Range": range_,
    "Trilu": trilu,
    "SampleOp": sample,
    "UnfoldTensor": unfold,
    "ConvTransposeWithDynamicPads": conv_transpose,
}

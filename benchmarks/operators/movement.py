"""Operators that move, pick and arrange elements."""

import numpy as np
from case import Case, Input, drawn, f32, fixed, i64

BATCHES = ((8, 64, 128), (64, 256, 256))
IMAGES = ((1, 16, 56, 56), (8, 64, 112, 112))


def cases():
    for batch in BATCHES:
        yield from joins(batch)
        yield from slices(batch)
        yield from gathers(batch)
        yield from fills(batch)
        yield from searches(batch)
    for image in IMAGES:
        yield from images(image)
    yield from transposes()


def transposes():
    for shape in ((64, 1024), (2048, 2048)):
        for dtype in ("float32", "int64", "float16", "uint8"):
            yield Case("Transpose", [drawn(dtype, *shape)], {"perm": [1, 0]})
    for shape, perms in (
        ((1, 128, 12, 64), ([0, 2, 1, 3], [0, 2, 3, 1])),
        ((8, 512, 16, 64), ([0, 2, 1, 3], [0, 2, 3, 1], [3, 1, 0, 2])),
        ((1, 3, 224, 224), ([0, 2, 3, 1],)),
        ((8, 224, 224, 3), ([0, 3, 1, 2],)),
        ((8, 64, 112, 112), ([0, 2, 3, 1], [0, 3, 1, 2], [1, 0, 2, 3])),
        ((16, 7, 8, 7, 8, 32), ([0, 1, 3, 2, 4, 5], [0, 1, 3, 5, 2, 4])),
    ):
        for perm in perms:
            yield Case("Transpose", [f32(*shape)], {"perm": perm})


def joins(batch):
    for axis in (0, 1, 2):
        yield Case("Concat", [f32(*batch), f32(*batch)], {"axis": axis})
        yield Case("Split", [f32(*batch)], {"axis": axis, "num_outputs": 2}, outputs=2)
    yield Case("Concat", [f32(*batch[:2], 1), f32(*batch[:2], 3)], {"axis": 2})
    yield Case("Concat", [i64(*batch), i64(*batch)], {"axis": 2})
    yield Case("Tile", [f32(*batch), fixed([2, 1, 1])])
    yield Case("Tile", [f32(*batch), fixed([1, 1, 2])])
    yield Case("Expand", [f32(batch[0], 1, batch[2]), fixed(batch)])
    yield Case("Expand", [f32(batch[0], batch[1], 1), fixed(batch)])
    yield Case("Expand", [i64(1, 1, 1), fixed(batch)])


def slices(batch):
    n0, n1, n2 = batch
    for starts, ends, axes, steps in (
        ([1], [n0], [0], [1]), ([0], [n1 // 2], [1], [1]), ([n2 // 2], [n2], [2], [1]), ([0], [n2], [2], [2]), ([1], [n1], [1], [2]), ([-1], [-n2 - 1], [2], [-1]),
        ([0], [1], [2], [1]),
    ):
        yield Case("Slice", [f32(*batch), fixed(starts), fixed(ends), fixed(axes), fixed(steps)])


def gathers(batch):
    n0, n1, n2 = batch
    yield Case("Gather", [f32(n0 * n1, n2), i64(n0 * n1, high=n0 * n1)], {"axis": 0})
    yield Case("Gather", [f32(*batch), i64(n1, high=n1)], {"axis": 1})
    yield Case("Gather", [f32(*batch), i64(n2, high=n2)], {"axis": 2})
    yield Case("Gather", [f32(*batch), fixed(0)], {"axis": 2})
    yield Case("Gather", [i64(30000), i64(n0 * n1, high=30000)], {"axis": 0})
    for axis in (0, 1, 2):
        yield Case("GatherElements", [f32(*batch), i64(*batch, high=batch[axis])], {"axis": axis})
        yield Case("ScatterElements", [f32(*batch), i64(*batch, high=batch[axis]), f32(*batch)], {"axis": axis})
    yield Case("ScatterElements", [f32(*batch), i64(*batch, high=n2), f32(*batch)], {"axis": 2, "reduction": "add"})
    yield Case("GatherND", [f32(*batch), pairs(n0, n1)])
    yield Case("GatherND", [f32(*batch), i64(n0 * n1, 3, high=n0)])
    yield Case("ScatterND", [f32(*batch), pairs(n0, n1), f32(n0 * n1 // 2, n2)])
    yield Case("ScatterND", [f32(*batch), i64(n0 * n1, 3, high=n0), f32(n0 * n1)])
    yield Case("ReverseSequence", [f32(*batch), i64(n1, low=1, high=n0)], {"time_axis": 0, "batch_axis": 1})
    yield Case("Compress", [f32(*batch), drawn("bool", n1)], {"axis": 1})
    yield Case("Compress", [f32(*batch), drawn("bool", n0 * n1 * n2)])


def pairs(n0, n1):
    count = n0 * n1 // 2
    return Input((count, 2), np.dtype(np.int64), lambda rng: np.stack(np.divmod(rng.permutation(n0 * n1)[:count], n1), 1))


def fills(batch):
    for mode in ("constant", "reflect", "edge", "wrap"):
        yield Case("Pad", [f32(*batch), fixed([0, 2, 3, 0, 2, 3])], {"mode": mode})
    for upper in (0, 1):
        yield Case("Trilu", [f32(*batch)], {"upper": upper})
    yield Case("OneHot", [i64(batch[0] * batch[1], high=batch[2]), fixed(batch[2]), fixed([0, 1], np.float32)])
    yield Case("OneHot", [i64(batch[0] * batch[1], high=batch[2]), fixed(batch[2]), fixed([0, 1], np.float32)], {"axis": 0})
    yield Case("ConstantOfShape", [fixed(batch)])
    yield Case("Range", [drawn("int64", low=0, high=1), drawn("int64", low=65536, high=65537), drawn("int64", low=1, high=2)])
    yield Case("EyeLike", [f32(512, 512)])


def searches(batch):
    n0, n1, n2 = batch
    yield Case("NonZero", [drawn("bool", *batch)])
    yield Case("NonZero", [f32(*batch)])
    yield Case("Unique", [i64(n0 * n1, high=1000)], outputs=4)
    yield Case("Unique", [f32(n0 * n1)])
    for k in (1, 5, 40, 100):
        yield Case("TopK", [f32(*batch), fixed([k])], outputs=2)
    yield Case("TopK", [f32(*batch), fixed([5])], {"axis": 1}, outputs=2)
    yield Case("TopK", [f32(n0 * n1 * n2), fixed([100])], outputs=2)
    yield Case("TopK", [f32(8, 30000), fixed([50])], outputs=2)
    yield Case("TopK", [f32(4, 8400), fixed([8400])], outputs=2)


def images(image):
    batch, channels, height, width = image
    for mode in ("DCR", "CRD"):
        yield Case("DepthToSpace", [f32(*image)], {"blocksize": 2, "mode": mode})
    yield Case("SpaceToDepth", [f32(*image)], {"blocksize": 2})
    doubled = fixed([1, 1, 2, 2], np.float32)
    for attributes in ({"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, {"mode": "nearest"}, {"mode": "linear"},
                       {"mode": "linear", "coordinate_transformation_mode": "align_corners"}, {"mode": "cubic"}):
        yield Case("Resize", [f32(*image), None, doubled], attributes)
        yield Case("Resize", [f32(*image), None, None, fixed([batch, channels, height * 2 // 3, width * 2 // 3])], attributes)
    yield Case("Resize", [f32(*image), None, fixed([1, 1, 0.5, 0.5], np.float32)], {"mode": "linear", "antialias": 1})
    grid = f32(batch, height, width, 2, low=-1.1, high=1.1)
    for mode in ("linear", "nearest", "cubic"):
        yield Case("GridSample", [f32(*image), grid], {"mode": mode})
    boxes = Input((64, 4), np.dtype(np.float32), lambda rng: np.sort(rng.uniform(0, height, (64, 2, 2)), 1).reshape(64, 4))
    for mode in ("avg", "max"):
        yield Case("RoiAlign", [f32(*image), boxes, i64(64, high=batch)], {"output_height": 7, "output_width": 7, "sampling_ratio": 2, "mode": mode})
    yield Case("Pad", [f32(*image), fixed([0, 0, 1, 1, 0, 0, 1, 1])])
    yield Case("Col2Im", [f32(batch, channels * 4, height * width // 4), fixed([height, width]), fixed([2, 2])], {"strides": [2, 2]})

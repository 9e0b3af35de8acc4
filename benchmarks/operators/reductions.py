"""Reductions, normalisations and pools."""

import numpy as np
from case import Case, drawn, f32, fixed, i64, weight

SIZES = ((64, 1024), (2048, 2048))
BATCHES = ((8, 64, 128), (64, 256, 256))
IMAGES = ((1, 64, 28, 28), (8, 64, 112, 112))


def cases():
    for batch in BATCHES:
        for op in ("ReduceSum", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceSumSquare"):
            for axes in ([2], [0], [1], [0, 2], [1, 2]):
                yield Case(op, [f32(*batch, low=0.9, high=1.1), fixed(axes)])
            yield Case(op, [f32(*batch, low=0.9, high=1.1)])
        for dtype in ("int32", "int64"):
            for axes in ([2], [1]):
                yield Case("ReduceSum", [drawn(dtype, *batch), fixed(axes)])
                yield Case("ReduceMax", [drawn(dtype, *batch), fixed(axes)])
        for axis in (0, 1, 2):
            yield Case("ArgMax", [f32(*batch)], {"axis": axis})
            yield Case("CumSum", [f32(*batch), fixed(axis)])
            yield Case("Softmax", [f32(*batch)], {"axis": axis})
            yield Case("LogSoftmax", [f32(*batch)], {"axis": axis})
        yield Case("Hardmax", [f32(*batch)])
        yield Case("CumSum", [i64(*batch), fixed(2)])
        yield Case("LpNormalization", [f32(*batch)])
        yield Case("LpNormalization", [f32(*batch)], {"axis": 1})
    yield Case("Softmax", [f32(4096, 10)])
    yield Case("Softmax", [f32(12, 197, 197)])
    yield from normalisations()
    yield from pools()


def normalisations():
    for rows, width in ((64, 768), *SIZES):
        yield Case("LayerNormalization", [f32(rows, width), weight(width), weight(width)])
        yield Case("RMSNormalization", [f32(rows, width), weight(width)])
        yield Case("SkipLayerNormalization", [f32(1, rows, width), f32(1, rows, width), weight(width), weight(width)], domain="com.microsoft")
    for image in IMAGES:
        channels = image[1]
        positive = fixed(np.full(channels, 0.7), np.float32)
        yield Case("InstanceNormalization", [f32(*image), weight(channels), weight(channels)])
        yield Case("GroupNormalization", [f32(*image), weight(channels), weight(channels)], {"num_groups": 8})
        yield Case("BatchNormalization", [f32(*image), weight(channels), weight(channels), weight(channels), positive])
        yield Case("MeanVarianceNormalization", [f32(*image)])
        yield Case("LRN", [f32(*image)], {"size": 5})


def pools():
    for image in IMAGES:
        for op in ("GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool"):
            yield Case(op, [f32(*image)])
        for op in ("MaxPool", "AveragePool", "LpPool"):
            yield Case(op, [f32(*image)], {"kernel_shape": [2, 2], "strides": [2, 2]})
            yield Case(op, [f32(*image)], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]})
        yield Case("MaxPool", [f32(*image)], {"kernel_shape": [5, 5], "pads": [2, 2, 2, 2]})
        yield Case("MaxPool", [f32(*image)], {"kernel_shape": [2, 2], "strides": [2, 2]}, outputs=2)
    yield Case("MaxPool", [f32(8, 64, 1024)], {"kernel_shape": [3], "strides": [2]})
    yield Case("MaxPool", [f32(2, 16, 16, 56, 56)], {"kernel_shape": [2, 2, 2], "strides": [2, 2, 2]})
    yield Case("AveragePool", [f32(2, 16, 16, 56, 56)], {"kernel_shape": [2, 2, 2], "strides": [2, 2, 2]})

"""56–61: indices out of range."""

import numpy as np

from refusal_cases.building import HUGE, I, ints, one, ones


def add():
    for index in (7, -8, HUGE, -(1 << 63)):
        one(f"56 gather at {index}", "Gather", [ones(3), ints(index)], "outside|range|index")
        one(f"56 gather elements at {index}", "GatherElements", [ones(3), ints(index)], "outside|range|index")
        one(f"57 gather of {index} dims", "GatherND", [ones(3), ints(index)], "outside|range|index")
        one(f"58 scatter to {index}", "ScatterElements", [ones(3), ints(index), ones(1)], "outside|range|index")
        one(f"58 scatter of {index} dims", "ScatterND", [ones(3), np.array([[index]], I), ones(1)], "outside|range|index")
        one(f"59 unpool from {index}", "MaxUnpool", [ones(1, 1, 1, 1), np.array([[[[index]]]], I)], "outside|range|index|indices", kernel_shape=[2, 2])
        one(f"60 region of image {index}", "RoiAlign", [ones(1, 1, 4, 4), ones(1, 4), ints(index)], "batch|outside|range")
        one(f"61 feature {index}", "ArrayFeatureExtractor", [ones(1, 3), ints(index)], "outside|range|index", domain="ai.onnx.ml")
    one("57 gather into a dim of 0", "GatherND", [ones(0, 2), np.array([[0]], I)], "outside|range|index")
    one("56 gather from nothing", "Gather", [ones(0), ints(0)], "outside|range|index")
    one("58 scatter with other updates", "ScatterND", [ones(3), np.array([[0]], I), ones(2)], "updates")
    one("56 compress beyond the end", "Compress", [ones(2), np.array([0, 0, 1, 1], bool)], "condition|outside|elements")
    one("56 take a sequence's tenth", "ReverseSequence", [ones(2, 3), ints(9, 1)], "sequence_lens|length|9")
    one("56 tensor scatter beyond the cache", "TensorScatter", [ones(1, 1, 2, 1), ones(1, 1, 1, 1), ints(7)], "write_indices|outside|range|7", opset=24)

"""Text."""

import numpy as np
from onnx import TensorProto

from case import Case


def texts(r, *shape):
    flat = ["".join(r.pick("a", "ab", "b", "c", " ", ",", "é", "漢", "1", "22", ".") for _ in range(r.between(0, 9))) for _ in range(int(np.prod(shape)))]
    array = np.empty(len(flat), object)
    array[:] = flat
    return array.reshape(shape)


def tokenizer(r):
    attributes = {"mark": r.pick(0, 1), "mincharnum": r.pick(1, 1, 2), "pad_value": r.pick("#", "<pad>", "")}
    if r.chance():
        attributes["separators"] = r.pick([""], [" "], [" ", ","], ["a|ab"], ["[ ,.]+"], ["b", "é"], ["x*"])
    else:
        attributes["tokenexp"] = r.pick(".", "[a-c]+", "a|ab", "[0-9]+|[a-z]", "\\w+", "漢|é", "a*")
    return Case("Tokenizer", [texts(r, *r.pick((3,), (1,), (2, 2), (0,), (2, 0)))], attributes, output_types={0: TensorProto.STRING})


FAMILIES = {"Tokenizer": tokenizer}

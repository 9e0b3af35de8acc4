"""75: tensors without elements."""

import numpy as np

from refusal_cases.building import F, I, ints, one, ones


def add():
    none = ones(0, 3)
    for op, inputs, attributes in [("MatMul", [none, ones(3, 2)], {}), ("MatMul", [ones(2, 0), ones(0, 2)], {}), ("Add", [none, ones(3)], {}), ("Softmax", [none], {}),
                                   ("Conv", [ones(0, 1, 4, 4), ones(1, 1, 2, 2)], {}), ("Gather", [ones(3), np.zeros(0, I)], {}), ("Concat", [none, none], {"axis": 0}),
                                   ("ReduceSum", [none], {}), ("Transpose", [none], {}), ("Resize", [ones(0, 1, 2, 2), None, np.array([1, 1, 2, 2], F)], {}),
                                   ("NonZero", [none], {}), ("Unique", [ones(0)], {}), ("CumSum", [none, np.int64(0)], {}), ("LayerNormalization", [none, ones(3)], {}),
                                   ("Attention", [ones(0, 1, 2, 4)] * 3, {}), ("MaxPool", [ones(0, 1, 4, 4)], {"kernel_shape": [2, 2]}), ("Einsum", [none], {"equation": "ij->j"}),
                                   ("Where", [np.zeros((0, 3), bool), none, none], {}), ("Pad", [ones(0), ints(1, 1)], {}), ("ScatterND", [ones(3), np.zeros((0, 1), I), ones(0)], {})]:
        one(f"75 nothing for {op}", op, inputs, "", outputs=1, **attributes)
    one("75 the largest of nothing", "ReduceMax", [ones(0)], "")
    one("75 the place of the largest of nothing", "ArgMax", [ones(0)], "empty|axis|0")

"""Normalisations of sums and embeddings."""

import numpy as np
from onnx import TensorProto

from case import Case


def skip(op, has_beta):
    def draw(r):
        batch, length, hidden = r.pick(1, 2, 3), r.pick(1, 5, 16), r.pick(4, 7, 64)
        flat = r.chance(0.3)
        x = r.normal(*((length, hidden) if flat else (batch, length, hidden)))
        other = r.normal(*(x.shape if flat or r.chance(0.6) else r.pick((1, length, hidden), (length, hidden))))
        parameters = [r.normal(hidden)]
        if has_beta:
            parameters.append(r.normal(hidden) if r.chance() else None)
        parameters.append(r.normal(hidden) if r.chance() else None)
        outputs = [True, False, False, True] if r.chance() else 1
        attributes = {"epsilon": r.pick(1e-5, 1e-6, 0.1)} if r.chance(0.8) else {}
        return Case(op, [x, other, *parameters], attributes, outputs, dtype=r.pick("float32", "float16", "bfloat16"), symbolic=r.chance(0.3),
                    constant={2} if r.chance() else ())
    return draw


def embed(r):
    batch, length, hidden = r.pick(1, 2, 3), r.pick(1, 5, 16), r.pick(4, 8, 64)
    segments = r.chance()
    mask = None
    if r.chance():
        mask = np.zeros((batch, length), np.int32)
        for row in mask:
            row[:r.between(0, length)] = 1
    positions = None
    if r.chance():
        positions = r.ints(0, 20, r.pick(1, batch), length).astype(np.int32)
    inputs = [r.ints(0, 30, batch, length).astype(np.int32), r.ints(0, 2, batch, length).astype(np.int32) if segments else None, r.normal(30, hidden),
              r.normal(20, hidden), r.normal(2, hidden) if segments else None, r.normal(hidden), r.normal(hidden), mask, positions]
    outputs = [True, True] + ([True] if r.chance() else [])
    return Case("EmbedLayerNormalization", inputs, {"epsilon": 1e-5} if r.chance() else {}, outputs, dtype=r.pick("float32", "float16", "bfloat16"),
                symbolic=r.chance(0.3), output_types={1: TensorProto.INT32}, constant={2, 3, 4, 5, 6} if segments else {2, 3, 5, 6})


FAMILIES = {
    "SkipLayerNormalization": skip("SkipLayerNormalization", True),
    "SkipSimplifiedLayerNormalization": skip("SkipSimplifiedLayerNormalization", False),
    "EmbedLayerNormalization": embed,
}

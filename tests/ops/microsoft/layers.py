"""Cases of whole layers on quantised values."""

import itertools

import numpy as np

from cases import Case

F = np.float32


def lstm(rng):
    """ONNX Runtime rounds activations to 8 bits before each product and onnxrun does not: with weights of this size the states, which lie in (-1, 1), stay
    within 0.02 of each other."""
    result = []
    seq, batch, size, hidden = 5, 2, 8, 6
    for kind, columns, direction in itertools.product((np.int8, np.uint8), (False, True), ("forward", "reverse", "bidirectional")):
        d = 2 if direction == "bidirectional" else 1

        def weights(rows):
            shape = (d, 4 * hidden) if columns else (d,)
            zero = np.full(shape, 0 if kind == np.int8 else rng.integers(100, 150), kind)  # one for all is all that ONNX Runtime takes
            return (rng.integers(np.iinfo(kind).min, np.iinfo(kind).max + 1, (d, rows, 4 * hidden)).astype(kind),), (rng.uniform(0.002, 0.006, shape).astype(F),), (zero,)

        (w, w_scale, w_zero), (r, r_scale, r_zero) = weights(size), weights(hidden)
        for optional in (False, True):
            extras = [None] * 5
            if optional:
                extras = [(rng.normal(0, 0.1, (d, 8 * hidden)).astype(F),), np.array([5, 3], np.int32), rng.uniform(-0.5, 0.5, (d, batch, hidden)).astype(F),
                          rng.uniform(-0.5, 0.5, (d, batch, hidden)).astype(F), (rng.normal(0, 0.1, (d, 3 * hidden)).astype(F),)]
            x = rng.uniform(-1, 1, (seq, batch, size)).astype(F)
            result.append(Case("DynamicQuantizeLSTM", [x, w, r, *extras, w_scale, w_zero, r_scale, r_zero], {"hidden_size": hidden, "direction": direction}, outputs=3,
                               note=f"{np.dtype(kind).name} columns={columns} {direction} optional={optional}", atol=0.02))
    return result


def embeddings(rng):
    result = []
    for kind, segments, masked in itertools.product((np.uint8, np.int8), (True, False), (True, False)):
        def table(*shape):
            return (rng.integers(np.iinfo(kind).min, np.iinfo(kind).max + 1, shape).astype(kind),)

        def zero():
            return (np.array(rng.integers(0, 20), kind),)

        def scale():
            return (np.array(rng.uniform(0.005, 0.02), F),)

        ids, mask = rng.integers(0, 30, (2, 7)).astype(np.int32), (np.arange(7) < np.array([[7], [4]])).astype(np.int32)
        kinds = rng.integers(0, 2, (2, 7)).astype(np.int32)
        inputs = [ids, kinds if segments else None, table(30, 16), table(12, 16), table(2, 16) if segments else None, table(16), table(16), mask if masked else None,
                  scale(), scale(), scale() if segments else None, scale(), scale(), zero(), zero(), zero() if segments else None, zero(), zero()]
        result.append(Case("QEmbedLayerNormalization", inputs, {"epsilon": 1e-5}, outputs=2, note=f"{np.dtype(kind).name} segments={segments} mask={masked}",
                           rtol=1e-5, atol=1e-5))
    return result


def cases(seed):
    rng = np.random.default_rng(seed)
    return [*lstm(rng), *embeddings(rng)]

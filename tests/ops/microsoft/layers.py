"""Cases of whole layers on quantised values."""

import itertools

import numpy as np

from cases import Case, build, random_bytes, run_peer

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
            return (random_bytes(rng, kind, (d, rows, 4 * hidden)),), (rng.uniform(0.002, 0.006, shape).astype(F),), (zero,)

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


def attention(rng):
    result = []
    batch, length, size, heads, head, past = 2, 6, 20, 3, 8, 4
    width = 3 * heads * head
    masks = {"none": None, "ends": np.array([6, 4], np.int32), "ends and starts": np.array([6, 4, 1, 0], np.int32),
             "raw": (np.arange(length) < np.array([[6], [3]])).astype(np.int32), "raw 3D": (rng.random((batch, length, length)) < 0.7).astype(np.int32)}
    masks["raw 3D"][:, :, 0] = 1
    for (x_kind, w_kind), columns, (mask_name, mask), causal in itertools.product(((np.uint8, np.int8), (np.uint8, np.uint8), (np.int8, np.int8)), (False, True),
                                                                               masks.items(), (0, 1)):
        def draw(kind, *shape):
            return random_bytes(rng, kind, shape)

        shape = (width,) if columns else ()
        zeros = np.zeros(shape, w_kind) if w_kind == np.int8 else draw(w_kind, *shape)
        for with_past in (False, True) if mask_name == "none" else (False,):
            inputs = [draw(x_kind, batch, length, size), (draw(w_kind, size, width),), (rng.normal(0, 0.1, width).astype(F),), (np.array(0.02, F),),
                      (np.asarray(rng.uniform(0.005, 0.02, shape), F),), mask, (draw(x_kind),), (zeros,),
                      rng.normal(0, 1, (2, batch, heads, past, head)).astype(F) if with_past else None]
            expected = None
            if x_kind == np.int8:  # for which ONNX Runtime has no kernel: its Attention on the float values
                x, w = ((values.astype(F) - z.astype(F)) * s for values, z, s in ((inputs[0], inputs[6][0], inputs[3][0]), (inputs[1][0], zeros, inputs[4][0])))
                plain = Case("Attention", [x, w, inputs[2][0], mask, inputs[8]], {"num_heads": heads, "unidirectional": causal}, outputs=2 if with_past else 1)
                expected = run_peer(build(plain)[0], plain)
            result.append(Case("QAttention", inputs, {"num_heads": heads, "unidirectional": causal}, outputs=2 if with_past else 1,
                               note=f"{np.dtype(x_kind).name} {np.dtype(w_kind).name} columns={columns} mask {mask_name} causal={causal} past={with_past}",
                               expected=expected, rtol=1e-4, atol=1e-4))
    return result


def cases(seed):
    rng = np.random.default_rng(seed)
    return [*lstm(rng), *embeddings(rng), *attention(rng)]

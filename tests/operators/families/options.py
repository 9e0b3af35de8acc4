"""Attributes and inputs that few models set."""

import numpy as np
from cases import Case, elem_type, is_float, is_integer, operator
from families.network import wide
from onnx import TensorProto


@operator("Attention")
def attention(g):
    for dtype in g.types(0):
        for _ in range(6 if dtype == np.float32 else 2):
            heads, kv, seq, total, size = 2, g.pick([1, 2]), 4, 6, 4
            q, k, v = [g.array(dtype, s) for s in ((2, heads, seq, size), (2, kv, total, size), (2, kv, total, size))]
            attributes, inputs = {}, [q, k, v, None]
            if g.version >= 24 and g.chance():
                inputs += [None, None, np.array(g.rng.integers(seq, total + 1, 2), dtype=np.int64)]
            if g.version >= 25 and g.chance(0.7):
                attributes["left_window_size"] = int(g.rng.integers(0, 4))
                if g.chance():
                    attributes["right_window_size"] = int(g.rng.integers(0, 3))
            if g.chance():
                attributes["is_causal"] = 1
            outputs = 1
            if len(inputs) == 4 and g.chance(0.4):
                outputs, attributes["qk_matmul_output_mode"] = 4, g.pick([0, 1, 2, 3])
            if outputs == 4:
                inputs += [g.array(dtype, (2, kv, 2, size)), g.array(dtype, (2, kv, 2, size))]
            yield Case(inputs, attributes, outputs, rtol=1e-4, atol=1e-4, magnitude=4)


@operator("Cast", "CastLike")
def saturating(g):
    if "saturate" not in g.schema.attributes:
        return
    x = np.array([0, -0.0, 1, -1, 0.1, 448, 449, 480, 1e4, -1e4, 57344, 6e4, 1e9, -1e9, np.inf, -np.inf, np.nan, 2**-9, 2**-10, 2**-17, 1e-9])
    for dtype in [t for t in g.types(0) if is_float(t)]:
        for target in [t for t in g.types(0, outputs=True) if "float8_e4" in np.dtype(t).name or "float8_e5" in np.dtype(t).name]:
            for saturate in (0, 1):
                with np.errstate(all="ignore"):
                    given = x.astype(dtype)
                if g.op == "Cast":
                    yield Case([given], {"to": elem_type(target), "saturate": saturate})
                else:
                    yield Case([given, np.zeros(1, target)], {"saturate": saturate})


@operator("Cast")
def powers_of_two(g):
    if "round_mode" not in g.schema.attributes:
        return
    for dtype in [t for t in g.types(0) if is_float(t)]:
        for mode in ("up", "down", "nearest"):
            for saturate in (0, 1):
                x = np.abs(g.array(dtype, (40,), 0, 9)) + np.array(0.01).astype(dtype)
                yield Case([x], {"to": TensorProto.FLOAT8E8M0, "round_mode": mode, "saturate": saturate})


@operator("Cast")
def numbers_as_text(g):
    if g.version < 9:
        return
    for dtype in (np.int8, np.int32, np.int64, np.uint8, np.uint64, np.int16):
        yield Case([g.array(dtype, (3, 4), -100, 100)], {"to": TensorProto.STRING}, expect=lambda x: np.array([str(v) for v in x.ravel()], dtype=object).reshape(x.shape))
    for text, value in [("1e-3", 1e-3), ("+5", 5), ("  7", 7), ("INF", np.inf), ("-inf", -np.inf), ("NaN", np.nan), ("-0", -0.0), ("1E+05", 1e5)]:
        for target in (np.float32, np.float64):
            yield Case([np.array([text], dtype=object)], {"to": elem_type(target)}, expect=lambda x, v=value, t=target: np.array([v], dtype=t))


@operator("QuantizeLinear", "DequantizeLinear")
def quantisation(g):
    names = g.schema.attributes
    if g.op == "DequantizeLinear":
        if "output_dtype" in names:
            for target in g.types(0, outputs=True):
                yield Case([g.array(np.int8, (3, 4), -100, 100), np.array(0.25, dtype=np.float32)], {"output_dtype": elem_type(target)},
                           expect=lambda x, s, t=target: (x * np.float32(s)).astype(t))
        return
    if "output_dtype" in names:
        for target in [t for t in g.types(0, outputs=True) if is_integer(t)]:
            x, low = g.array(np.float32, (4, 5), 0, 20), np.array(2.0, dtype=np.float32)
            from cases import integer_range

            yield Case([x, low], {"output_dtype": elem_type(target)},
                       expect=lambda x, s, t=target: np.clip(np.rint(x / s), *integer_range(t)).astype(t))
    if "precision" in names:
        for precision in (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16):
            yield Case([g.array(np.float32, (4, 5), -50, 50), np.array(0.3, dtype=np.float32), np.array(3, dtype=np.int8)], {"precision": precision})
    if "saturate" in names:
        for target in [t for t in g.types(0, outputs=True) if "float8_e4" in np.dtype(t).name or "float8_e5" in np.dtype(t).name]:
            for saturate in (0, 1):
                x = np.array([0, 1, -1, 500, -500, 1e5, -1e6, 3.3, np.nan], dtype=np.float32)
                yield Case([x, np.array(1, dtype=np.float32), np.zeros((), target)], {"saturate": saturate})


@operator("ConvTranspose")
def transposed(g):
    for dtype in g.types():
        for attributes in ({"output_shape": [10, 9]}, {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"}, {"auto_pad": "VALID"}, {"output_shape": [9, 9], "auto_pad": "SAME_LOWER"}):
            x, w = g.array(dtype, (1, 2, 5, 5)), g.array(dtype, (2, 3, 3, 3))
            strides = [2, 2]

            def expect(x, w, a=attributes):
                full = np.zeros((1, 3, 11, 11))
                for i in range(3):
                    for j in range(3):
                        full[:, :, i:i + 9:2, j:j + 9:2] += np.einsum("nchw,co->nohw", wide(x), wide(w)[:, :, i, j])
                mode = a.get("auto_pad", "NOTSET")
                out = a.get("output_shape") or ([10, 10] if mode.startswith("SAME") else [11, 11])
                cut = []
                for size in out:
                    total = 11 - size
                    begin = total // 2 if mode == "SAME_UPPER" or (mode == "NOTSET" and total % 2 == 0) else total - total // 2
                    cut.append(slice(begin, begin + size))
                return full[(slice(None), slice(None), *cut)].astype(x.dtype)

            yield Case([x, w], {"strides": strides, **attributes}, expect=expect, rtol=2e-5, atol=2e-5, magnitude=16)


ACTIVATIONS = {
    "Tanh": np.tanh, "Sigmoid": lambda x: 1 / (1 + np.exp(-x)), "Relu": lambda x: np.maximum(x, 0), "Affine": lambda x, a=1.0, b=0.0: a * x + b,
    "LeakyRelu": lambda x, a=0.01: np.where(x < 0, a * x, x), "HardSigmoid": lambda x, a=0.2, b=0.5: np.clip(a * x + b, 0, 1),
    "ScaledTanh": lambda x, a, b: a * np.tanh(b * x), "Elu": lambda x, a=1.0: np.where(x < 0, a * np.expm1(x), x), "Softsign": lambda x: x / (1 + np.abs(x)),
    "Softplus": lambda x: np.log1p(np.exp(x)), "ThresholdedRelu": lambda x, a=1.0: np.where(x >= a, x, 0),
}
PARAMETERS = {"Affine": (0.5, 0.25), "LeakyRelu": (0.1,), "HardSigmoid": (0.3, 0.4), "ScaledTanh": (0.8, 0.6), "Elu": (0.7,), "ThresholdedRelu": (0.2,)}


@operator("RNN")
def activations(g):
    for dtype in g.types(0):
        for name in ACTIVATIONS:
            for clip in (None, 0.4):
                alpha, beta = (*PARAMETERS.get(name, ()), None, None)[:2]
                attributes = {"hidden_size": 3, "activations": [name]}
                if alpha is not None:
                    attributes["activation_alpha"] = [alpha]
                if beta is not None:
                    attributes["activation_beta"] = [beta]
                if clip is not None:
                    attributes["clip"] = clip

                def expect(x, w, r, name=name, clip=clip):
                    h, ys = np.zeros((x.shape[1], 3)), []
                    for t in range(x.shape[0]):
                        total = wide(x)[t] @ wide(w)[0].T + h @ wide(r)[0].T
                        total = total if clip is None else np.clip(total, -np.float32(clip), np.float32(clip))
                        h = ACTIVATIONS[name](total, *[float(np.float32(p)) for p in PARAMETERS.get(name, ())])
                        ys.append(h)
                    return np.stack(ys)[:, None].astype(x.dtype), h[None].astype(x.dtype)

                inputs = [g.array(dtype, (3, 2, 4), -1, 1), g.array(dtype, (1, 3, 4), -1, 1), g.array(dtype, (1, 3, 3), -1, 1)]
                yield Case(inputs, attributes, 2, expect=expect, rtol=1e-4, atol=1e-5, magnitude=2)


@operator("LSTM")
def coupled(g):
    for dtype in g.types(0):
        def expect(x, w, r):
            h, c, size = np.zeros((x.shape[1], 3)), np.zeros((x.shape[1], 3)), 3
            sigmoid, ys = ACTIVATIONS["Sigmoid"], []
            for t in range(x.shape[0]):
                total = wide(x)[t] @ wide(w)[0].T + h @ wide(r)[0].T
                i, o, _, n = (total[:, k * size:(k + 1) * size] for k in range(4))
                i = sigmoid(i)
                c = (1 - i) * c + i * np.tanh(n)
                h = sigmoid(o) * np.tanh(c)
                ys.append(h)
            return tuple(v.astype(x.dtype) for v in (np.stack(ys)[:, None], h[None], c[None]))

        inputs = [g.array(dtype, (3, 2, 4), -1, 1), g.array(dtype, (1, 12, 4), -1, 1), g.array(dtype, (1, 12, 3), -1, 1)]
        yield Case(inputs, {"hidden_size": 3, "input_forget": 1}, 3, expect=expect, rtol=1e-4, atol=1e-5, magnitude=2)


@operator("Resize")
def ranks(g):
    if g.version < 11:
        return
    for shape, scales in [((7,), [1.7]), ((5, 4), [2.0, 0.5]), ((2, 3, 4), [1.0, 2.0, 1.5]), ((1, 1, 3, 4, 5), [1.0, 1.0, 2.0, 1.0, 0.6])]:
        for mode in ("nearest", "linear"):
            for how in ("half_pixel", "align_corners", "asymmetric"):
                empty = np.array([], dtype=np.float32) if g.version < 13 else None
                yield Case([g.array(np.float32, shape), empty, np.array(scales, dtype=np.float32)], {"mode": mode, "coordinate_transformation_mode": how},
                           rtol=1e-4, atol=1e-4, magnitude=8, single=True)


@operator("EyeLike", "Gather", "Squeeze", "Concat", "Transpose")
def defaults(g):
    x = g.array(np.float32, (1, 3))
    if g.op == "EyeLike":
        yield Case([x], {}, expect=lambda x: np.eye(1, 3, dtype=np.float32))
    elif g.op == "Gather":
        yield Case([x, np.array([0, 0])], {}, expect=lambda x, i: x[[0, 0]])
    elif g.op == "Squeeze":
        yield Case([x], {}, expect=np.squeeze) if g.version != 1 else Case([x], {"axes": [0]}, expect=np.squeeze)
    elif g.op == "Concat":
        yield Case([x] * 40, {"axis": 1}, expect=lambda *x: np.concatenate(x, 1))
    else:
        yield Case([g.array(np.float32, (2, 3, 1, 2, 2, 1, 2))], {}, expect=np.transpose)

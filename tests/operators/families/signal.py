"""Transforms, windows, recurrent layers, losses and random numbers."""

import numpy as np
from cases import Case, elem_type, is_float, operator


@operator("DFT")
def dft(g):
    for dtype in g.types(0):
        for size in (1, 4, 7, 16, 30, 37, 44):
            for parts in (1, 2):
                x = g.array(dtype, (2, size, 3, parts))
                inverse = int(parts == 2 and g.chance())
                half = int(parts == 1 and g.chance())
                length = g.pick([None, size + 3, max(size - 2, 1)])

                def expect(x, n=None, axis=None, inverse=inverse, half=half):
                    z = x[..., 0].astype(np.float64) + (1j * x[..., 1].astype(np.float64) if x.shape[-1] == 2 else 0)
                    n = None if n is None else int(n)
                    y = np.fft.rfft(z.real, n, 1) if half else (np.fft.ifft if inverse else np.fft.fft)(z, n, 1)
                    return np.stack([y.real, y.imag], -1).astype(x.dtype)

                attributes = {"inverse": inverse, "onesided": half}
                inputs = [x, None if length is None else np.array(length, dtype=g.pick([np.int32, np.int64]))]
                if g.version < 20:
                    attributes["axis"] = 1
                else:
                    inputs.append(np.array(g.pick([1, -3]), dtype=np.int64))
                yield Case(inputs, attributes, expect=expect, rtol=1e-5, atol=1e-5, magnitude=30)


@operator("STFT")
def stft(g):
    for dtype in g.types(0):
        for parts in (1, 2):
            for length, step, half in [(8, 4, 1), (7, 3, 0), (16, 5, 1)]:
                half = half if parts == 1 else 0
                x, window = g.array(dtype, (2, 32, parts)), g.pick([None, g.array(dtype, (length,), 0, 1)])

                def expect(x, step, window=None, length=None, half=half, plan=length):
                    z = x[..., 0].astype(np.float64) + (1j * x[..., 1].astype(np.float64) if x.shape[-1] == 2 else 0)
                    frames = np.stack([z[:, i:i + plan] for i in range(0, z.shape[1] - plan + 1, int(step))], 1)
                    frames = frames * (1 if window is None else window.astype(np.float64))
                    y = np.fft.rfft(frames.real, axis=2) if half else np.fft.fft(frames, axis=2)
                    return np.stack([y.real, y.imag], -1).astype(x.dtype)

                kind = g.pick([np.int32, np.int64])
                yield Case([x, np.array(step, dtype=kind), window, np.array(length, dtype=kind)], {"onesided": half}, expect=expect, rtol=1e-5, atol=1e-5,
                           magnitude=30)


@operator("HannWindow", "HammingWindow", "BlackmanWindow")
def window(g):
    for target in g.types(0, outputs=True):
        for size in (1, 5, 10):
            periodic = int(g.chance())

            def expect(n, periodic=periodic, target=target):
                n = int(n)
                angle = 2 * np.pi * np.arange(n) / (n if periodic else max(n - 1, 1))
                y = {"HannWindow": 0.5 - 0.5 * np.cos(angle), "HammingWindow": 25 / 46 - 21 / 46 * np.cos(angle),
                     "BlackmanWindow": 0.42 - 0.5 * np.cos(angle) + 0.08 * np.cos(2 * angle)}[g.op]
                return y.astype(target)

            if is_float(target) and size > 1:
                yield Case([np.array(size, dtype=g.pick(g.types(0)))], {"periodic": periodic, "output_datatype": elem_type(target)}, expect=expect, rtol=1e-5, atol=1e-5)


@operator("MelWeightMatrix")
def mel(g):
    for bins, length, rate in [(8, 16, 8192), (4, 64, 16000), (13, 128, 22050)]:
        values = [np.array(v, dtype=np.int64) for v in (bins, length, rate)] + [np.array(v, dtype=np.float32) for v in (100.0, rate / 2 - 96.0)]
        yield Case(values, {}, rtol=1e-4, atol=1e-4)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def recurrent(op, x, w, r, b, lengths, h, c, p, backward, linear):
    """One direction over x [time, batch, input], in float64: outputs and the last states."""
    steps, batch = x.shape[:2]
    size = r.shape[-1]
    bias_w, bias_r = b[:w.shape[0]], b[w.shape[0]:]
    out = np.zeros((steps, batch, size))
    for n in range(batch):
        order = range(int(lengths[n]))
        for t in reversed(order) if backward else order:
            gates, recur = w @ x[t, n] + bias_w, r @ h[n] + bias_r
            if op == "RNN":
                h[n] = np.tanh(gates + recur)
            elif op == "GRU":
                z, s = (sigmoid(gates[k * size:(k + 1) * size] + recur[k * size:(k + 1) * size]) for k in range(2))
                last = slice(2 * size, None)
                inner = s * recur[last] if linear else r[last] @ (s * h[n]) + bias_r[last]
                new = np.tanh(gates[last] + inner)
                h[n] = (1 - z) * new + z * h[n]
            else:
                i, o, f, a = np.split(gates + recur, 4)
                i, f = sigmoid(i + p[:size] * c[n]), sigmoid(f + p[2 * size:] * c[n])
                c[n] = f * c[n] + i * np.tanh(a)
                o = sigmoid(o + p[size:2 * size] * c[n])
                h[n] = o * np.tanh(c[n])
            out[t, n] = h[n]
    return out, h, c


@operator("RNN", "GRU", "LSTM")
def rnn(g):
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[g.op]
    for dtype in g.types(0):
        for direction in ("forward", "reverse", "bidirectional"):
            for _ in range(2):
                directions, steps, batch, inputs, size = 2 if direction == "bidirectional" else 1, 4, 3, 2, 5
                layout = int(g.version >= 14 and g.chance(0.3))
                x = g.array(dtype, (steps, batch, inputs), -1, 1)
                w, r = g.array(dtype, (directions, gates * size, inputs), -1, 1), g.array(dtype, (directions, gates * size, size), -1, 1)
                b = g.array(dtype, (directions, 2 * gates * size), -1, 1) if g.chance() else None
                lengths = np.array(g.rng.integers(1, steps + 1, batch), dtype=np.int32) if g.chance() else None
                h = g.array(dtype, (directions, batch, size), -1, 1) if g.chance() else None
                c = g.array(dtype, (directions, batch, size), -1, 1) if g.op == "LSTM" and g.chance() else None
                p = g.array(dtype, (directions, 3 * size), -1, 1) if g.op == "LSTM" and g.chance() else None
                attributes = {"hidden_size": size, "direction": direction}
                linear = g.op == "GRU" and g.version >= 3 and g.chance()
                if linear:
                    attributes["linear_before_reset"] = 1
                if layout:
                    attributes["layout"] = 1
                if g.version < 7 and g.chance():
                    attributes["output_sequence"] = 1
                outputs = 3 if g.op == "LSTM" else 2
                flip = (lambda v: None if v is None else np.swapaxes(v, 0, 1)) if layout else (lambda v: v)

                def expect(x, w, r, b=None, lengths=None, h=None, c=None, p=None, plan=(directions, layout, linear, size, flip)):
                    directions, layout, linear, size, flip = plan
                    x = flip(x).astype(np.float64)
                    steps, batch = x.shape[:2]
                    lengths = [steps] * batch if lengths is None else lengths
                    start = [np.zeros((directions, batch, size)) if v is None else flip(v).astype(np.float64) for v in (h, c)]
                    ys, hs, cs = [], [], []
                    for d in range(directions):
                        bias = np.zeros(2 * w.shape[1]) if b is None else b[d].astype(np.float64)
                        peep = np.zeros(3 * size) if p is None else p[d].astype(np.float64)
                        y, last_h, last_c = recurrent(g.op, x, w[d].astype(np.float64), r[d].astype(np.float64), bias, lengths, start[0][d].copy(), start[1][d].copy(), peep,
                                                      direction_of(d, directions, g.reverse), linear)
                        ys.append(y), hs.append(last_h), cs.append(last_c)
                    y, h1, c1 = np.stack(ys, 1), np.stack(hs), np.stack(cs)
                    if layout:
                        y, h1, c1 = y.transpose(2, 0, 1, 3), h1.swapaxes(0, 1), c1.swapaxes(0, 1)
                    return tuple(v.astype(w.dtype) for v in ((y, h1, c1) if g.op == "LSTM" else (y, h1)))

                def bound(*inputs, expect=expect, reverse=direction == "reverse"):
                    g.reverse = reverse
                    return expect(*inputs)

                values = [flip(x), w, r, b, lengths, flip(h)] + ([flip(c), p] if g.op == "LSTM" else [])
                yield Case(values, attributes, outputs, expect=bound, rtol=1e-4, atol=1e-5, magnitude=2)


def direction_of(index, directions, reverse):
    return index == 1 if directions == 2 else reverse


@operator("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss")
def losses(g):
    for dtype in g.types(0):
        for shape in [(3, 5), (2, 4, 3), (2, 3, 2, 2)]:
            for reduction in ("none", "mean", "sum"):
                x, target = g.array(dtype, shape), g.rng.integers(0, shape[1], (shape[0], *shape[2:])).astype(g.pick(g.types(1)))
                weight = np.asarray(g.rng.uniform(0.5, 2, shape[1])).astype(dtype) if g.chance() else None
                ignore = g.pick([None, 1])
                log = g.op == "SoftmaxCrossEntropyLoss" and g.chance()

                def expect(x, target, weight=None, reduction=reduction, ignore=ignore, log=log):
                    v = x.astype(np.float64)
                    if g.op == "SoftmaxCrossEntropyLoss":
                        v = v - v.max(1, keepdims=True)
                        v = v - np.log(np.exp(v).sum(1, keepdims=True))
                    scale = (np.ones(x.shape[1]) if weight is None else weight.astype(np.float64))[target]
                    scale = np.where(target == ignore, 0, scale) if ignore is not None else scale
                    each = -np.take_along_axis(v, np.expand_dims(target.astype(np.int64), 1), 1)[:, 0] * scale
                    with np.errstate(all="ignore"):
                        result = each if reduction == "none" else each.sum() if reduction == "sum" else each.sum() / scale.sum()
                    result = np.asarray(result).astype(x.dtype)
                    return (result, v.astype(x.dtype)) if log else result

                attributes = {"reduction": reduction, **({} if ignore is None else {"ignore_index": ignore})}
                yield Case([x, target, weight], attributes, 2 if log else 1, expect=expect, magnitude=4)


def moments(y, mean, deviation, slack=6):
    """What is wrong with the mean or the spread of samples that should have these."""
    v = y.astype(np.float64)
    if abs(v.mean() - mean) > slack * deviation / np.sqrt(v.size):
        return f"mean {v.mean()}, expected {mean}"
    if abs(v.std() - deviation) > slack * deviation / np.sqrt(v.size):
        return f"deviation {v.std()}, expected {deviation}"
    return None


@operator("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike")
def generators(g):
    like, normal = g.op.endswith("Like"), "Normal" in g.op
    for target in g.types(0, outputs=True):
        for _ in range(2):
            attributes = {"mean": 2.0, "scale": 0.5} if normal else {"low": -1.0, "high": 3.0}
            if g.chance():
                attributes["seed"] = 7.0
            attributes["dtype"] = elem_type(target)
            if not like:
                attributes["shape"] = [100, 80]

            def check(outputs, target=target):
                y = outputs[0]
                if y.shape != (100, 80) or y.dtype != target:
                    return f"{y.dtype}{y.shape}"
                if not normal and (y.astype(np.float64).min() < -1 or y.astype(np.float64).max() > 3):
                    return "out of range"
                return moments(y, *((2.0, 0.5) if normal else (1.0, 4 / np.sqrt(12))), slack=8)

            yield Case([g.array(g.pick([t for t in g.types(0) if t != object]), (100, 80))] if like else [], attributes, check=check)


@operator("Bernoulli")
def bernoulli(g):
    for dtype in g.types(0):
        for target in [None] + g.types(0, outputs=True):
            p = np.repeat(np.linspace(0, 1, 11), 800).reshape(11, 800).astype(dtype)

            def check(outputs, p=p, target=target or dtype):
                y = outputs[0]
                if y.dtype != np.dtype(target) or y.shape != p.shape:
                    return f"{y.dtype}{y.shape}"
                y = y.astype(np.float64)
                if not set(np.unique(y)) <= {0.0, 1.0}:
                    return "values beside 0 and 1"
                wrong = np.abs(y.mean(1) - p.astype(np.float64)[:, 0]) > 6 * np.sqrt(0.25 / 800)
                return f"means {y.mean(1)}" if wrong.any() or y[0].any() or not y[-1].all() else None

            yield Case([p], {} if target is None else {"dtype": elem_type(target)}, check=check)


@operator("Multinomial")
def multinomial(g):
    for dtype in g.types(0):
        for target in g.types(0, outputs=True):
            shares = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 1e-9]])

            def check(outputs, target=target):
                y = outputs[0]
                if y.dtype != target or y.shape != (2, 5000):
                    return f"{y.dtype}{y.shape}"
                found = np.array([[(row == k).mean() for k in range(3)] for row in y])
                return f"shares {found}" if (np.abs(found - shares) > 6 * np.sqrt(0.25 / 5000)).any() else None

            yield Case([np.log(shares).astype(dtype)], {"sample_size": 5000, "dtype": elem_type(target)}, check=check)


@operator("Dropout")
def dropout(g):
    for dtype in g.types(0):
        x = g.array(dtype, (40, 50), 1, 4)
        mask_type = np.dtype(bool) if g.version >= 10 else np.dtype(dtype)
        for mask in (False, True):
            if g.version < 12:
                attributes = {} if g.chance() else {"ratio": 0.3}
                if g.version < 7:
                    attributes["is_test"] = 1
                yield Case([x], attributes, 2 if mask else 1, expect=lambda x, m=mask, t=mask_type: (x, np.ones(x.shape, t)) if m else x,
                           ignore=(1,) if g.version < 10 else ())
                continue
            yield Case([x], {}, 2 if mask else 1, expect=lambda x, m=mask: (x, np.ones(x.shape, bool)) if m else x)
            if not is_float(dtype):
                continue

            def check(outputs, x=x):
                y, kept = outputs[0].astype(np.float64), outputs[1]
                if abs(kept.mean() - 0.75) > 0.06:
                    return f"{kept.mean()} kept, expected 0.75"
                want = np.where(kept, x.astype(np.float64) / 0.75, 0)
                return None if np.allclose(y, want, rtol=2e-2) else "not scaled by 1 / (1 - ratio)"

            yield Case([x, np.array(0.25, dtype=dtype), np.array(True)], {"seed": 3} if g.chance() else {}, 2, check=check)

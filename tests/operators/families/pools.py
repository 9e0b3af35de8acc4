"""Pools and normalisations, against NumPy."""

import numpy as np
from cases import Case, operator
from families.network import padding, resolve, windows


@operator("AveragePool", "MaxPool", "LpPool")
def pools(g):
    for dtype in g.types():
        for spatial in (1, 2, 2, 3):
            shape = (2, 3) + g.dims(spatial, 5, 8)
            attributes = padding(g, windows(g, spatial), spatial)
            names = g.schema.attributes
            if "dilations" in names and g.chance(0.3):
                attributes["dilations"] = [2] * spatial
                attributes.pop("auto_pad", None)
            if "ceil_mode" in names and "auto_pad" not in attributes and g.chance(0.4):
                attributes["ceil_mode"] = 1
            if "count_include_pad" in names and g.chance(0.4):
                attributes["count_include_pad"] = 1
            if g.op == "LpPool":
                attributes["p"] = g.pick([1, 2, 3]) if g.version > 1 else g.pick([1.0, 2.0])
            kernel = attributes["kernel_shape"]
            strides, pads, dilations = resolve(attributes, shape[2:], kernel)
            if any(d + pads[i] + pads[i + spatial] < (k - 1) * dl + 1 for i, (d, k, dl) in enumerate(zip(shape[2:], kernel, dilations))):
                continue

            def expect(x, a=attributes, plan=(kernel, strides, pads, dilations)):
                return pooled(g.op, x, a, *plan)

            outputs = 2 if g.op == "MaxPool" and g.version >= 8 and g.chance(0.4) else 1
            if outputs == 2:
                attributes["storage_order"] = int(g.chance(0.3))
            yield Case([g.array(dtype, shape, -9, 9)], attributes, outputs,
                       expect=lambda x, e=expect, n=outputs: e(x)[:n] if g.op == "MaxPool" else e(x), rtol=2e-5, atol=2e-5)


def pooled(op, x, a, kernel, strides, pads, dilations):
    spatial, dims = x.ndim - 2, x.shape[2:]
    out = []
    for i in range(spatial):
        span = dims[i] + pads[i] + pads[i + spatial] - (kernel[i] - 1) * dilations[i] - 1
        size = (-(-span // strides[i]) if a.get("ceil_mode") else span // strides[i]) + 1
        # A window may not begin in the padding at the end.
        if a.get("ceil_mode") and (size - 1) * strides[i] >= dims[i] + pads[i]:
            size -= 1
        out.append(size)
    values, indices = np.zeros(x.shape[:2] + tuple(out)), np.zeros(x.shape[:2] + tuple(out), np.int64)
    for n, c in np.ndindex(*x.shape[:2]):
        for at in np.ndindex(*out):
            cells, padded = [], 0
            for k in np.ndindex(*kernel):
                place = [at[i] * strides[i] + k[i] * dilations[i] - pads[i] for i in range(spatial)]
                if all(0 <= p < d for p, d in zip(place, dims)):
                    cells.append(tuple(place))
                elif all(-pads[i] <= p < d + pads[i + spatial] for i, (p, d) in enumerate(zip(place, dims))):
                    padded += 1
            picked = [float(x[(n, c) + cell]) for cell in cells]
            if op == "MaxPool":
                best = int(np.argmax(picked))
                values[(n, c) + at] = picked[best]
                cell = cells[best]
                order = cell if not a.get("storage_order") else cell[::-1]
                place = int(np.ravel_multi_index(order, dims if not a.get("storage_order") else dims[::-1]))
                indices[(n, c) + at] = (n * x.shape[1] + c) * int(np.prod(dims)) + place
            elif op == "AveragePool":
                values[(n, c) + at] = sum(picked) / (len(picked) + padded if a.get("count_include_pad") else len(picked))
            else:
                p = a.get("p", 2)
                values[(n, c) + at] = sum(abs(v) ** p for v in picked) ** (1 / p)
    return (values.astype(x.dtype), indices) if op == "MaxPool" else values.astype(x.dtype)


@operator("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pools(g):
    for dtype in g.types():
        for shape in [(2, 3, 4), (1, 2, 3, 5), (2, 1, 2, 3, 4)]:
            p = (g.pick([1.0, 2.0]) if g.version < 2 else g.pick([1, 2, 3])) if g.op == "GlobalLpPool" else 0

            def expect(x, p=p):
                axes = tuple(range(2, x.ndim))
                w = x.astype(np.float64)
                if g.op == "GlobalLpPool":
                    return (np.sum(np.abs(w) ** p, axes, keepdims=True) ** (1 / p)).astype(x.dtype)
                return (np.mean if g.op == "GlobalAveragePool" else np.max)(w, axes, keepdims=True).astype(x.dtype)

            yield Case([g.array(dtype, shape)], {"p": p} if p else {}, expect=expect)


@operator("LRN")
def lrn(g):
    for dtype in g.types():
        for shape in [(2, 7, 3, 2), (1, 3, 4), (2, 1, 2, 2), (1, 9, 5, 7)]:
            attributes = {"size": g.pick([1, 3, 4, 5]), "alpha": 0.5, "beta": g.pick([0.75, 0.75, 0.625]), "bias": 2.0}

            def expect(x, a=attributes):
                square, total = x.astype(np.float64) ** 2, np.zeros(x.shape)
                for c in range(x.shape[1]):
                    total[:, c] = square[:, max(0, c - (a["size"] - 1) // 2):c + a["size"] // 2 + 1].sum(1)
                return (x.astype(np.float64) / (a["bias"] + a["alpha"] / a["size"] * total) ** a["beta"]).astype(x.dtype)

            yield Case([g.array(dtype, shape)], attributes, expect=expect)


@operator("InstanceNormalization", "GroupNormalization", "LayerNormalization", "RMSNormalization")
def normalisations(g):
    for dtype in g.types(0):
        for shape in [(2, 6, 4), (1, 4, 3, 2), (2, 2, 1, 5, 3)]:
            epsilon = 1e-3
            x = g.array(dtype, shape)
            if g.op in ("InstanceNormalization", "GroupNormalization"):
                groups = shape[1] if g.op == "InstanceNormalization" else 2
                attributes = {"epsilon": epsilon, **({} if g.op == "InstanceNormalization" else {"num_groups": groups})}
                count = groups if g.op == "GroupNormalization" and g.version < 21 else shape[1]

                def expect(x, s, b, groups=groups):
                    v = x.astype(np.float64).reshape(x.shape[0], groups, -1)
                    v = (v - v.mean(2, keepdims=True)) / np.sqrt(v.var(2, keepdims=True) + np.float32(epsilon))
                    each = [np.repeat(p.astype(np.float64), x.shape[1] // len(p)).reshape(1, -1, *[1] * (x.ndim - 2)) for p in (s, b)]
                    return (v.reshape(x.shape) * each[0] + each[1]).astype(x.dtype)

                yield Case([x, g.array(dtype, (count,)), g.array(dtype, (count,))], attributes, expect=expect, rtol=5e-5, atol=5e-5, magnitude=4)
                continue
            axis = int(g.rng.integers(-len(shape), len(shape)))
            kind = dtype if g.op == "LayerNormalization" else g.pick(g.types(1))
            tail = shape[axis % len(shape):]
            outputs = g.pick([1, 3]) if g.op == "LayerNormalization" else 1

            def expect(x, s, b=None, axis=axis, outputs=outputs, kind=kind):
                axes = tuple(range(axis % x.ndim, x.ndim))
                v = x.astype(np.float64)
                mean = v.mean(axes, keepdims=True) if g.op == "LayerNormalization" else 0
                inverse = 1 / np.sqrt(((v - mean) ** 2).mean(axes, keepdims=True) + np.float32(epsilon))
                y = (v - mean) * inverse * s.astype(np.float64)
                y = (y if b is None else y + b.astype(np.float64)).astype(kind)
                return (y, np.asarray(mean).astype(np.float32), inverse.astype(np.float32))[:outputs] if outputs > 1 else y

            inputs = [x, g.array(kind, tail)] + ([g.array(kind, tail)] if g.op == "LayerNormalization" and g.chance() else [])
            yield Case(inputs, {"axis": axis, "epsilon": epsilon}, outputs, expect=expect, rtol=5e-5, atol=5e-5, magnitude=4)


@operator("BatchNormalization")
def batch_normalization(g):
    for dtype in g.types(0):
        for shape in [(2, 3, 4), (2, 3, 2, 5), (4, 3)]:
            x, s, b = g.array(dtype, shape), *[g.array(g.pick(g.types(1)) if g.version >= 15 else dtype, (3,)) for _ in range(2)]
            b = b.astype(s.dtype)
            kind = g.pick(g.types(3)) if g.version >= 14 else dtype
            mean, var = g.array(kind, (3,)), np.asarray(g.rng.uniform(0.5, 2, 3)).astype(kind)
            attributes, outputs = {"epsilon": 1e-3}, 1
            if g.version < 7:
                attributes["is_test"] = 1
                if g.version < 6:
                    attributes["consumed_inputs"] = [0, 0, 0, 1, 1]
            if g.version < 9 and g.chance(0.3):
                attributes["spatial"] = 1
            train = g.version >= 14 and g.chance()
            if train:
                attributes["training_mode"] = 1
                attributes["momentum"] = 0.75
                outputs = 3

            def expect(x, s, b, mean, var, train=train):
                column, axes = (1, -1) + (1,) * (x.ndim - 2), (0, *range(2, x.ndim))
                w = x.astype(np.float64)
                m, v = (w.mean(axes), w.var(axes)) if train else (mean.astype(np.float64), var.astype(np.float64))
                y = (w - m.reshape(column)) / np.sqrt(v.reshape(column) + np.float32(1e-3)) * s.astype(np.float64).reshape(column) + b.astype(np.float64).reshape(column)
                y = y.astype(x.dtype)
                return (y, (mean * 0.75 + m * 0.25).astype(mean.dtype), (var * 0.75 + v * 0.25).astype(var.dtype)) if train else y

            yield Case([x, s, b, mean, var], attributes, outputs, expect=expect, rtol=5e-5, atol=5e-5, magnitude=4)

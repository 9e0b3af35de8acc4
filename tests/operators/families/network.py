"""Products and convolutions. Judged by onnx.reference and ONNX Runtime where no formula is given."""

import numpy as np
from cases import Case, is_float, operator
from onnx import numpy_helper


def wide(x):
    return x.astype(np.float64) if is_float(x.dtype) else x.astype(np.int64)


@operator("MatMul")
def matmul(g):
    for dtype in g.types():
        for a, b in [((3, 4), (4, 5)), ((4,), (4,)), ((2, 3, 4), (4, 2)), ((2, 1, 3, 4), (3, 4, 5)), ((4,), (2, 4, 3)), ((2, 3, 4), (4,)), ((0, 4), (4, 3)),
                     ((3, 0), (0, 2)), ((1, 1), (1, 1)), ((17, 33), (33, 9)), ((5, 2, 3), (5, 3, 1))]:
            yield Case([g.array(dtype, a), g.array(dtype, b)], expect=lambda x, y: np.asarray(np.matmul(wide(x), wide(y))).astype(x.dtype), rtol=2e-5, atol=2e-5,
                       magnitude=16)


@operator("Gemm")
def gemm(g):
    for dtype in g.types():
        for m, k, n in [(3, 4, 5), (1, 7, 1), (5, 1, 3), (16, 17, 9)] + ([(0, 3, 2), (2, 0, 3)] if g.version >= 11 else []):
            flip = [int(g.chance()), int(g.chance())]
            a, b = g.array(dtype, (k, m) if flip[0] else (m, k)), g.array(dtype, (n, k) if flip[1] else (k, n))
            shape = g.pick([(m, n), (n,), (1, n), (m, 1), (), (1,)] + ([None] if g.version >= 11 else []))
            attributes = {"transA": flip[0], "transB": flip[1]}
            scales = {"alpha": 1.0, "beta": 1.0}
            if is_float(dtype) and g.chance():
                scales = {"alpha": 0.5, "beta": 2.0}
                attributes.update(scales)
            if g.version < 7:
                shape = g.pick([(m, n), (n,), (1,)])
                if shape != (m, n) or g.chance():
                    attributes["broadcast"] = 1

            def expect(a, b, c=None, flip=flip, scales=scales):
                total = scales["alpha"] * (wide(a).T if flip[0] else wide(a)) @ (wide(b).T if flip[1] else wide(b))
                return (total if c is None else total + scales["beta"] * wide(c)).astype(a.dtype)

            yield Case([a, b] + ([] if shape is None else [g.array(dtype, shape)]), attributes, expect=expect, rtol=2e-5, atol=2e-5, magnitude=16)


@operator("MatMulInteger")
def matmul_integer(g):
    for left in g.types(0):
        for right in g.types(1):
            for a, b in [((3, 4), (4, 5)), ((2, 3, 4), (4, 2)), ((1, 9), (9, 1))]:
                x, y = g.array(left, a, -200, 255), g.array(right, b, -200, 255)
                xz = g.pick([None, g.array(left, (), -9, 9), g.array(left, (a[-2],), -9, 9) if len(a) == 2 else None])
                yz = g.pick([None, g.array(right, (), -9, 9), g.array(right, (b[-1],), -9, 9)])

                def expect(x, y, xz=None, yz=None):
                    left = x.astype(np.int64) - (0 if xz is None else xz.astype(np.int64).reshape(-1, 1) if xz.ndim else int(xz))
                    right = y.astype(np.int64) - (0 if yz is None else yz.astype(np.int64))
                    return np.matmul(left, right).astype(np.int32)

                yield Case([x, y, xz, yz], expect=expect)


def scale(g, dtype, shape):
    return np.asarray(g.rng.uniform(0.01, 0.2, shape)).astype(dtype)


@operator("QLinearMatMul")
def qlinear_matmul(g):
    kinds = [t for t in g.types(0)]
    for left in kinds:
        for right in kinds:
            out = g.pick([t for t in g.types(0, outputs=True)])
            real = g.pick([t for t in g.types(1) if t == np.float32]) if g.version < 21 else np.float32
            a, b = g.pick([((3, 4), (4, 5)), ((2, 3, 4), (4, 2)), ((1, 7), (7, 3))])
            zero = lambda kind: g.array(kind, ()) if np.dtype(kind).kind in "iu" else np.zeros((), kind)  # noqa: E731

            def expect(a, s, az, b, t, bz, u, yz):
                total = (wide32(a) - wide32(az)) @ (wide32(b) - wide32(bz))
                real = total * (float(s) * float(t) / float(u)) + (0 if np.dtype(yz.dtype).kind in "iu" else float(yz))
                if np.dtype(yz.dtype).kind not in "iu":
                    return numpy_helper.saturate_cast(real.astype(np.float32), yz.dtype)
                info = np.iinfo(yz.dtype)
                return np.clip(np.rint(real) + int(yz), info.min, info.max).astype(yz.dtype)

            yield Case([g.array(left, a, -100, 200), scale(g, real, ()), zero(left), g.array(right, b, -100, 200), scale(g, real, ()), zero(right),
                        scale(g, real, ()) * np.float32(8), zero(out)], expect=expect, slack=1)


def wide32(x):
    return x.astype(np.float32).astype(np.float64)


def windows(g, spatial):
    attributes = {"kernel_shape": [int(v) for v in g.rng.integers(1, 4, spatial)]}
    if g.chance(0.6):
        attributes["strides"] = [int(v) for v in g.rng.integers(1, 3, spatial)]
    return attributes


def padding(g, attributes, spatial, lower=True):
    choice = g.pick(["none", "pads", "auto"])
    if choice == "pads":
        kernel = attributes["kernel_shape"]
        attributes["pads"] = [int(g.rng.integers(0, k)) for k in kernel] + [int(g.rng.integers(0, k)) for k in kernel]
    elif choice == "auto":
        attributes["auto_pad"] = g.pick(["VALID", "SAME_UPPER"] + (["SAME_LOWER"] if lower else []))
    return attributes


def convolution(x, w, strides, pads, dilations, groups):
    """Sums of products over windows, in float64 or int64, any number of spatial axes."""
    spatial = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0)] + [(pads[i], pads[i + spatial]) for i in range(spatial)])
    out = [(x.shape[i + 2] - (w.shape[i + 2] - 1) * dilations[i] - 1) // strides[i] + 1 for i in range(spatial)]
    result = np.zeros((x.shape[0], w.shape[0], *out), x.dtype)
    per_in, per_out = x.shape[1] // groups, w.shape[0] // groups
    for at in np.ndindex(*w.shape[2:]):
        cut = tuple(slice(at[i] * dilations[i], at[i] * dilations[i] + (out[i] - 1) * strides[i] + 1, strides[i]) for i in range(spatial))
        for group in range(groups):
            part = x[(slice(None), slice(group * per_in, (group + 1) * per_in)) + cut]
            result[:, group * per_out:(group + 1) * per_out] += np.einsum("nc...,oc->no...", part, w[(slice(group * per_out, (group + 1) * per_out), slice(None)) + at])
    return result


def resolve(attributes, dims, kernel):
    """strides, dilations and pads of a window, auto_pad resolved."""
    spatial = len(dims)
    strides, dilations = attributes.get("strides", [1] * spatial), attributes.get("dilations", [1] * spatial)
    mode = attributes.get("auto_pad", "NOTSET")
    pads = attributes.get("pads", [0] * 2 * spatial)
    if mode.startswith("SAME"):
        totals = [max((-(-d // s) - 1) * s + (k - 1) * dl + 1 - d, 0) for d, s, k, dl in zip(dims, strides, kernel, dilations)]
        begin = [t // 2 if mode == "SAME_UPPER" else t - t // 2 for t in totals]
        pads = begin + [t - b for t, b in zip(totals, begin)]
    return strides, pads, dilations


@operator("Conv", "ConvInteger", "QLinearConv")
def conv(g):
    for dtype in g.types(0):
        for spatial in (1, 2, 2, 3):
            groups = g.pick([1, 1, 2])
            attributes = padding(g, windows(g, spatial), spatial)
            if g.chance(0.3):
                attributes["dilations"] = [int(v) for v in g.rng.integers(1, 3, spatial)]
            if groups > 1:
                attributes["group"] = groups
            shape = (2, 2 * groups) + g.dims(spatial, 5, 8)
            kernel = attributes["kernel_shape"]
            if g.op == "Conv" and g.chance(0.3):
                del attributes["kernel_shape"]
            weights = (3 * groups, 2, *kernel)
            strides, pads, dilations = resolve(attributes, shape[2:], kernel)
            plan = (strides, pads, dilations, groups)
            if g.op == "Conv":
                def expect(x, w, b=None, plan=plan):
                    total = convolution(wide(x), wide(w), *plan)
                    return (total if b is None else total + wide(b).reshape(1, -1, *[1] * (x.ndim - 2))).astype(x.dtype)

                yield Case([g.array(dtype, shape), g.array(dtype, weights)] + ([g.array(dtype, weights[:1])] if g.chance() else []), attributes,
                           expect=expect, rtol=2e-5, atol=2e-5, magnitude=16)
                continue
            right = g.pick(g.types(1 if g.op == "ConvInteger" else 3))
            x, w = g.array(dtype, shape, -128, 255), g.array(right, weights, -128, 255)
            if g.op == "ConvInteger":
                xz, wz = g.pick([None, g.array(dtype, (), -9, 9)]), g.pick([None, g.array(right, (), -9, 9)])
                expect = lambda x, w, xz=None, wz=None, plan=plan: convolution(  # noqa: E731
                    x.astype(np.int64) - (0 if xz is None else int(xz)), w.astype(np.int64) - (0 if wz is None else int(wz)), *plan).astype(np.int32)
                yield Case([x, w, xz, wz], attributes, expect=expect)
                continue
            out = dtype
            each = g.chance()
            ws = scale(g, np.float32, weights[:1] if each else ())
            xs, ys = scale(g, np.float32, ()), scale(g, np.float32, ()) * np.float32(30)
            xz, yz, wz = g.array(dtype, ()), g.array(out, ()), np.zeros(weights[:1] if each else (), right)
            bias = g.array(np.int32, weights[:1], -500, 500) if g.chance() else None

            def expect(x, xs, xz, w, ws, wz, ys, yz, b=None, plan=plan):
                total = convolution(x.astype(np.int64) - int(xz), w.astype(np.int64), *plan)
                column = (1, -1) + (1,) * (x.ndim - 2)
                total = total if b is None else total + b.astype(np.int64).reshape(column)
                factor = (xs.astype(np.float32) * ws / ys).astype(np.float32)
                real = total.astype(np.float32) * (factor.reshape(column) if factor.ndim else factor)
                info = np.iinfo(yz.dtype)
                return np.clip(np.rint(real) + int(yz), info.min, info.max).astype(yz.dtype)

            yield Case([x, xs, xz, w, ws, wz, ys, yz, bias], attributes, expect=expect)


@operator("ConvTranspose")
def conv_transpose(g):
    for dtype in g.types():
        for spatial in (1, 2, 2, 3):
            groups = g.pick([1, 2])
            attributes = windows(g, spatial)
            kernel = attributes["kernel_shape"]
            strides, dilations = attributes.get("strides", [1] * spatial), [1] * spatial
            if g.chance(0.3):
                dilations = attributes["dilations"] = [int(v) for v in g.rng.integers(1, 3, spatial)]
            pads = [0] * 2 * spatial
            if g.chance():
                pads = attributes["pads"] = [int(g.rng.integers(0, 2)) for _ in range(2 * spatial)]
            more = [0] * spatial
            if g.chance(0.3):
                more = attributes["output_padding"] = [int(g.rng.integers(0, max(s, d))) for s, d in zip(strides, dilations)]
            if groups > 1:
                attributes["group"] = groups
            shape = (2, 2 * groups) + g.dims(spatial, 3, 5)
            if any(s * (d - 1) + (k - 1) * dl + 1 + m - pads[i] - pads[i + spatial] < 1 for i, (s, d, k, dl, m) in enumerate(zip(strides, shape[2:], kernel, dilations, more))):
                continue

            def expect(x, w, b=None, plan=(strides, pads, dilations, more, groups)):
                strides, pads, dilations, more, groups = plan
                spatial, per_in, per_out = x.ndim - 2, x.shape[1] // plan[4], w.shape[1]
                full = [s * (d - 1) + (k - 1) * dl + 1 + m for s, d, k, dl, m in zip(strides, x.shape[2:], w.shape[2:], dilations, more)]
                result = np.zeros((x.shape[0], per_out * groups, *full))
                for at in np.ndindex(*w.shape[2:]):
                    cut = tuple(slice(at[i] * dilations[i], at[i] * dilations[i] + strides[i] * (x.shape[i + 2] - 1) + 1, strides[i]) for i in range(spatial))
                    for k in range(groups):
                        result[(slice(None), slice(k * per_out, (k + 1) * per_out)) + cut] += np.einsum(
                            "nc...,co->no...", wide(x)[:, k * per_in:(k + 1) * per_in], wide(w)[(slice(k * per_in, (k + 1) * per_in), slice(None)) + at])
                result = result[(slice(None), slice(None)) + tuple(slice(pads[i], full[i] - pads[i + spatial]) for i in range(spatial))]
                return (result if b is None else result + wide(b).reshape(1, -1, *[1] * spatial)).astype(x.dtype)

            yield Case([g.array(dtype, shape), g.array(dtype, (2 * groups, 3, *kernel))] + ([g.array(dtype, (3 * groups,))] if g.chance() else []),
                       attributes, expect=expect, rtol=2e-5, atol=2e-5, magnitude=16)


@operator("DeformConv")
def deform_conv(g):
    for dtype in g.types():
        for groups, offset_groups in [(1, 1), (2, 1), (1, 2)]:
            x, w = g.array(dtype, (1, 2 * groups, 5, 6)), g.array(dtype, (2 * groups, 2, 2, 2))
            offset = g.array(dtype, (1, 8 * offset_groups, 4, 5), -1, 1)
            inputs = [x, w, offset, g.array(dtype, (2 * groups,)) if g.chance() else None, g.array(dtype, (1, 4 * offset_groups, 4, 5), 0, 1) if g.chance() else None]
            yield Case(inputs, {"kernel_shape": [2, 2], "group": groups, "offset_group": offset_groups, "pads": [0, 0, 0, 0]}, rtol=1e-4, atol=1e-4, magnitude=16, single=True)


@operator("Einsum")
def einsum(g):
    for dtype in g.types():
        for equation, shapes in [("ij,jk->ik", [(2, 3), (3, 4)]), ("...ij,...jk", [(2, 2, 3), (3, 4)]), ("ii->i", [(3, 3)]), ("ij->ji", [(2, 3)]), ("i,j", [(2,), (3,)]),
                                 ("ij->", [(2, 3)]), ("bij,bjk->bik", [(2, 2, 3), (2, 3, 1)]), ("i...->...", [(3, 2, 2)]), ("ij,kj,kl->il", [(2, 3), (4, 3), (4, 2)]),
                                 ("ii", [(4, 4)]), ("ij,ij->ij", [(0, 3), (0, 3)])]:
            yield Case([g.array(dtype, s) for s in shapes], {"equation": equation},
                       expect=lambda *x, e=equation: np.asarray(np.einsum(e, *[wide(v) for v in x])).astype(x[0].dtype), rtol=2e-5, atol=2e-5, magnitude=16)

"""Images: resizing, sampling, regions and boxes."""

import numpy as np
from cases import Case, is_float, operator


@operator("Resize")
def resize(g):
    modes = ["nearest", "linear"] + (["cubic"] if g.version >= 11 else [])
    for dtype in [t for t in g.types(0) if t != object and t != bool and np.dtype(t).kind != "c"]:
        for _ in range(4 if dtype == np.float32 else 2):
            mode = g.pick(modes)
            shape = (1, 2) + g.dims(2, 3, 6)
            attributes = {"mode": mode}
            sizes, scales = None, np.array([1, 1, *g.rng.choice([0.5, 1.5, 2.0, 3.0], 2)], dtype=np.float32)
            roi = None
            if g.version >= 11:
                choices = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize"]
                attributes["coordinate_transformation_mode"] = how = g.pick(choices + (["half_pixel_symmetric"] if g.version >= 19 else []))
                if how == "tf_crop_and_resize":
                    roi = np.array([0, 0, 0.125, 0.25, 1, 1, 0.8125, 1.25], dtype=np.float32)
                    attributes["extrapolation_value"] = 3.0
                if mode == "nearest":
                    attributes["nearest_mode"] = g.pick(["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
                if mode == "cubic" and g.chance():
                    attributes["cubic_coeff_a"] = -0.5
                    attributes["exclude_outside"] = int(g.chance())
                if g.chance(0.4):
                    sizes, scales = np.array([*shape[:2], *g.rng.integers(2, 9, 2)], dtype=np.int64), None
            if g.version >= 18 and g.chance(0.3) and mode != "nearest" and roi is None:
                attributes["antialias"] = 1
            if g.version >= 18 and g.chance(0.3) and roi is None:
                attributes["axes"] = [2, 3]
                sizes, scales = (None if v is None else v[2:] for v in (sizes, scales))
                if sizes is not None and g.chance():
                    attributes["keep_aspect_ratio_policy"] = g.pick(["stretch", "not_larger", "not_smaller"])
            x = g.array(dtype, shape, 0, 20)
            if g.version == 10:
                twin = (11, {**attributes, "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}, [x, np.array([], dtype=np.float32), scales])
                yield Case([x, scales], attributes, rtol=1e-4, atol=1e-4, single=True, twin=twin, slack=int(mode != "nearest"))
            else:
                if g.version < 13 and scales is None:
                    scales = np.array([], dtype=np.float32)
                if g.version < 13 and roi is None:
                    roi = np.array([], dtype=np.float32)
                yield Case([x, roi, scales, sizes], attributes, rtol=1e-4, atol=1e-4, magnitude=8, single=True, slack=int(mode != "nearest"))


@operator("Upsample")
def upsample(g):
    for dtype in g.types(0)[:6] + g.types(0)[6:8]:
        if dtype == object or dtype == bool:
            continue
        for mode in ("nearest", "linear") if is_float(dtype) else ("nearest",):
            x, factors = g.array(dtype, (1, 2, 2, 3), 0, 9), [float(v) for v in g.rng.integers(1, 4, 2)]

            def expect(x, _=None, mode=mode, factors=factors):
                for axis, factor in zip((2, 3), factors):
                    size = x.shape[axis]
                    at = np.arange(int(size * factor)) / factor
                    low = np.floor(at).astype(int)
                    if mode == "nearest":
                        x = np.take(x, low, axis)
                        continue
                    part = (at - low).reshape([-1 if k == axis else 1 for k in range(4)])
                    wide = x.astype(np.float64)
                    x = (np.take(wide, low, axis) * (1 - part) + np.take(wide, np.minimum(low + 1, size - 1), axis) * part).astype(x.dtype)
                return x

            mode_name = "bilinear" if g.version < 7 and mode == "linear" else mode
            if g.version < 7:
                yield Case([x], {"mode": mode_name, "height_scale": factors[0], "width_scale": factors[1]}, expect=expect)
            elif g.version < 9:
                yield Case([x], {"mode": mode, "scales": [1.0, 1.0, *factors]}, expect=expect)
            else:
                yield Case([x, np.array([1, 1, *factors], dtype=np.float32)], {"mode": mode}, expect=expect)


@operator("GridSample")
def grid_sample(g):
    modes = ["bilinear", "nearest", "bicubic"] if g.version < 20 else ["linear", "nearest", "cubic"]
    for dtype in [t for t in g.types(0) if is_float(t)]:
        for mode in modes:
            for padding in ("zeros", "border", "reflection"):
                rank = 4 if g.version < 20 or "cubic" in mode or g.chance() else 5
                x = g.array(dtype, (2, 2, 4, 5) if rank == 4 else (1, 2, 3, 4, 3))
                grid = g.array(g.pick([dtype]), (2, 3, 4, 2) if rank == 4 else (1, 2, 3, 2, 3), -1.3, 1.3)
                attributes = {"mode": mode, "padding_mode": padding, "align_corners": int(g.chance())}
                twin = None if g.version >= 20 else (20, {**attributes, "mode": {"bilinear": "linear", "bicubic": "cubic"}.get(mode, mode)})
                yield Case([x, grid], attributes, rtol=1e-4, atol=1e-4, magnitude=4, twin=twin, single=True)


@operator("RoiAlign")
def roi_align(g):
    for dtype in g.types(0):
        for mode in ("avg", "max"):
            for ratio in (0, 2):
                rois = np.array([[0, 0, 5, 5], [1, 2, 6, 7], [0.5, 0.5, 3.2, 4.1]]).astype(dtype)
                attributes = {"mode": mode, "sampling_ratio": ratio, "output_height": 2, "output_width": 3, "spatial_scale": 0.5}
                if g.version >= 16:
                    attributes["coordinate_transformation_mode"] = g.pick(["half_pixel", "output_half_pixel"])
                twin = None if g.version >= 16 else (16, {**attributes, "coordinate_transformation_mode": "output_half_pixel"})
                yield Case([g.array(dtype, (2, 2, 6, 5)), rois, np.array([0, 1, 0], dtype=np.int64)], attributes, rtol=1e-4, atol=1e-4, magnitude=4, single=True, twin=twin)


@operator("MaxRoiPool")
def max_roi_pool(g):
    for dtype in g.types(0):
        x = g.array(dtype, (2, 2, 6, 5))
        rois = np.array([[0, 0, 0, 3, 3], [1, 1, 2, 4, 5], [0, 2, 2, 2, 2]]).astype(dtype)

        def expect(x, rois):
            result = np.zeros((len(rois), x.shape[1], 2, 2), x.dtype)
            for r, (batch, x1, y1, x2, y2) in enumerate(np.rint(rois.astype(np.float64)).astype(int)):
                high, wide = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
                for i in range(2):
                    for j in range(2):
                        top, bottom = y1 + int(np.floor(i * high / 2)), y1 + int(np.ceil((i + 1) * high / 2))
                        left, right = x1 + int(np.floor(j * wide / 2)), x1 + int(np.ceil((j + 1) * wide / 2))
                        part = x[batch, :, max(top, 0):max(min(bottom, x.shape[2]), 0), max(left, 0):max(min(right, x.shape[3]), 0)]
                        result[r, :, i, j] = part.max((1, 2)) if part.size else 0
            return result

        yield Case([x, rois], {"pooled_shape": [2, 2], "spatial_scale": 1.0}, expect=expect)


@operator("AffineGrid")
def affine_grid(g):
    for dtype in g.types(0):
        for corners in (0, 1):
            for size in ([2, 3, 4, 5], [1, 1, 2, 3, 4], [1, 1, 1, 1]):
                rank = len(size) - 2

                def expect(theta, size, corners=corners):
                    steps = [np.linspace(-1, 1, d) if corners else (2 * np.arange(d) + 1) / d - 1 for d in size[2:]]
                    places = np.stack([*np.meshgrid(*steps, indexing="ij")[::-1], np.ones(tuple(size[2:]))], -1)
                    return np.einsum("nij,...j->n...i", theta.astype(np.float64), places).astype(theta.dtype)

                yield Case([g.array(dtype, (size[0], rank, rank + 1), -1, 1), np.array(size, dtype=np.int64)], {"align_corners": corners}, expect=expect,
                           rtol=1e-5, atol=1e-5, magnitude=2)


@operator("Col2Im")
def col2im(g):
    for dtype in g.types(0):
        if dtype == object:
            continue
        for size, block, attributes in [((5, 5), (1, 5), {}), ((6, 5), (2, 2), {"strides": [2, 1]}), ((4, 4), (3, 3), {"pads": [1, 1, 1, 1]}), ((6, 6), (2, 2), {"dilations": [2, 2]})]:
            strides, pads, dilations = attributes.get("strides", [1, 1]), attributes.get("pads", [0] * 4), attributes.get("dilations", [1, 1])
            places = [(size[i] + pads[i] + pads[i + 2] - dilations[i] * (block[i] - 1) - 1) // strides[i] + 1 for i in range(2)]
            x = g.array(dtype, (2, 2 * block[0] * block[1], places[0] * places[1]))

            def expect(x, size, block, plan=(strides, pads, dilations, places)):
                strides, pads, dilations, places = plan
                wide = x.astype(np.float64) if is_float(x.dtype) else x
                full = np.zeros((x.shape[0], 2, size[0] + pads[0] + pads[2], size[1] + pads[1] + pads[3]), wide.dtype)
                parts = wide.reshape(x.shape[0], 2, block[0], block[1], *places)
                for i in range(block[0]):
                    for j in range(block[1]):
                        at = [i * dilations[0], j * dilations[1]]
                        cut = tuple(slice(at[k], at[k] + strides[k] * (places[k] - 1) + 1, strides[k]) for k in range(2))
                        full[(slice(None), slice(None)) + cut] += parts[:, :, i, j]
                return full[:, :, pads[0]:pads[0] + size[0], pads[1]:pads[1] + size[1]].astype(x.dtype)

            if dtype != bool:
                yield Case([x, np.array(size, dtype=np.int64), np.array(block, dtype=np.int64)], attributes, expect=expect, magnitude=16)


@operator("MaxUnpool")
def max_unpool(g):
    for dtype in g.types(0):
        for shape in [(1, 1, 2, 2), (2, 3, 2, 3)]:
            x = g.array(dtype, shape)
            full = shape[:2] + (shape[2] * 2, shape[3] * 2)
            places = g.rng.permutation(int(np.prod(full)))[:x.size].reshape(shape).astype(np.int64)

            def expect(x, i, _=None, full=full):
                result = np.zeros(full, x.dtype)
                result.reshape(-1)[i.reshape(-1)] = x.reshape(-1)
                return result

            yield Case([x, places] + ([np.array(full, dtype=np.int64)] if g.chance() else []), {"kernel_shape": [2, 2], "strides": [2, 2]}, expect=expect)


@operator("NonMaxSuppression")
def non_max_suppression(g):
    for count in (1, 5, 20):
        for centre in (0, 1):
            corners = g.rng.uniform(0, 10, (2, count, 2))
            boxes = np.concatenate([corners, corners + g.rng.uniform(1, 5, (2, count, 2))] if not centre else [corners, g.rng.uniform(1, 5, (2, count, 2))], 2)
            inputs = [boxes.astype(np.float32), g.array(np.float32, (2, 3, count), 0, 1), np.array([g.pick([1, 3, 100])], dtype=np.int64),
                      np.array([0.4], dtype=np.float32), g.pick([None, np.array([0.3], dtype=np.float32)])]
            yield Case(inputs, {"center_point_box": centre})
    yield Case([g.array(np.float32, (1, 4, 4)), g.array(np.float32, (1, 2, 4))], {}, expect=lambda *_: np.zeros((0, 3), np.int64))

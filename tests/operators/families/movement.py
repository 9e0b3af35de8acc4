"""Operators that move, pick and place elements, against NumPy."""

import numpy as np
from cases import SHAPES, Case, is_float, operator

I64 = np.int64


def ints(values):
    return np.array(values, dtype=I64)


def nonempty(g, dtype, count=4):
    return [s for s in g.shapes_for(dtype, count) if s]


@operator("Shape", "Size")
def shape_of(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            attributes = {}
            if g.op == "Shape" and g.version >= 15:
                attributes = {name: int(g.rng.integers(-5, 6)) for name in ("start", "end") if g.chance()}

            def expect(x, a=attributes):
                return np.asarray(x.size, dtype=I64) if g.op == "Size" else ints(x.shape)[slice(*np.clip(
                    [v + x.ndim if v < 0 else v for v in (a.get("start", 0), a.get("end", x.ndim))], 0, x.ndim))]

            yield Case([g.array(dtype, shape)], attributes, expect=expect)


@operator("Reshape")
def reshape(g):
    targets = {(7,): [[7], [1, -1], [-1, 1, 1]], (3, 5): [[15], [5, -1], [0, 5], [-1]], (2, 3, 4): [[0, -1], [4, 3, 2], [0, 0, 4], [-1, 0, 4]],
               (): [[1], [], [1, -1]], (1,): [[], [1, 1]], (0,): [[0, 3], [0]], (2, 0, 3): [[0, 0], [2, 0, 3], [0, 0, 1]]}
    for dtype in g.types():
        for shape in [s for s in g.shapes_for(dtype, 5) if s in targets]:
            target = g.pick(targets[shape])
            if g.version < 5 and not target:
                continue
            allow = int(g.version >= 14 and 0 in shape and -1 not in target)

            def expect(x, _=None, target=target, allow=allow):
                dims = list(target) if allow else [x.shape[i] if d == 0 else d for i, d in enumerate(target)]
                return x.reshape(dims)

            try:
                expect(np.zeros(shape))
            except (ValueError, IndexError):
                continue
            attributes = {"allowzero": 1} if allow else {}
            if g.version < 5:
                yield Case([g.array(dtype, shape)], {"shape": target}, expect=expect)
            else:
                yield Case([g.array(dtype, shape), ints(target)], attributes, expect=expect)


@operator("Flatten")
def flatten(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            low = -len(shape) if g.version >= 11 else 0
            axis = int(g.rng.integers(low, len(shape) + 1))
            if g.version < 11 and not shape:
                continue
            split = axis + len(shape) if axis < 0 else axis
            expect = lambda x, split=split: x.reshape(int(np.prod(x.shape[:split], dtype=I64)), int(np.prod(x.shape[split:], dtype=I64)))  # noqa: E731
            yield Case([g.array(dtype, shape)], {"axis": axis}, expect=expect)


@operator("Transpose")
def transpose(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            perm = g.permuted(len(shape)) if g.chance(0.7) and shape else None
            yield Case([g.array(dtype, shape)], {"perm": perm} if perm else {}, expect=lambda x, perm=perm: np.transpose(x, perm))


@operator("Squeeze", "Unsqueeze")
def squeeze(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            if g.op == "Squeeze":
                rank = len(shape)
                ones = [i for i, d in enumerate(shape) if d == 1]
                axes = g.some(ones, int(g.rng.integers(1, len(ones) + 1))) if ones and g.chance(0.6) else None
                expect = lambda x, _=None, axes=axes: np.squeeze(x, tuple(axes) if axes is not None else None)  # noqa: E731
            else:
                rank = len(shape) + 2
                axes = g.some(range(rank), 2)
                expect = lambda x, _=None, axes=axes: np.expand_dims(x, tuple(axes))  # noqa: E731
            given = None if axes is None else [a - rank if g.version >= 11 and g.chance() else a for a in axes]
            if g.version < 13:
                yield Case([g.array(dtype, shape)], {"axes": given} if given is not None else {}, expect=expect)
            else:
                yield Case([g.array(dtype, shape), None if given is None else ints(given)], expect=expect)


@operator("Expand")
def expand(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype):
            base = tuple(1 if g.chance(0.4) else d for d in shape)
            target = (2,) * int(g.rng.integers(0, 2)) + tuple(1 if g.chance(0.2) and b == d else d for b, d in zip(base, shape))
            if g.chance(0.2):
                target = target[-1:]
            yield Case([g.array(dtype, base), ints(target)], expect=lambda x, t: x * np.ones(tuple(t), dtype=x.dtype)
                       if x.dtype.kind in "iuf" else np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(t))))


@operator("Tile")
def tile(g):
    for dtype in g.types():
        for shape in nonempty(g, dtype):
            if g.version < 6:
                times, axis = int(g.rng.integers(1, 4)), int(g.rng.integers(0, len(shape)))
                repeats = [times if i == axis else 1 for i in range(len(shape))]
                yield Case([g.array(dtype, shape), np.array([times], dtype=dtype), np.array([axis], dtype=dtype)],
                           expect=lambda x, _t, _a, r=repeats: np.tile(x, r))
            else:
                yield Case([g.array(dtype, shape), ints(g.rng.integers(0, 4, len(shape)))], expect=lambda x, r: np.tile(x, tuple(r)))


@operator("Concat")
def concat(g):
    for dtype in g.types():
        for shape in nonempty(g, dtype):
            axis = g.axis(len(shape)) if g.version >= 4 else g.pick([None, int(g.rng.integers(0, len(shape)))])
            if axis is None and len(shape) < 2:
                axis = 0
            at = 1 if axis is None else axis
            inputs = []
            for _ in range(int(g.rng.integers(1, 5))):
                dims = list(shape)
                dims[at] = int(g.rng.integers(0 if g.version >= 4 else 1, 4))
                inputs.append(g.array(dtype, tuple(dims)))
            yield Case(inputs, {} if axis is None else {"axis": axis}, expect=lambda *x, at=at: np.concatenate(x, at))


@operator("Split")
def split(g):
    for dtype in g.types():
        for shape in nonempty(g, dtype):
            axis = g.axis(len(shape)) if g.version > 1 else int(g.rng.integers(0, len(shape)))
            size, count = shape[axis], int(g.rng.integers(1, 4))
            mode = g.pick(["sizes", "even"])
            attributes, inputs = {"axis": axis}, [g.array(dtype, shape)]
            if mode == "sizes":
                cuts = np.sort(g.rng.integers(0, size + 1, count - 1))
                sizes = np.diff(np.concatenate([[0], cuts, [size]]))
                if g.version >= 13:
                    inputs.append(ints(sizes))
                elif g.version == 1 and g.chance(0.3):
                    inputs.append(sizes.astype(dtype))
                else:
                    attributes["split"] = [int(s) for s in sizes]
            else:
                if g.version >= 18:
                    attributes["num_outputs"] = count
                elif size % count:
                    continue
                chunk = -(-size // count)
                sizes = [max(min(chunk, size - i * chunk), 0) for i in range(count)]
                if sum(sizes) != size:
                    continue
            expect = lambda x, _=None, axis=axis, sizes=sizes: tuple(np.split(x, np.cumsum(sizes)[:-1], axis))  # noqa: E731
            yield Case(inputs, attributes, count, expect=expect)


@operator("Slice")
def slices(g):
    for dtype in g.types():
        for shape in nonempty(g, dtype):
            axes = g.some(range(len(shape)), int(g.rng.integers(1, len(shape) + 1)))
            starts = [int(g.rng.integers(-shape[a] - 2, shape[a] + 3)) for a in axes]
            ends = [int(g.rng.integers(-shape[a] - 2, shape[a] + 3)) if g.chance(0.7) else (2**31 - 1) for a in axes]
            steps = [g.pick([1, 1, 2, -1, -2, 3]) if g.version >= 10 else 1 for _ in axes]
            for i, step in enumerate(steps):
                if step < 0 and ends[i] == 2**31 - 1:
                    ends[i] = -(2**31)
            skip_axes = axes == list(range(len(axes))) and g.chance()

            def expect(x, *_, axes=axes, starts=starts, ends=ends, steps=steps):
                index = [slice(None)] * x.ndim
                for axis, start, end, step in zip(axes, starts, ends, steps):
                    size = x.shape[axis]
                    start, end = (v + size if v < 0 else v for v in (start, end))
                    if step > 0:
                        index[axis] = slice(min(max(start, 0), size), min(max(end, 0), size), step)
                    else:
                        start, end = min(max(start, 0), size - 1), min(max(end, -1), size - 1)
                        index[axis] = slice(start, end if end >= 0 else None, step) if size else slice(0)
                return x[tuple(index)]

            x = g.array(dtype, shape)
            if g.version < 10:
                yield Case([x], {"starts": starts, "ends": ends, **({} if skip_axes else {"axes": axes})}, expect=expect)
            else:
                kind = g.pick([np.int32, np.int64])
                given = [a - len(shape) if g.version >= 11 and g.chance() else a for a in axes]
                plain = all(s == 1 for s in steps) and g.chance()
                yield Case([x] + [None if v is None else np.array(v, dtype=kind) for v in (starts, ends, None if skip_axes else given, None if plain else steps)],
                           expect=expect)


@operator("Pad")
def pad(g):
    modes = ["constant", "edge", "reflect"] + (["wrap"] if g.version >= 19 else [])
    for dtype in g.types():
        for shape in nonempty(g, dtype):
            mode = g.pick(modes)
            if 0 in shape and mode != "constant":
                continue
            most = 2 if mode == "constant" else min(2, min(shape) - (mode == "reflect"))
            low = -min(1, min(shape) // 2) if mode == "constant" and g.version >= 2 else 0
            amounts = [int(v) for v in g.rng.integers(low, most + 1, 2 * len(shape))]
            axes = None
            if g.version >= 18 and g.chance():
                axes = g.some(range(len(shape)), int(g.rng.integers(1, len(shape) + 1)))
                amounts = [amounts[a] for a in axes] + [amounts[a + len(shape)] for a in axes]
            value = g.array(dtype, ()) if mode == "constant" and g.chance() and (g.version >= 11 or is_float(dtype)) else None

            def expect(x, *_, mode=mode, amounts=amounts, axes=axes, value=value):
                axes = list(range(x.ndim)) if axes is None else axes
                widths, cut = [(0, 0)] * x.ndim, [slice(None)] * x.ndim
                for i, axis in enumerate(axes):
                    begin, end = amounts[i], amounts[i + len(axes)]
                    widths[axis] = (max(begin, 0), max(end, 0))
                    cut[axis] = slice(max(-begin, 0), x.shape[axis] + min(end, 0))
                x = x[tuple(cut)]
                if mode != "constant":
                    return np.pad(x, widths, mode)
                empty = np.zeros((), dtype=x.dtype) if x.dtype != object else np.array("", dtype=object)
                fill = empty if value is None else np.asarray(value).astype(x.dtype)
                result = np.empty([d + a + b for d, (a, b) in zip(x.shape, widths)], dtype=x.dtype)
                result[...] = fill
                result[tuple(slice(a, a + d) for d, (a, b) in zip(x.shape, widths))] = x
                return result

            attributes = {} if mode == "constant" and g.chance() else {"mode": mode}
            x = g.array(dtype, shape)
            if g.version < 11:
                attributes["pads" if g.version >= 2 else "paddings"] = amounts
                if value is not None:
                    value = float(np.float32(value))
                    attributes["value"] = value
                    expect.__kwdefaults__["value"] = value
                yield Case([x], attributes, expect=expect)
            else:
                rest = [value] + ([None if axes is None else ints([a - len(shape) if g.chance() else a for a in axes])] if g.version >= 18 else [])
                yield Case([x, ints(amounts), *rest], attributes, expect=expect)


@operator("DepthToSpace", "SpaceToDepth")
def blocks(g):
    for dtype in g.types():
        for shape in [(2, 8, 2, 4), (1, 4, 4, 2), (1, 12, 2, 2), (0, 4, 2, 2)]:
            attributes = {"blocksize": 2}
            mode = g.pick(["DCR", "CRD"]) if "mode" in g.schema.attributes else "DCR"
            if mode == "CRD":
                attributes["mode"] = mode

            def expect(x, mode=mode):
                n, c, h, w = x.shape
                if g.op == "SpaceToDepth":
                    x = x.reshape(n, c, h // 2, 2, w // 2, 2)
                    order = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
                    return x.transpose(order).reshape(n, c * 4, h // 2, w // 2)
                if mode == "DCR":
                    return x.reshape(n, 2, 2, c // 4, h, w).transpose(0, 3, 4, 1, 5, 2).reshape(n, c // 4, h * 2, w * 2)
                return x.reshape(n, c // 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // 4, h * 2, w * 2)

            yield Case([g.array(dtype, shape)], attributes, expect=expect)


@operator("ReverseSequence")
def reverse_sequence(g):
    for dtype in g.types():
        for shape in [(4, 3), (3, 4, 2), (1, 5), (4, 3, 2, 2)]:
            time = int(g.chance())
            lengths = ints(g.rng.integers(0 if g.version >= 28 else 1, shape[time] + 1, shape[1 - time]))

            def expect(x, lengths, time=time):
                x = np.swapaxes(x, 0, 1) if time == 1 else x
                result = x.copy()
                for b, n in enumerate(lengths):
                    result[:n, b] = x[:n, b][::-1]
                return np.swapaxes(result, 0, 1) if time == 1 else result

            attributes = {"batch_axis": 1 - time, "time_axis": time}
            yield Case([g.array(dtype, shape), lengths], attributes, expect=expect)


@operator("CenterCropPad")
def center_crop_pad(g):
    for dtype in g.types():
        for shape in nonempty(g, dtype):
            axes = None if g.chance() else g.some(range(len(shape)), int(g.rng.integers(1, len(shape) + 1)))
            target = [int(v) for v in g.rng.integers(1, 8, len(axes if axes is not None else shape))]

            def expect(x, _=None, axes=axes, target=target):
                for axis, size in zip(range(x.ndim) if axes is None else axes, target):
                    have = x.shape[axis]
                    if have >= size:
                        x = np.take(x, range((have - size) // 2, (have - size) // 2 + size), axis)
                    else:
                        before = (size - have) // 2
                        fill = np.zeros((), x.dtype) if x.dtype != object else ""
                        dims = list(x.shape)
                        dims[axis] = size
                        result = np.empty(dims, x.dtype)
                        result[...] = fill
                        result[tuple(slice(before, before + have) if k == axis else slice(None) for k in range(x.ndim))] = x
                        x = result
                return x

            yield Case([g.array(dtype, shape), np.array(target, dtype=g.pick(g.types(1)))], {} if axes is None else {"axes": axes}, expect=expect)


@operator("Range")
def ranges(g):
    for dtype in g.types():
        for start, limit, delta in [(0, 5, 1), (1, 10, 3), (5, 0, -2), (3, 3, 1), (5, 2, 1), (0, 1, 0.25)]:
            if np.dtype(dtype).kind not in "iu" or delta == int(delta):
                expect = lambda a, b, d: (np.arange(float(a), float(b), float(d))).astype(a.dtype)  # noqa: E731
                yield Case([np.array(v, dtype=dtype) for v in (start, limit, delta)], expect=expect)


@operator("ConstantOfShape")
def constant_of_shape(g):
    from native import to_tensor

    for dtype in g.types(0, outputs=True):
        for shape in g.some(SHAPES, 2):
            value = g.array(dtype, (1,))
            given = g.chance(0.8) or dtype != np.float32

            def expect(dims, value=value, given=given):
                return np.full(tuple(dims), value[0] if given else np.float32(0), dtype=value.dtype if given else np.float32)

            yield Case([ints(shape)], {"value": to_tensor(value)} if given else {}, expect=expect)

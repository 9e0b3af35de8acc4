"""Operators that pick and place single elements, against NumPy."""

import numpy as np
from cases import SHAPES, Case, elem_type, is_float, operator
from families.movement import I64, ints, nonempty


@operator("Gather")
def gather(g):
    for dtype in g.types():
        for shape in [s for s in nonempty(g, dtype) if 0 not in s]:
            axis = int(g.rng.integers(-len(shape), len(shape)))
            low = -shape[axis] if g.version >= 11 else 0
            indices = g.rng.integers(low, shape[axis], g.pick([(), (3,), (2, 2), (0,)])).astype(g.pick([np.int32, np.int64]))
            yield Case([g.array(dtype, shape), np.asarray(indices)], {"axis": axis}, expect=lambda x, i, axis=axis: np.take(x, i, axis))


@operator("GatherElements", "Scatter", "ScatterElements")
def elements(g):
    for dtype in g.types():
        for shape in [s for s in nonempty(g, dtype) if 0 not in s]:
            axis = int(g.rng.integers(-len(shape), len(shape)))
            at = axis % len(shape)
            dims = tuple(int(g.rng.integers(1, d + 1)) for d in shape)
            reduction = "none"
            if g.op == "ScatterElements" and g.version >= 16 and g.chance(0.7):
                reduction = g.pick(["add", "mul"] + (["max", "min"] if g.version >= 18 and np.dtype(dtype).kind != "c" else []))
                if dtype == object or dtype == bool:
                    reduction = "none"
            if g.op != "GatherElements" and reduction == "none":
                # Places that are written twice have no defined value.
                dims = tuple(d if i != at else min(d, shape[at]) for i, d in enumerate(dims))
                indices = np.argsort(g.rng.random(dims[:at] + (shape[at],) + dims[at + 1:]), axis=at)
                indices = np.take(indices, range(dims[at]), at)
            else:
                indices = g.rng.integers(0, shape[at], dims)
            if g.version >= 11:
                indices = indices - shape[at] * (g.rng.random(dims) < 0.3)
            indices = indices.astype(g.pick([np.int32, np.int64]))
            x = g.array(dtype, shape)
            if g.op == "GatherElements":
                def pick(x, i, at=at):
                    index = list(np.indices(i.shape))
                    index[at] = i % x.shape[at]
                    return x[tuple(index)]

                yield Case([x, indices], {"axis": axis}, expect=pick)
                continue

            def expect(x, i, updates, at=at, reduction=reduction):
                return scatter(x, [np.where(i < 0, i + x.shape[at], i) if axis == at else grid for axis, grid in enumerate(np.indices(i.shape))], updates, reduction)

            yield Case([x, indices, g.array(dtype, dims)], {"axis": axis, **({} if reduction == "none" else {"reduction": reduction})}, expect=expect, rtol=1e-4)


def scatter(x, index, updates, reduction):
    result = x.astype(np.float64) if is_float(x.dtype) else x.copy()
    function = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}.get(reduction)
    for where in np.ndindex(index[0].shape):
        at = tuple(int(axis[where]) for axis in index)
        value = updates[where]
        if function is not None:
            with np.errstate(all="ignore"):
                value = function(result[at], value.astype(result.dtype)).astype(result.dtype)
        result[at] = value
    return result.astype(x.dtype)


@operator("GatherND", "ScatterND")
def nd(g):
    for dtype in g.types():
        for shape in [s for s in nonempty(g, dtype) if 0 not in s and len(s) > 1]:
            batch = int(g.rng.integers(0, len(shape) - 1)) if g.op == "GatherND" and g.version >= 12 else 0
            depth = int(g.rng.integers(1, len(shape) - batch + 1))
            places = [tuple(int(v) for v in np.unravel_index(n, shape[batch:batch + depth])) for n in g.rng.permutation(int(np.prod(shape[batch:batch + depth])))]
            outer = shape[:batch] + g.pick([(2,), (1, 2), ()])
            count = int(np.prod(outer, dtype=I64))
            reduction = "none"
            if g.op == "ScatterND" and g.version >= 16 and g.chance(0.7) and dtype != object and dtype != bool:
                reduction = g.pick(["add", "mul"] + (["max", "min"] if g.version >= 18 and np.dtype(dtype).kind != "c" else []))
            if g.op == "ScatterND" and len(places) < count and reduction == "none":
                continue
            indices = ints([places[i % len(places)] for i in range(count)]).reshape(outer + (depth,))
            if g.version >= 11 and g.chance():
                indices = indices - ints(shape[batch:batch + depth]) * (g.rng.random(indices.shape) < 0.3)
            x = g.array(dtype, shape)
            if g.op == "GatherND":
                def expect(x, i, batch=batch):
                    result = np.empty(i.shape[:-1] + x.shape[batch + i.shape[-1]:], dtype=x.dtype)
                    for where in np.ndindex(i.shape[:-1]):
                        result[where] = x[where[:batch] + tuple(i[where])]
                    return result

                yield Case([x, indices], {"batch_dims": batch} if batch else {}, expect=expect)
                continue
            updates = g.array(dtype, outer + shape[depth:])
            expect = lambda x, i, u, reduction=reduction: scatter(x, [i[..., k] for k in range(i.shape[-1])], u, reduction)  # noqa: E731
            yield Case([x, indices, updates], {} if reduction == "none" else {"reduction": reduction}, expect=expect, rtol=1e-4)


@operator("EyeLike", "Trilu", "NonZero")
def matrices(g):
    for dtype in g.types():
        for shape in g.shapes_for(dtype) if g.op == "NonZero" else [(3, 5), (4, 4), (5, 2), (0, 3)] + ([(2, 3, 4)] if g.op == "Trilu" else []):
            x = g.array(dtype, shape, -2, 2)
            if g.op == "NonZero":
                yield Case([x], expect=lambda x: ints(np.nonzero(x != "" if x.dtype == object else x)) if x.ndim else
                           np.zeros((0, 1 if (x != "" if x.dtype == object else x.astype(bool)) else 0), dtype=I64))
                continue
            k = int(g.rng.integers(-3, 4))
            if g.op == "EyeLike":
                target = g.pick(g.types(0, outputs=True)) if g.chance() else None
                attributes = {} if target is None else {"dtype": elem_type(target)}
                yield Case([x], {**attributes, "k": k}, expect=lambda x, k=k, t=target:
                           np.eye(*x.shape, k=k).astype(x.dtype if t is None else t))
                continue
            upper = int(g.chance())
            inputs = [x] + ([ints(k)] if g.chance(0.7) else [])
            yield Case(inputs, {"upper": upper}, expect=lambda x, k=0, upper=upper: masked(x, int(k), upper))


def masked(x, k, upper):
    mask = np.triu(np.ones(x.shape[-2:], bool), k) if upper else np.tril(np.ones(x.shape[-2:], bool), k)
    result = np.zeros(x.shape, x.dtype) if x.dtype != object else np.full(x.shape, "", object)
    result[..., mask] = x[..., mask]
    return result


@operator("Compress")
def compress(g):
    for dtype in g.types():
        for shape in nonempty(g, dtype):
            axis = int(g.rng.integers(-len(shape) if g.version >= 11 else 0, len(shape))) if g.chance(0.7) else None
            size = shape[axis] if axis is not None else int(np.prod(shape))
            condition = g.array(bool, (int(g.rng.integers(0, size + 1)),))

            def expect(x, c, axis=axis):
                return np.compress(c, x if axis is not None else x.reshape(-1), axis if axis is not None else 0)

            yield Case([g.array(dtype, shape), condition], {} if axis is None else {"axis": axis}, expect=expect)


@operator("OneHot")
def one_hot(g):
    for values in g.types(2):
        indices_type, depth_type = g.pick(g.types(0)), g.pick(g.types(1))
        for shape in g.some(SHAPES, 3):
            if np.dtype(indices_type).itemsize < 2:
                continue
            depth, axis = int(g.rng.integers(1, 6)), int(g.rng.integers(-len(shape) - 1, len(shape) + 1))
            low = -depth if g.version >= 11 and np.dtype(indices_type).kind != "u" else 0
            indices = np.asarray(g.rng.integers(low, depth + 1, shape)).astype(indices_type)

            def expect(i, d, v, axis=axis, depth=depth):
                at = np.asarray(i.astype(np.float64)).astype(I64)
                at = np.where(at < 0, at + depth, at)
                hot = np.expand_dims(at, axis) == np.arange(depth).reshape([-1 if k == axis % (i.ndim + 1) else 1 for k in range(i.ndim + 1)])
                return np.where(hot, v[1], v[0]).astype(v.dtype)

            yield Case([indices, np.array([depth] if g.chance() else depth, dtype=depth_type), g.array(values, (2,))], {"axis": axis}, expect=expect)


@operator("Unique")
def unique(g):
    for dtype in g.types():
        for shape in [s for s in nonempty(g, dtype) if 0 not in s]:
            axis = int(g.rng.integers(-len(shape), len(shape))) if g.chance() else None
            order = g.pick([0, 1])

            def expect(x, axis=axis, order=order):
                wide = x.astype(str) if x.dtype == object else x
                if x.dtype.kind not in "iufOUbc":
                    wide = x.astype(np.float64)
                values, first, inverse, counts = np.unique(wide, return_index=True, return_inverse=True, return_counts=True, axis=axis)
                inverse = inverse.reshape(-1)
                if not order:
                    rank = np.argsort(first)
                    back = np.argsort(rank)
                    values, first, counts = np.take(values, rank, axis or 0), first[rank], counts[rank]
                    inverse = back[inverse]
                return values.astype(x.dtype), ints(first), ints(inverse), ints(counts)

            yield Case([g.array(dtype, shape, -2, 2)], {"sorted": order, **({} if axis is None else {"axis": axis})}, 4, expect=expect)


@operator("TensorScatter")
def tensor_scatter(g):
    for dtype in g.types():
        for rank in (3, 4):
            shape = (2, 2, 6, 3)[-rank:] if rank == 4 else (2, 6, 3)
            axis, new = rank - 2, int(g.rng.integers(1, 4))
            mode = g.pick(["linear", "circular"])
            starts = ints(g.rng.integers(0, 7 - new if mode == "linear" else 6, 2)) if g.chance(0.7) else None
            update = g.array(dtype, shape[:axis] + (new,) + shape[axis + 1:])

            def expect(past, update, starts=None, axis=axis, mode=mode):
                result = past.copy()
                for b in range(past.shape[0]):
                    for t in range(update.shape[axis]):
                        at = (0 if starts is None else int(starts[b])) + t
                        index = (b,) + (slice(None),) * (axis - 1)
                        result[index + (at % past.shape[axis],)] = update[index + (t,)]
                return result

            yield Case([g.array(dtype, shape), update, starts], {"mode": mode}, expect=expect)

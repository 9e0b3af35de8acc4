"""Reductions, running sums and what normalises along axes."""

import numpy as np
from cases import Case, is_float, operator


def reduce(op, x, axes, keepdims):
    wide = x.astype(np.float64) if is_float(x.dtype) else x.astype(object)
    if op in ("ReduceMax", "ReduceMin"):
        function = np.max if op == "ReduceMax" else np.min
        if x.dtype == bool:
            wide = x.astype(np.int64)
        return function(wide, axis=axes, keepdims=keepdims)
    with np.errstate(all="ignore"):
        if op in ("ReduceLogSum", "ReduceLogSumExp", "ReduceL2", "ReduceMean"):
            wide = x.astype(np.float64)
        return {
            "ReduceSum": lambda: np.sum(wide, axis=axes, keepdims=keepdims),
            "ReduceProd": lambda: np.prod(wide, axis=axes, keepdims=keepdims),
            "ReduceMean": lambda: np.mean(wide, axis=axes, keepdims=keepdims),
            "ReduceL1": lambda: np.sum(np.abs(wide), axis=axes, keepdims=keepdims),
            "ReduceL2": lambda: np.sqrt(np.sum(wide * wide, axis=axes, keepdims=keepdims)),
            "ReduceSumSquare": lambda: np.sum(wide * wide, axis=axes, keepdims=keepdims),
            "ReduceLogSum": lambda: np.log(np.sum(wide, axis=axes, keepdims=keepdims)),
            "ReduceLogSumExp": lambda: np.log(np.sum(np.exp(wide), axis=axes, keepdims=keepdims)),
        }[op]()


@operator("ReduceSum", "ReduceProd", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum",
          "ReduceLogSumExp")
def reductions(g):
    as_input = len(g.schema.inputs) > 1
    for dtype in g.types():
        for shape in g.shapes_for(dtype, 4):
            rank = len(shape)
            axes = None if g.chance(0.25) or rank == 0 else tuple(g.some(range(rank), int(g.rng.integers(1, rank + 1))))
            keepdims = int(g.chance())
            if g.op in ("ReduceMax", "ReduceMin") and 0 in shape and (axes is None or any(shape[a] == 0 for a in axes)):
                continue
            # The mean of nothing and the logarithm of 0 are no integers.
            if g.op in ("ReduceMean",) and not is_float(dtype) and 0 in shape:
                continue
            attributes = {} if keepdims and g.chance() else {"keepdims": keepdims}
            given = None if axes is None else [a - rank if g.version >= 11 and g.chance() else a for a in axes]
            low = 0.1 if g.op in ("ReduceLogSum",) else 1 if g.op == "ReduceProd" else -3
            inputs = [g.array(dtype, shape, low, 3)]
            if as_input:
                if given is not None:
                    inputs.append(np.array(given, dtype=np.int64))
                elif g.chance():
                    inputs.append(np.array([], dtype=np.int64))
                    if g.chance(0.3):
                        attributes["noop_with_empty_axes"] = 1
                        continue  # judged below
            elif given is not None:
                attributes["axes"] = given

            def expect(x, _=None, axes=axes, keepdims=bool(keepdims)):
                result = np.asarray(reduce(g.op, x, axes, keepdims))
                if not is_float(x.dtype) and result.dtype.kind == "f":
                    info = np.iinfo(x.dtype)
                    result = np.clip(np.nan_to_num(np.trunc(result), nan=0), info.min, info.max)
                if result.dtype == object:
                    mask = (1 << (8 * x.dtype.itemsize)) - 1
                    return np.array([int(v) & mask for v in result.ravel()], dtype=np.uint64).reshape(result.shape).astype(x.dtype)
                with np.errstate(all="ignore"):
                    return result.astype(x.dtype)

            yield Case(inputs, attributes, expect=expect, rtol=5e-6, atol=2e-6)
    if "noop_with_empty_axes" in g.schema.attributes:
        x = g.array(np.float32, (2, 3), 1, 3)
        for axes in (None, np.array([], dtype=np.int64)):
            yield Case([x, axes], {"noop_with_empty_axes": 1, "keepdims": 0}, expect=lambda x, _=None: noop(g.op, x).astype(np.float32), rtol=5e-6)


def noop(op, x):
    """No axis is reduced, the operation on single elements stays."""
    x = x.astype(np.float64)
    return {"ReduceL1": np.abs, "ReduceL2": np.abs, "ReduceSumSquare": np.square, "ReduceLogSum": np.log}.get(op, lambda x: x)(x)


@operator("ArgMax", "ArgMin")
def arg_extreme(g):
    for dtype in g.types():
        for shape in [s for s in g.shapes_for(dtype, 4) if s]:
            axis = g.axis(len(shape))
            if shape[axis] == 0:
                continue
            attributes = {"axis": axis, "keepdims": int(g.chance())}
            last = g.version >= 12 and g.chance()
            if last:
                attributes["select_last_index"] = 1

            def expect(x, a=attributes, last=last):
                axis = a["axis"]
                x = x.astype(np.float64) if is_float(x.dtype) else x
                function = np.argmax if g.op == "ArgMax" else np.argmin
                result = x.shape[axis] - 1 - function(np.flip(x, axis), axis) if last else function(x, axis)
                return np.asarray(np.expand_dims(result, axis) if a["keepdims"] else result).astype(np.int64)

            yield Case([g.array(dtype, shape, -3, 3)], attributes, expect=expect)


@operator("CumSum", "CumProd")
def running(g):
    for dtype in g.types():
        for shape in [s for s in g.shapes_for(dtype, 4) if s]:
            axis = int(g.rng.integers(-len(shape), len(shape)))
            attributes = {name: 1 for name in ("exclusive", "reverse") if g.chance()}
            kind = g.pick([np.int32, np.int64])

            def expect(x, axis, a=attributes):
                axis = int(axis)
                wide = x.astype(np.float64) if is_float(x.dtype) else x
                wide = np.flip(wide, axis) if "reverse" in a else wide
                total = (np.cumsum if g.op == "CumSum" else np.cumprod)(wide, axis)
                if "exclusive" in a:
                    total = np.roll(total, 1, axis)
                    if total.shape[axis]:
                        index = [slice(None)] * x.ndim
                        index[axis] = 0
                        total[tuple(index)] = 0 if g.op == "CumSum" else 1
                return (np.flip(total, axis) if "reverse" in a else total).astype(x.dtype)

            yield Case([g.array(dtype, shape, -3, 3), np.array(axis, dtype=kind)], attributes, expect=expect, rtol=2e-5, atol=2e-5)


def softmax(x, axes):
    e = np.exp(x - np.max(x, axis=axes, keepdims=True)) if x.size else x
    return e / np.sum(e, axis=axes, keepdims=True) if x.size else x


@operator("Softmax", "LogSoftmax", "Hardmax")
def softmaxes(g):
    for dtype in g.types():
        for shape in [s for s in g.shapes_for(dtype, 4) if s]:
            rank = len(shape)
            axis = g.axis(rank) if g.chance(0.8) else None
            effective = axis if axis is not None else (-1 if g.version >= 13 else 1)
            if not -rank <= effective < rank or 0 in shape:
                continue

            def expect(x, axis=effective):
                wide = x.astype(np.float64)
                if g.version < 13:  # all axes from this one on are one
                    axis %= x.ndim
                    wide, axis = wide.reshape(int(np.prod(x.shape[:axis])), -1), 1
                if g.op == "Hardmax":
                    result = np.zeros(wide.shape)
                    np.put_along_axis(result, np.expand_dims(np.argmax(wide, axis), axis), 1, axis)
                else:
                    result = softmax(wide, axis)
                    result = np.log(result) if g.op == "LogSoftmax" else result
                return result.reshape(x.shape).astype(x.dtype)

            yield Case([g.array(dtype, shape)], {} if axis is None else {"axis": axis}, expect=expect)


@operator("LpNormalization")
def lp_normalization(g):
    for dtype in g.types():
        for shape in [s for s in g.shapes_for(dtype, 4) if s and 0 not in s]:
            axis, p = int(g.rng.integers(-len(shape), len(shape))), g.pick([1, 2])

            def expect(x, axis=axis, p=p):
                wide = x.astype(np.float64)
                norm = np.linalg.norm(wide, p, axis, keepdims=True) if wide.ndim else np.abs(wide)
                return np.where(norm == 0, 0, wide / np.where(norm == 0, 1, norm)).astype(x.dtype)

            yield Case([g.array(dtype, shape)], {"axis": axis, "p": p}, expect=expect)


@operator("MeanVarianceNormalization")
def mean_variance(g):
    for dtype in g.types():
        for shape in [(2, 3, 4, 5), (1, 1, 7, 3)]:
            for axes in (None, [0, 2], [1, 2, 3]):

                def expect(x, axes=tuple(axes or (0, 2, 3))):
                    x64 = x.astype(np.float64)
                    mean = x64.mean(axes, keepdims=True)
                    deviation = np.sqrt((x64 * x64).mean(axes, keepdims=True) - mean * mean)
                    return ((x64 - mean) / (deviation + 1e-9)).astype(x.dtype)

                yield Case([g.array(dtype, shape)], {} if axes is None else {"axes": axes}, expect=expect, rtol=1e-4, atol=1e-5)


@operator("TopK")
def top_k(g):
    for dtype in g.types():
        for shape in [s for s in g.shapes_for(dtype, 4) if s]:
            axis = g.axis(len(shape))
            k = int(g.rng.integers(0 if g.version >= 10 else 1, shape[axis] + 1)) if shape[axis] else 0
            if g.version == 1 and k == 0:
                continue
            attributes = {"axis": axis}
            largest = not (g.version >= 11 and g.chance())
            if not largest:
                attributes["largest"] = 0
            if g.version == 1:
                attributes["k"] = k

            def expect(x, _=None, axis=axis, k=k, largest=largest):
                wide = x.astype(np.float64) if is_float(x.dtype) else x.astype(object)
                order = np.argsort(-wide if largest else wide, axis=axis, kind="stable")
                order = np.take(order, np.arange(k), axis=axis)
                return np.take_along_axis(x, order, axis), order.astype(np.int64)

            yield Case([g.array(dtype, shape, -9, 9)] + ([np.array([k], dtype=np.int64)] if g.version >= 10 else []), attributes, 2, expect=expect)


@operator("Det")
def determinant(g):
    for dtype in g.types():
        for shape in [(1, 1), (3, 3), (2, 5, 5), (2, 0, 4, 4), (0, 0), (7, 7)]:
            yield Case([g.array(dtype, shape)], expect=lambda x: np.asarray(np.linalg.det(x.astype(np.float64))).astype(x.dtype), rtol=1e-4, atol=2e-2 if np.dtype(dtype).itemsize == 2 else 1e-3)



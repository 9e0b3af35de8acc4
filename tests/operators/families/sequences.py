"""Sequences, optionals, strings and control flow."""

import re

import numpy as np
from cases import Case, elem_type, operator, to_dtype
from onnx import TensorProto, helper


def port(name, kind=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def tensors(g, dtype, count):
    return [g.array(dtype, g.dims(2, 1, 3)) for _ in range(count)]


def some_types(g):
    """The element types of all tensors in any form that the schema names."""
    names = {name for ports in (g.schema.inputs, g.schema.outputs) for port in ports for kind in port.types for name in re.findall(r"tensor\([a-z0-9]+\)", kind)}
    return [np.dtype(dtype) for dtype in map(to_dtype, sorted(names))]


@operator("SequenceConstruct", "SequenceAt", "SequenceInsert", "SequenceErase", "SequenceLength")
def sequences(g):
    for dtype in some_types(g):
        for _ in range(3):
            items = tensors(g, dtype, int(g.rng.integers(1, 5)))
            at = int(g.rng.integers(-len(items), len(items)))
            place = np.array(at, dtype=g.pick([np.int32, np.int64]))
            if g.op == "SequenceConstruct":
                yield Case(items, expect=lambda *x: ([*x],))
            elif g.op == "SequenceAt":
                yield Case([items, place], expect=lambda x, i: x[int(i)])
            elif g.op == "SequenceLength":
                yield Case([items], expect=lambda x: np.array(len(x), dtype=np.int64))
            elif g.op == "SequenceErase":
                yield Case([items] + ([place] if g.chance(0.7) else []), expect=lambda x, i=-1: ([v for k, v in enumerate(x) if k != int(i) % len(x)],))
            else:
                given = g.chance(0.7)

                def insert(x, new, i=None):
                    i = len(x) if i is None else int(i)
                    i = i + len(x) if i < 0 else i
                    return ([*x[:i], new, *x[i:]],)

                yield Case([items, g.array(dtype, (2,))] + ([place] if given else []), expect=insert)


@operator("SequenceEmpty")
def sequence_empty(g):
    for dtype in some_types(g):
        yield Case([], {"dtype": elem_type(dtype)}, expect=lambda: ([],))
    yield Case([], {}, expect=lambda: ([],))


@operator("ConcatFromSequence")
def concat_from_sequence(g):
    for dtype in some_types(g):
        for new in (0, 1):
            items = [g.array(dtype, (2, 3)) for _ in range(3)]
            axis = int(g.rng.integers(-2, 2))
            yield Case([items], {"axis": axis, "new_axis": new}, expect=lambda x, axis=axis, new=new: (np.stack if new else np.concatenate)(x, axis))


@operator("SplitToSequence")
def split_to_sequence(g):
    for dtype in some_types(g):
        for kind in ("none", "scalar", "list"):
            x, axis, keep = g.array(dtype, (5, 4)), int(g.rng.integers(-2, 2)), int(g.chance())
            size = x.shape[axis]
            sizes = {"none": [1] * size, "scalar": [2] * (size // 2) + [1] * (size % 2), "list": [1, 2, size - 3]}[kind]
            split = None if kind == "none" else np.array(2 if kind == "scalar" else sizes, dtype=np.int64)

            def expect(x, _=None, axis=axis, sizes=sizes, drop=kind == "none" and not keep):
                parts = np.split(x, np.cumsum(sizes)[:-1], axis)
                return ([np.squeeze(p, axis) for p in parts] if drop else list(parts),)

            yield Case([x, split], {"axis": axis, "keepdims": keep}, expect=expect)


@operator("SequenceMap")
def sequence_map(g):
    body = helper.make_graph([helper.make_node("Neg", ["a"], ["b"]), helper.make_node("Shape", ["a"], ["c"])], "body", [port("a")],
                             [port("b"), port("c", TensorProto.INT64)])
    yield Case([tensors(g, np.float32, 3)], {"body": body}, 2, expect=lambda x: ([-v for v in x], [np.array(v.shape, dtype=np.int64) for v in x]))
    body = helper.make_graph([helper.make_node("Add", ["a", "d"], ["b"])], "body", [port("a"), port("d")], [port("b")])
    yield Case([tensors(g, np.float32, 2), g.array(np.float32, ())], {"body": body}, expect=lambda x, d: ([v + d for v in x],))


@operator("Optional", "OptionalHasElement", "OptionalGetElement")
def optionals(g):
    for dtype in some_types(g):
        x = g.array(dtype, (2, 3))
        optional = helper.make_optional_type_proto(helper.make_tensor_type_proto(elem_type(dtype), None))
        if g.op == "Optional":
            yield Case([x], expect=lambda x: x)
            yield Case([[x, x]], expect=lambda x: ([*x],))
            yield Case([], {"type": helper.make_tensor_type_proto(elem_type(dtype), None)}, expect=lambda: (None,))
        elif g.op == "OptionalGetElement":
            yield Case([x], types={0: optional}, expect=lambda x: x)
            if g.version >= 18:
                yield Case([x], expect=lambda x: x)
        else:
            yield Case([x], types={0: optional}, expect=lambda x: np.array(True))
            yield Case([None], types={0: optional}, expect=lambda x: np.array(False))
            if g.version >= 18:
                yield Case([x], expect=lambda x: np.array(True))
                yield Case([None], expect=lambda x=None: np.array(False), constants=set())


@operator("If")
def branches(g):
    for dtype in some_types(g):
        for choice in (True, False):
            kind = elem_type(dtype)
            left, right = [helper.make_graph([helper.make_node("Identity", ["k"], ["o"])], "b", [], [port("o", kind)], [tensor(v)])
                           for v in (g.array(dtype, (2,)), g.array(dtype, (3,)))]
            yield Case([np.array(choice)], {"then_branch": left, "else_branch": right},
                       expect=lambda c, l=left, r=right: from_graph(l if c else r))


def tensor(value):
    from native import to_tensor

    result = to_tensor(value)
    result.name = "k"
    return result


def from_graph(graph):
    from native import from_tensor

    return from_tensor(graph.initializer[0])


@operator("Loop")
def loops(g):
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "s"], ["t"]), helper.make_node("Identity", ["t"], ["scan"]), helper.make_node("Add", ["k", "one"], ["m"]),
         helper.make_node("Less", ["m", "limit"], ["go"])],
        "body", [port("i", TensorProto.INT64, []), port("c", TensorProto.BOOL, []), port("s", shape=[2]), port("k", shape=[])],
        [port("go", TensorProto.BOOL, []), port("t", shape=[2]), port("m", shape=[]), port("scan", shape=[2])],
        [named(np.array(v, dtype=np.float32), n) for v, n in ((1, "one"), (3, "limit"))])
    for trips in (0, 1, 3, 10):
        for condition in (None, True, False):
            inputs = [np.array(trips, dtype=np.int64), None if condition is None else np.array(condition), g.array(np.float32, (2,)), np.array(0, dtype=np.float32)]

            def expect(n, c, s, k):
                rows = []
                for i in range(int(n)):
                    if c is not None and not c:
                        break
                    s, k = s + s, k + np.float32(1)
                    rows.append(s)
                    c = k < 3 if c is not None else None  # without a condition the body's is ignored
                return s, k, np.array(rows, dtype=np.float32).reshape(-1, 2)

            yield Case(inputs, {"body": body}, 3, expect=expect)


def named(value, name):
    from native import to_tensor

    result = to_tensor(value)
    result.name = name
    return result


@operator("Scan")
def scans(g):
    body = helper.make_graph([helper.make_node("Add", ["s", "x"], ["t"]), helper.make_node("Mul", ["x", "x"], ["y"])], "body", [port("s", shape=[2]), port("x", shape=[2])],
                             [port("t", shape=[2]), port("y", shape=[2])])
    for length in (1, 4):
        state, x = g.array(np.float32, (2,)), g.array(np.float32, (length, 2))
        if g.version == 8:
            expect = lambda lens, s, x: (s + x.sum(1), x * x)  # noqa: E731
            yield Case([None, state[None], x[None]], {"body": body, "num_scan_inputs": 1}, 2, expect=expect)
            yield Case([np.array([max(1, length - 1)], dtype=np.int64), state[None], x[None]], {"body": body, "num_scan_inputs": 1}, 2, ignore=(1,),
                       expect=lambda n, s, x: (s + x[:, :int(n[0])].sum(1), x))
            continue
        for reverse in (0, 1):
            attributes = {"body": body, "num_scan_inputs": 1, "scan_input_directions": [reverse], "scan_output_directions": [g.pick([0, 1])]}
            flip = reverse != attributes["scan_output_directions"][0]
            yield Case([state, x], attributes, 2, expect=lambda s, x, f=flip: (s + x.sum(0), (x * x)[::-1] if f else x * x))


@operator("StringConcat", "StringSplit", "RegexFullMatch", "StringNormalizer")
def strings(g):
    for shape in [(), (4,), (2, 3), (0,), (2, 1, 2)]:
        x = g.array(object, shape)
        if g.op == "StringConcat":
            a, b = g.broadcast_pair(shape)
            yield Case([g.array(object, a), g.array(object, b)], expect=lambda a, b: np.asarray(a + b, dtype=object))
        elif g.op == "RegexFullMatch":
            pattern = g.pick(["[a-z]+", "a.*", "", "(ß|Ab)"])
            yield Case([x], {"pattern": pattern}, expect=lambda x, p=pattern: np.array([re.fullmatch(p, s) is not None for s in x.ravel()], dtype=bool).reshape(x.shape))
        elif g.op == "StringSplit":
            x = np.array(g.rng.choice(["a b c", " x  y ", "", "one", "a,b,,c", ","], shape), dtype=object)
            delimiter, most = g.pick([None, ",", ""]), g.pick([None, 1, 2])

            def expect(x, d=delimiter, m=most):
                parts = [s.split(d or None, -1 if m is None else m) for s in x.ravel()]
                width = max(map(len, parts), default=0)
                table = np.array([p + [""] * (width - len(p)) for p in parts], dtype=object).reshape(*x.shape, width)
                return table, np.array([len(p) for p in parts], dtype=np.int64).reshape(x.shape)

            yield Case([x], {**({} if delimiter is None else {"delimiter": delimiter}), **({} if most is None else {"maxsplit": most})}, 2, expect=expect)
        elif len(shape) == 1 and shape != (0,):
            for action in ("LOWER", "UPPER", "NONE"):
                for exact in (0, 1):
                    stops = g.pick([None, ["A", "zeta"], ["SNÖ"]])

                    def expect(x, action=action, exact=exact, stops=stops):
                        change = {"LOWER": str.lower, "UPPER": str.upper, "NONE": lambda s: s}[action]
                        fold = (lambda s: s) if exact else str.upper if action == "UPPER" else str.lower
                        kept = [change(s) for s in x if fold(s) not in {fold(w) for w in stops or []}]
                        return np.array(kept or [""], dtype=object)

                    yield Case([x], {"case_change_action": action, "is_case_sensitive": exact, **({} if stops is None else {"stopwords": stops})}, expect=expect)


@operator("TfIdfVectorizer")
def tf_idf(g):
    for mode in ("TF", "IDF", "TFIDF"):
        for skip in (0, 1):
            attributes = {"mode": mode, "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": skip, "ngram_counts": [0, 3], "ngram_indexes": [0, 1, 2, 3, 4],
                          "pool_int64s": [1, 2, 3, 1, 2, 2, 3], "weights": [0.5, 1.0, 2.0, 3.0, 1.5]}
            yield Case([g.array(g.pick([np.int32, np.int64]), g.pick([(7,), (2, 6)]), 0, 4)], attributes)

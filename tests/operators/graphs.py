#!/usr/bin/env python3
"""Random models of many nodes against onnx.reference, at random optimisation levels or at all.

    graphs.py [--library FILE] [--count N] [--first SEED] [--nodes N] [--all-levels] [--keep FOLDER]

A model starts from cases of single operators (families/), each at a random one of its element types, and grows by operators that take what is
there: arithmetic, movement, reductions, shape arithmetic, ai.onnx.ml, sequences, optionals and bodies (bodies.py). Every node is evaluated by onnx.reference as it is added, once more with its
inputs changed by what rounding may have changed them, which says how far its results may be off. Values that are not exact are kept away from
operators that would make a step of it. With --all-levels, level basic must also give what level none gives, to the last bit. A failing model is
written to FOLDER.

Last line: counts. Exit code 1 when any disagrees."""

import argparse
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

sys.path.insert(0, str(Path(__file__).parent))

import families  # noqa: E402, F401
import bodies  # noqa: E402
from bodies import BINARY, UNARY  # noqa: E402
from cases import GENERATORS, NEWEST, Gen, elem_type, is_float, is_integer  # noqa: E402
from corrected import CORRECTED  # noqa: E402
from known import DISPUTES  # noqa: E402
from native import Library, RunError, to_tensor  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
# Not from cases of theirs but as bodies.py puts them among others; or without tensors for results.
ROOTLESS = {"Loop", "Scan", "If", "SequenceMap", "Optional", "OptionalGetElement", "OptionalHasElement", "ImageDecoder", "StringNormalizer"}
IMPORTS = [helper.make_opsetid(domain, version) for domain, version in (("", NEWEST), ("ai.onnx.ml", 5), ("ai.onnx.preview", 1), ("ai.onnx.preview.training", 1))]
LARGEST = 1e4
GRAIN = {"float64": 1e-4, "float32": 1e-4, "float16": 1e-2, "bfloat16": 8e-2}  # rounding of one operator
STEPS = ["Floor", "Ceil", "Round", "Sign"]
REDUCE = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceSumSquare"]


class Model:
    """A graph under construction with the value of each tensor."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.inputs, self.initializers, self.feeds = [], [], [], {}
        self.values, self.used = {}, set()
        self.made = 0  # names of bodies and chains
        self.error = {}  # of a value: by how much rounding may change its elements; 0 when not at all

    def pick(self, options):
        return options[int(self.rng.integers(len(options)))]

    def chance(self, p=0.5):
        return bool(self.rng.random() < p)

    def source(self, value, constant=None):
        """A graph input or an initializer."""
        name = f"v{len(self.values)}"
        if self.chance(0.4) if constant is None else constant:
            self.initializers.append(to_tensor(value))
            self.initializers[-1].name = name
        else:
            dims = [f"{name}_{i}" if self.chance(0.4) else d for i, d in enumerate(value.shape)]
            self.inputs.append(helper.make_tensor_value_info(name, elem_type(value.dtype), dims))
            self.feeds[name] = value
        self.values[name], self.error[name] = value, 0
        return name

    def constant(self, values, dtype=np.int64):
        return self.source(np.array(values, dtype=dtype), self.chance(0.8))

    def add(self, op, inputs, outputs=1, formula=None, **attributes):
        """Adds a node if `formula`, else onnx.reference, gives it values worth keeping; its outputs, or None."""
        names = [f"v{len(self.values) + i}" for i in range(outputs)]
        return self.add_all([helper.make_node(op, inputs, names, name=f"{op}_{names[0]}", **attributes)], formula)

    def add_all(self, nodes, formula=None):
        """The same for nodes in a row, of which only the results of the last become values that others may use."""
        names = list(nodes[-1].output)
        feeds = {name: self.values[name] for name in self.needs(nodes)}
        results = formula() if formula else self.evaluate(nodes, feeds)
        if results is None:
            return None
        results = [np.asarray(r) if isinstance(r, (np.ndarray, np.generic)) else None for r in (results if isinstance(results, (tuple, list)) else [results])]
        results = [r.astype(object) if r is not None and r.dtype.kind in "US" else r for r in results]
        if len(results) != len(names) or not all(map(self.fine, results)):
            return None
        errors = self.errors(nodes, feeds, results)
        if errors is None:
            return None
        self.nodes += nodes
        self.used.update(feeds)
        for name, result, error in zip(names, results, errors):
            self.values[name], self.error[name] = result, error
        return names

    def errors(self, nodes, feeds, results):
        """By how much each result may be off; None when that cannot be told."""
        spread = [0.0] * len(results)
        if any(self.error[name] for name in feeds):
            moved = {name: (value + self.rng.choice([-1, 1], value.shape) * self.error[name]).astype(value.dtype) if self.error[name] else value for name, value in feeds.items()}
            others = self.evaluate(nodes, moved)
            if others is None or any(np.shape(a) != b.shape for a, b in zip(others, results)):
                return None
            with np.errstate(all="ignore"):
                spread = [float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)))) if is_float(b.dtype) and b.size else 0.0 for a, b in zip(others, results)]
        if nodes[-1].op_type == "LogSoftmax" and results[0].dtype == np.float16 and results[0].size and results[0].min() < -9:
            return None  # onnx.reference takes the logarithm of shares that have lost their digits below 2^-14
        exact = all(node.op_type in MOVERS for node in nodes) and not any(self.error[name] for name in feeds)
        own = [GRAIN[r.dtype.name] * max(1.0, float(np.max(np.abs(r.astype(np.float64))))) if is_float(r.dtype) and r.size and not exact else 0.0 for r in results]
        return [4 * a + b for a, b in zip(spread, own)] if np.isfinite(spread).all() else None

    @staticmethod
    def evaluate(nodes, feeds):
        # onnx.reference adds up narrow floats in their own type, where long sums stand still.
        narrow = next((v.dtype for v in feeds.values() if v.dtype.name in ("float16", "bfloat16")), None) if nodes[-1].op_type in REDUCE else None
        if narrow is not None:
            wide = Model.evaluate(nodes, {n: v.astype(np.float64) if v.dtype == narrow else v for n, v in feeds.items()})
            with np.errstate(all="ignore"):
                return wide and [r.astype(narrow) for r in map(np.asarray, wide)]
        ports = [helper.make_tensor_value_info(name, elem_type(value.dtype), None) for name, value in feeds.items()]
        graph = helper.make_graph(nodes, "one", ports, [onnx.ValueInfoProto(name=name) for name in nodes[-1].output])
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                return ReferenceEvaluator(helper.make_model(graph, opset_imports=IMPORTS), new_ops=CORRECTED).run(None, feeds)
        except Exception:
            return None

    @staticmethod
    def needs(nodes):
        """What is read from outside the nodes and their bodies."""
        names, inside = {}, set()
        for node in nodes:
            names |= dict.fromkeys(name for name in node.input if name and name not in inside)
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    own = inside | {port.name for port in [*attribute.g.input, *attribute.g.initializer]}
                    names |= dict.fromkeys(name for name in Model.needs(attribute.g.node) if name not in own)
            inside.update(node.output)
        return names

    @staticmethod
    def fine(value):
        if value is None or value.size > 20000 or value.ndim > 6:
            return False
        if is_float(value.dtype) or is_integer(value.dtype):
            wide = value.astype(np.float64)
            return bool(np.isfinite(wide).all() and (np.abs(wide) < LARGEST).all())
        return True

    def having(self, test):
        return [name for name, value in self.values.items() if test(value)]

    def to_proto(self):
        outputs = [name for node in self.nodes for name in node.output if name in self.values and (name not in self.used or self.chance(0.1))]
        ports = [onnx.ValueInfoProto(name=name) for name in outputs]
        graph = helper.make_graph(self.nodes, "random", self.inputs, ports, self.initializers)
        return helper.make_model(graph, opset_imports=IMPORTS, ir_version=13), outputs


MOVERS = {"Transpose", "Reshape", "Concat", "Slice", "Gather", "Unsqueeze", "Squeeze", "Expand", "Tile", "Pad", "Identity", "Split", "Where", "Flatten", "Trilu", "Neg", "Abs",
          "Relu", "Max", "Min", "ReduceMax", "ReduceMin", "Cast"}


def start(m):
    """One operator as its generator makes it, in the newest version."""
    domain, op = m.pick(ROOTS)
    version = onnx.defs.get_schema(op, NEWEST, domain).since_version
    cases = CASES.setdefault((domain, op), [case for generator in GENERATORS[domain, op] for case in generator(Gen(op, version, domain))
                                            if case.check is None and not case.types and not case.refused and not any(isinstance(v, list) for v in case.inputs)])
    if not cases:
        return None
    case = m.pick(cases)
    if any(value is not None and value.size > 5000 for value in case.inputs):
        return None
    names = ["" if value is None else m.source(value) for value in case.inputs]
    while names and not names[-1]:
        names.pop()
    formula = None if case.expect is None else lambda: case.expect(*case.inputs)
    return m.add(op, names, case.outputs, formula, domain=domain, **case.attributes)


LIVE = {(s.domain, s.name) for s in onnx.defs.get_all_schemas() if not s.deprecated}
ROOTS = [pair for pair in GENERATORS if pair in LIVE and pair[1] not in ROOTLESS and pair[1] not in DISPUTES and "Random" not in pair[1]]
CASES = {}


def elementwise(m):
    name = m.pick(m.having(lambda v: is_float(v.dtype)) or [None])
    if name is None:
        return None
    op = m.pick(UNARY + (STEPS if not m.error[name] else []))
    return m.add(op, [name])


def binary(m):
    name = m.pick(m.having(lambda v: is_float(v.dtype) or v.dtype in (np.int32, np.int64)) or [None])
    if name is None:
        return None
    a = m.values[name]
    others = [n for n in m.having(lambda v: v.dtype == a.dtype) if broadcasts(a.shape, m.values[n].shape)]
    other = m.pick(others) if m.chance(0.8) else m.source(np.asarray(m.rng.integers(1, 4, a.shape[-1:])).astype(a.dtype))
    if m.chance(0.15) and not m.error[name] and not m.error[other]:
        condition = m.add("Less", [name, other])
        return condition and m.add("Where", [condition[0], name, other])
    return m.add(m.pick(BINARY), [name, other])


def broadcasts(a, b):
    return all(x == y or 1 in (x, y) for x, y in zip(a[::-1], b[::-1]))


def movement(m):
    name = m.pick(list(m.values))
    v = m.values[name]
    rank = v.ndim
    kind = m.pick(["Transpose", "Reshape", "Unsqueeze", "Slice", "Gather", "Concat", "Flatten", "Tile", "Split", "Pad", "Expand"])
    if rank == 0:
        return m.add("Unsqueeze", [name, m.constant([0])])
    axis = int(m.rng.integers(rank))
    if kind == "Transpose":
        return m.add(kind, [name], perm=[int(p) for p in m.rng.permutation(rank)])
    if kind == "Reshape":
        if m.chance():  # a shape computed from the shape
            shape = m.add("Shape", [name])
            last = shape and m.add("Slice", [shape[0], m.constant([rank - 1]), m.constant([rank])])
            target = last and m.add("Concat", [m.constant([-1]), last[0]], axis=0)
            return target and m.add(kind, [name, target[0]])
        return m.add(kind, [name, m.constant([v.size] if m.chance() else [-1])])
    if kind == "Unsqueeze":
        return m.add(kind, [name, m.constant([int(m.rng.integers(-rank - 1, rank + 1))])])
    if kind == "Slice":
        return m.add(kind, [name, m.constant([int(m.rng.integers(0, 2))]), m.constant([2**31]), m.constant([axis]), m.constant([m.pick([1, 2])])])
    if kind == "Gather":
        return v.shape[axis] and m.add(kind, [name, m.constant([int(i) for i in m.rng.integers(0, v.shape[axis], m.pick([1, 3]))])], axis=axis)
    if kind == "Concat":
        same = [n for n in m.having(lambda w: w.dtype == v.dtype and w.ndim == rank) if all(x == y or i == axis for i, (x, y) in enumerate(zip(v.shape, m.values[n].shape)))]
        return m.add(kind, [name, m.pick(same)], axis=axis)
    if kind == "Flatten":
        return m.add(kind, [name], axis=int(m.rng.integers(0, rank + 1)))
    if kind == "Tile":
        return m.add(kind, [name, m.constant([int(r) for r in m.rng.integers(1, 3, rank)])])
    if kind == "Split":
        cut = int(m.rng.integers(0, v.shape[axis] + 1))
        return m.add(kind, [name, m.constant([cut, v.shape[axis] - cut])], 2, axis=axis)
    if kind == "Pad":
        if v.dtype == object or v.dtype.name == "float8_e8m0fnu":
            return None  # onnx.reference pads text with the number 0, and this type has none
        return m.add(kind, [name, m.constant([int(p) for p in m.rng.integers(0, 2, 2 * rank)])])
    return m.add(kind, [name, m.constant([2] + [1] * rank)])


def reduction(m):
    name = m.pick(m.having(lambda v: is_float(v.dtype) and v.ndim > 0 and v.size > 0) or [None])
    if name is None:
        return None
    axis = int(m.rng.integers(m.values[name].ndim))
    if m.chance(0.2):
        return m.add(m.pick(["Softmax", "LogSoftmax"]), [name], axis=axis)
    if m.chance(0.2):
        return m.add("MatMul", [name, m.source(m.rng.uniform(-1, 1, (m.values[name].shape[-1], 3)).astype(m.values[name].dtype))])
    return m.add(m.pick(REDUCE), [name, m.constant([axis])], keepdims=int(m.chance()))


def conversion(m):
    name = m.pick(m.having(lambda v: is_float(v.dtype) or v.dtype in (np.int32, np.int64, bool)))
    targets = [TensorProto.FLOAT, TensorProto.DOUBLE] + ([TensorProto.INT32, TensorProto.INT64] if not m.error[name] else [])
    return m.add("Cast", [name], to=m.pick(targets))


GROW = [start, elementwise, elementwise, binary, binary, movement, movement, movement, reduction, conversion, *bodies.GROW]


def make(seed, nodes):
    m = Model(seed)
    for _ in range(20):
        if start(m) or len(m.nodes) > 1:
            break
    m.source(m.rng.uniform(-2, 2, (2, 3, 4)).astype(np.float32), False)
    for _ in range(nodes):
        m.pick(GROW)(m)
    return m


def differs(got, want, error):
    if got.dtype != want.dtype or got.shape != want.shape:
        return f"{got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}"
    if want.size == 0 or not is_float(want.dtype):
        if want.dtype.kind not in "iubOUSc":
            got, want = got.astype(np.float32), want.astype(np.float32)
            return None if np.array_equal(got, want, equal_nan=True) else "values differ"
        if want.dtype.kind == "c":
            return None if np.allclose(got, want, rtol=1e-4, atol=1e-4, equal_nan=True) else "values differ"
        return None if np.array_equal(got, want) else "values differ"
    a, b = got.astype(np.float64), want.astype(np.float64)
    worst = np.max(np.abs(a - b))
    return None if worst <= error else f"values differ by {worst}"


LEVELS = (0, 1, 2, 3, 99)


def same_bits(a, b):
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype == object or a.size == 0:
        return bool(np.all(a == b))
    if a.tobytes() == b.tobytes():
        return True
    with np.errstate(invalid="ignore"):
        nans = a != a
        return bool(np.array_equal(nans, b != b)) and a[~nans].tobytes() == b[~nans].tobytes()


def judge(library, m, proto, outputs, levels):
    """What is wrong with the model's results, the level first; "" when nothing is."""
    data, plain = proto.SerializeToString(), None
    for level in levels:
        try:
            got = library.run(data, m.feeds, {"level": level})
        except RunError as error:
            return f"at level {level}: {error}"
        for k, (name, value) in enumerate(zip(outputs, got)):
            problem = differs(value, m.values[name], m.error[name])
            if not problem and plain and level == 1 and not same_bits(value, plain[k]):
                problem = "other bits than at level 0"
            if problem:
                maker = next(node.op_type for node in m.nodes if name in node.output)
                return f"at level {level}: {name}: {problem} ({maker})"
        plain = got if level == 0 else plain
    return ""


def main():
    parser = argparse.ArgumentParser(description="Compare random models with onnx.reference.")
    parser.add_argument("--library", type=Path, default=ROOT / "build/release/lib/libonnxrun.so")
    parser.add_argument("--count", type=int, default=2000, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--nodes", type=int, default=12, metavar="N")
    parser.add_argument("--all-levels", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    library, failed, operators, nodes = Library(options.library), 0, Counter(), 0
    for seed in range(options.first, options.first + options.count):
        m = make(seed, options.nodes)
        proto, outputs = m.to_proto()
        operators.update({node.op_type for node in m.nodes})
        nodes += len(m.nodes)
        problem = judge(library, m, proto, outputs, LEVELS if options.all_levels else [int(m.rng.integers(0, 4))])
        if problem:
            failed += 1
            print(f"seed {seed} {' '.join(problem.split())[:300]}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                onnx.save(proto, options.keep / f"{seed}.onnx")
    print(f"{options.count} models of {nodes} nodes and {len(operators)} operators, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

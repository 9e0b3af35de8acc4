"""Steps by which random models grow that one node alone does not show: bodies of If, Loop and Scan, sequences, optionals and ai.onnx.ml."""

import numpy as np
from cases import elem_type, is_float
from onnx import helper

UNARY = ["Neg", "Abs", "Relu", "Tanh", "Sigmoid", "Sin", "Cos", "Erf", "Softplus", "Softsign", "HardSwish", "Elu", "Gelu", "Mish", "Identity"]
BINARY = ["Add", "Sub", "Mul", "Max", "Min"]
WHOLE = ["Neg", "Abs", "Identity"]  # of integers
ML = "ai.onnx.ml"


def port(name, dtype, shape=None):
    return helper.make_tensor_value_info(name, elem_type(dtype), shape)


def computed(v):
    return v.dtype in (np.float32, np.float64, np.int64)


def chain(m, dtype, shape, start, end, captured=True):
    """Nodes of a body that make `end`, of the shape and type of `start`, from it and from values around the body."""
    nodes, at, length = [], start, int(m.rng.integers(1, 4))
    around = m.having(lambda v: v.dtype == dtype and fits(v.shape, shape)) if captured else []
    for i in range(length):
        name = end if i == length - 1 else f"{end}_{i}"
        if around and m.chance(0.4):
            nodes.append(helper.make_node(m.pick(BINARY), [at, m.pick(around)], [name]))
        elif m.chance(0.2):
            nodes.append(helper.make_node(m.pick(["Add", "Max", "Min"]), [at, start], [name]))
        else:
            nodes.append(helper.make_node(m.pick(UNARY if is_float(dtype) else WHOLE), [at], [name]))
        at = name
    return nodes


def fits(inner, outer):
    return len(inner) <= len(outer) and all(a in (1, b) for a, b in zip(inner[::-1], outer[::-1]))


def some(m, test):
    return m.pick(m.having(test) or [None])


def fresh(m, text):
    m.made += 1
    return f"{text}{m.made}"


def branch(m):
    name = some(m, computed)
    if name is None:
        return None
    v = m.values[name]
    bodies = []
    for _ in range(2):
        end = fresh(m, "b")
        bodies.append(helper.make_graph(chain(m, v.dtype, v.shape, name, end), end, [], [port(end, v.dtype)]))
    return m.add("If", [m.source(np.array(m.chance()))], then_branch=bodies[0], else_branch=bodies[1])


def loop(m):
    name = some(m, computed)
    if name is None:
        return None
    v, end, trips = m.values[name], fresh(m, "l"), int(m.rng.integers(1, 5))
    state, step, go, out = f"{end}_s", f"{end}_i", f"{end}_c", f"{end}_t"
    nodes = chain(m, v.dtype, v.shape, state, out)
    limit = m.constant(int(m.rng.integers(1, 5)))
    nodes.append(helper.make_node("Less", [step, limit], [f"{end}_go"]))
    outputs = [port(f"{end}_go", np.bool_), port(out, v.dtype)]
    scanned = m.chance()
    if scanned:
        nodes += chain(m, v.dtype, v.shape, out, f"{end}_r", captured=False)
        outputs.append(port(f"{end}_r", v.dtype))
    body = helper.make_graph(nodes, end, [port(step, np.int64, []), port(go, np.bool_, []), port(state, v.dtype)], outputs)
    return m.add("Loop", [m.constant(trips), m.source(np.array(True)) if m.chance() else "", name], 1 + scanned, body=body)


def scan(m):
    name = some(m, lambda v: computed(v) and v.ndim > 0 and 0 < v.shape[0] <= 20)
    if name is None:
        return None
    v, end = m.values[name], fresh(m, "c")
    state, part = f"{end}_s", f"{end}_x"
    nodes = chain(m, v.dtype, v.shape[1:], part, f"{end}_y")
    nodes.append(helper.make_node(m.pick(["Add", "Max", "Min", "Sub"]), [state, f"{end}_y"], [f"{end}_t"]))
    body = helper.make_graph(nodes, end, [port(state, v.dtype), port(part, v.dtype)], [port(f"{end}_t", v.dtype), port(f"{end}_y", v.dtype)])
    first = m.source(np.zeros(v.shape[1:], v.dtype))
    return m.add("Scan", [first, name], 2, body=body, num_scan_inputs=1, scan_input_directions=[int(m.chance())], scan_output_directions=[int(m.chance())])


def sequence(m):
    """Tensors into a sequence, changed there, and back into a tensor."""
    name = some(m, lambda v: computed(v) and v.ndim > 0 and v.size > 0)
    if name is None:
        return None
    v, end, nodes = m.values[name], fresh(m, "q"), []

    def then(op, inputs, **attributes):
        nodes.append(helper.make_node(op, inputs, [f"{end}_{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    if m.chance(0.3) and v.shape[0] <= 20:
        at, count = then("SplitToSequence", [name], axis=0, keepdims=int(m.chance())), v.shape[0]
    else:
        same = m.having(lambda w: w.dtype == v.dtype and w.shape == v.shape)
        items = [name, *(m.pick(same) for _ in range(int(m.rng.integers(1, 3))))]
        at, count = then("SequenceConstruct", items), len(items)
        if m.chance():
            at, count = then("SequenceInsert", [at, m.pick(same), m.constant(int(m.rng.integers(-count, count + 1)))]), count + 1
    if m.chance() and count > 1:
        at, count = then("SequenceErase", [at, m.constant(int(m.rng.integers(-count, count)))]), count - 1
    if m.chance(0.6):
        part, made = f"{end}_e", f"{end}_m"
        body = helper.make_graph(chain(m, v.dtype, v.shape, part, made, captured=False), end, [port(part, v.dtype)], [port(made, v.dtype)])
        at = then("SequenceMap", [at], body=body)
    if m.chance(0.3):
        at = then("OptionalGetElement", [then("Optional", [at])])
    kind = m.pick(["SequenceAt", "ConcatFromSequence", "ConcatFromSequence", "SequenceLength"])
    if kind == "SequenceAt":
        then(kind, [at, m.constant(int(m.rng.integers(-count, count)))])
    elif kind == "ConcatFromSequence":
        then(kind, [at], axis=0, new_axis=int(m.chance()))
    else:
        then(kind, [at])
    return m.add_all(nodes)


def optional(m):
    name = m.pick(list(m.values))
    end = fresh(m, "o")
    nodes = [helper.make_node("Optional", [name], [f"{end}_o"]), helper.make_node(m.pick(["OptionalGetElement", "OptionalHasElement"]), [f"{end}_o"], [f"{end}_r"])]
    return m.add_all(nodes)


def learned(m):
    """An operator of ai.onnx.ml on a matrix."""
    name = some(m, lambda v: v.dtype == np.float32 and v.ndim == 2 and v.size > 0)
    if name is None:
        return None
    width = m.values[name].shape[1]
    floats = lambda *shape: [float(x) for x in m.rng.uniform(-1, 1, shape).astype(np.float32).ravel()]  # noqa: E731
    kind = m.pick(["Scaler", "Normalizer", "LinearRegressor", "ArrayFeatureExtractor", "FeatureVectorizer"] + (["Binarizer", "LinearClassifier"] if not m.error[name] else []))
    if kind == "Scaler":
        n = m.pick([1, width])
        return m.add(kind, [name], domain=ML, offset=floats(n), scale=floats(n))
    if kind == "Normalizer":
        return m.add(kind, [name], domain=ML, norm=m.pick(["MAX", "L1", "L2"]))
    if kind == "LinearRegressor":
        n = m.pick([1, 3])
        return m.add(kind, [name], domain=ML, coefficients=floats(n, width), intercepts=floats(n), targets=n)
    if kind == "LinearClassifier":
        return m.add(kind, [name], 2, domain=ML, coefficients=floats(3, width), intercepts=floats(3), classlabels_ints=[4, 7, 9], post_transform=m.pick(["NONE", "SOFTMAX"]))
    if kind == "ArrayFeatureExtractor":
        return m.add(kind, [name, m.constant([int(i) for i in m.rng.integers(0, width, m.pick([1, 3]))])], domain=ML)
    if kind == "FeatureVectorizer":
        return m.add(kind, [name, name], domain=ML, inputdimensions=[width, width])
    return m.add(kind, [name], domain=ML, threshold=floats(1)[0])


GROW = [branch, loop, scan, sequence, sequence, optional, learned]

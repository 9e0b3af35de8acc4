"""Steps of optimisers, and attention with subgraphs: the preview domains."""

import numpy as np
from cases import Case, elem_type, operator
from onnx import TensorProto, helper

TRAINING, PREVIEW = "ai.onnx.preview.training", "ai.onnx.preview"
UNITS = {"Adagrad": 3, "Adam": 4, "Momentum": 3}  # tensors for each that is optimised: value, gradient and what is remembered


def adagrad(a, r, t, x, g, h):
    step = r / (1 + t * a["decay_factor"])
    slope = a["norm_coefficient"] * x + g
    sums = h + slope * slope
    return x - step * slope / (np.sqrt(sums) + a["epsilon"]), sums


def adam(a, r, t, x, g, v, h):
    slope = a["norm_coefficient"] * x + g
    first, second = a["alpha"] * v + (1 - a["alpha"]) * slope, a["beta"] * h + (1 - a["beta"]) * slope * slope
    step = r * np.sqrt(1 - a["beta"] ** t) / (1 - a["alpha"] ** t) if t > 0 else r
    moved = x - step * first / (np.sqrt(second) + a["epsilon"])
    return (1 - a["norm_coefficient_post"]) * moved, first, second


def momentum(a, r, t, x, g, v):
    slope = a["norm_coefficient"] * x + g
    speed = a["alpha"] * v + (a["beta"] if t > 0 else 1) * slope
    return x - r * (slope + a["alpha"] * speed if a["mode"] == "nesterov" else speed), speed


STEPS = {"Adagrad": adagrad, "Adam": adam, "Momentum": momentum}
DEFAULTS = {"Adagrad": {"decay_factor": 0.0, "epsilon": 1e-6, "norm_coefficient": 0.0},
            "Adam": {"alpha": 0.9, "beta": 0.999, "epsilon": 1e-6, "norm_coefficient": 0.0, "norm_coefficient_post": 0.0},
            "Momentum": {}}
CHOICES = {"Adagrad": {"decay_factor": 0.25, "epsilon": 1e-2, "norm_coefficient": 0.125},
           "Adam": {"alpha": 0.75, "beta": 0.5, "epsilon": 1e-2, "norm_coefficient": 0.125, "norm_coefficient_post": 0.25},
           "Momentum": {"alpha": 0.75, "beta": 0.5, "norm_coefficient": 0.125}}


def attributes_of(g):
    if g.op == "Momentum":  # all are required
        return {**{k: g.pick([0.0, v]) for k, v in CHOICES[g.op].items()}, "mode": g.pick(["standard", "nesterov"])}
    return {k: v for k, v in CHOICES[g.op].items() if g.chance()}


@operator("Adagrad", "Adam", "Momentum", domain=TRAINING)
def steps(g):
    for dtype in g.floats(2):
        for rate in g.floats(0):
            for updates in (0, 1, 12):
                for shapes in ([()], [(3, 5)], [(0,)], [(2, 1, 3)], [(4,), (2, 3)], [(2,), (), (1, 17)]):
                    attributes = attributes_of(g)
                    units = [[g.array(dtype, shape) for shape in shapes] for _ in range(UNITS[g.op])]
                    if g.op != "Momentum":
                        units[-1] = [np.abs(v) for v in units[-1]]  # sums of squares

                    def expect(r, t, *values, a={k: v if isinstance(v, str) else float(np.float32(v)) for k, v in {**DEFAULTS[g.op], **attributes}.items()}, n=len(shapes), op=g.op):
                        wide = [v.astype(np.float64) for v in values]
                        done = [STEPS[op](a, float(r), int(t), *wide[i::n]) for i in range(n)]
                        return [np.asarray(result).astype(values[0].dtype) for part in zip(*done) for result in part]

                    inputs = [np.array(g.pick([0.5, 0.0625]), rate), np.array(updates, np.int64), *[v for unit in units for v in unit]]
                    yield Case(inputs, attributes, len(shapes) * (UNITS[g.op] - 1), expect=expect, rtol=1e-5, atol=1e-5, magnitude=4, single=rate == np.float32)


def body(name, kind, nodes, constants=()):
    ports = [helper.make_tensor_value_info(end, kind, [None] * 4) for end in ("s", "m")]
    return helper.make_graph(nodes, name, ports[:1], ports[1:], [helper.make_tensor(n, t, dims, values) for n, t, dims, values in constants])


def capped(kind, _):
    nodes = [helper.make_node("Div", ["s", "cap"], ["a"]), helper.make_node("Tanh", ["a"], ["b"]), helper.make_node("Mul", ["b", "cap"], ["m"])]
    return body("capped", kind, nodes, [("cap", kind, [], [2.0])]), lambda s: 2 * np.tanh(s / 2)


def biased(kind, width):
    bias = [0.25 * i for i in range(width)]
    return body("biased", kind, [helper.make_node("Add", ["s", "bias"], ["m"])], [("bias", kind, [width], bias)]), lambda s: s + np.array(bias)


def causal(kind, _):
    nodes = [helper.make_node("Shape", ["s"], ["dims"]), helper.make_node("ConstantOfShape", ["dims"], ["ones"], value=helper.make_tensor("v", TensorProto.BOOL, [1], [True])),
             helper.make_node("Cast", ["ones"], ["numbers"], to=TensorProto.INT32), helper.make_node("Trilu", ["numbers"], ["lower"], upper=0),
             helper.make_node("Cast", ["lower"], ["seen"], to=TensorProto.BOOL), helper.make_node("Where", ["seen", "s", "never"], ["m"])]
    return body("causal", kind, nodes, [("never", kind, [], [-np.inf])]), lambda s: np.where(np.tril(np.ones(s.shape)) > 0, s, -np.inf)


def branching(kind, _):
    def half(name, factor):
        ports = [helper.make_tensor_value_info("h", kind, None)]
        return helper.make_graph([helper.make_node("Mul", ["s", "k"], ["h"])], name, [], ports, [helper.make_tensor("k", kind, [], [factor])])

    nodes = [helper.make_node("ReduceMax", ["s"], ["top"], keepdims=0), helper.make_node("Greater", ["top", "zero"], ["positive"]),
             helper.make_node("If", ["positive"], ["m"], then_branch=half("then", 0.5), else_branch=half("else", 2.0))]
    return body("branching", kind, nodes, [("zero", kind, [], [0.0])]), lambda s: s * (0.5 if s.max() > 0 else 2)


@operator("FlexAttention", domain=PREVIEW)
def flex_attention(g):
    for dtype in g.floats():
        for score in (None, capped, biased, causal, branching):
            for prob in (None, capped, biased):
                for _ in range(2):
                    (heads, shared), batch, length, whole, size, value = g.pick([(2, 2), (4, 2), (3, 1)]), g.pick([1, 2]), g.pick([1, 3]), g.pick([1, 5]), g.pick([4, 1]), g.pick([4, 3])
                    attributes, kind = {}, elem_type(np.float64 if dtype == np.float64 else np.float32)
                    if g.chance(0.3):
                        kind = attributes["softmax_precision"] = g.pick([TensorProto.FLOAT, TensorProto.DOUBLE])
                    if g.chance(0.3):
                        attributes["scale"] = 0.25
                    change = {}
                    for name, make in (("score_mod", score), ("prob_mod", prob)):
                        if make:
                            attributes[name], change[name] = make(kind, whole)

                    def expect(q, k, v, change=change, scale=attributes.get("scale")):
                        groups = q.shape[1] // k.shape[1]
                        wide = [np.repeat(x.astype(np.float64), groups if i else 1, 1) for i, x in enumerate((q, k, v))]
                        scores = wide[0] @ wide[1].swapaxes(2, 3) * (scale or 1 / np.sqrt(q.shape[3]))
                        scores = change.get("score_mod", lambda s: s)(scores)
                        shares = np.exp(scores - scores.max(-1, keepdims=True))
                        shares = change.get("prob_mod", lambda p: p)(shares / shares.sum(-1, keepdims=True))
                        return (shares @ wide[2]).astype(q.dtype)

                    shapes = (batch, heads, length, size), (batch, shared, whole, size), (batch, shared, whole, value)
                    # NumPy has no rounding of narrow products between the steps.
                    yield Case([g.array(dtype, shape, -2, 2) for shape in shapes], attributes, expect=expect, rtol=1e-4, atol=1e-4, magnitude=4, single=kind == TensorProto.FLOAT)


@operator("Gradient", domain=TRAINING)
def gradient(g):
    for dtype in (np.float32, np.float64):
        yield Case([g.array(dtype, (2,))], {"xs": ["x0"], "y": "y0"}, refused="'Gradient' of domain 'ai.onnx.preview.training' is a training operator")

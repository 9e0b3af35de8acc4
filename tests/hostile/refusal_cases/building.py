"""Making a case: a model, what it is fed with, and what must come of it."""

from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto, helper, numpy_helper

SECONDS, OPSET = 5, 23
LIMIT = r"limit of \d+ bytes|more elements than|can be addressed|overflow|too many"
F, I = np.float32, np.int64
BIG = 1 << 40
HUGE = 1 << 62
CASES = []


@dataclass
class Refusal:
    name: str
    model: object
    feeds: dict
    expect: str  # "" when it must run
    op: str
    settings: dict = field(default_factory=dict)
    seconds: float = SECONDS
    checked: bool = True  # also in builds that check the graph after each change
    most: int = 0  # bytes that a run that must end well may take; 0: any


def element(array):
    return TensorProto.STRING if array.dtype.kind in "OSU" else helper.np_dtype_to_tensor_dtype(array.dtype)


def one(name, op, inputs, expect, outputs=1, domain="", constants=True, opset=OPSET, settings=None, declared=False, **attributes):
    """A model of one node; inputs are arrays, None where absent; their dims are only `declared` where an operator needs that."""
    arrays = {f"x{k}": np.asarray(array) for k, array in enumerate(inputs) if array is not None}
    names = [f"x{k}" if array is not None else "" for k, array in enumerate(inputs)]
    node = helper.make_node(op, names, [f"y{k}" for k in range(outputs)], domain=domain, name="it", **attributes)
    for kept, way in ((), ""), (list(arrays)[1:], ", weights constant"), (list(arrays), ", constant"):
        if way and not (kept and constants):
            continue
        ports = [helper.make_tensor_value_info(n, element(a), a.shape if declared else [None] * a.ndim) for n, a in arrays.items() if n not in kept]
        initializers = [numpy_helper.from_array(arrays[n], n) for n in kept]
        results = [helper.make_empty_tensor_value_info(n) for n in node.output]
        graph = helper.make_graph([node], "one", ports, results, initializers)
        imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain in ("com.microsoft", "onnxrun") else [helper.make_opsetid(domain, 5)] if domain else [])
        model = helper.make_model(graph, opset_imports=imports, ir_version=10)
        feeds = {n: a for n, a in arrays.items() if n not in kept}
        CASES.append(Refusal(name + way, model, feeds, expect, op, settings or {}))


def whole(name, nodes, inputs, outputs, feeds, expect, op, settings=None):
    ports = [helper.make_tensor_value_info(n, element(np.asarray(a)), [None] * np.ndim(a)) for n, a in feeds.items()] if inputs is None else inputs
    graph = helper.make_graph(nodes, "whole", ports, [helper.make_empty_tensor_value_info(n) for n in outputs])
    domains = sorted({node.domain for node in nodes} & {"com.microsoft", "onnxrun"})
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET), *(helper.make_opsetid(domain, 1) for domain in domains)], ir_version=10)
    CASES.append(Refusal(name, model, {n: np.asarray(a) for n, a in feeds.items()}, expect, op, settings or {}))


def ints(*values):
    return np.array(values, I)


def ones(*shape):
    return np.ones(shape, F)


def info(name, type_, dims):
    return helper.make_tensor_value_info(name, type_, dims)


def loop(body_nodes, state_dims, outputs, keep_going="keep"):
    body = helper.make_graph(body_nodes, "body", [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, []), info("s", TensorProto.FLOAT, state_dims)],
                             [info(keep_going, TensorProto.BOOL, [])] + [info(o, TensorProto.FLOAT, None) for o in outputs])
    return body

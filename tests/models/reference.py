"""ONNX Runtime's outputs for a test model on the drawn inputs, cached by everything that they depend on."""

import functools
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import inputs
import narrow

BASE_SEED = 1
CHANGED_SEED = 2
ABSOLUTE = 1e-4
RELATIVE = 1e-4


def distance(a, b):
    """Largest |a − b| in units of 1e-4 + 1e-4·|b|; infinite where shapes, types, NaNs or infinities differ, and 0 or infinite for
    everything that is not floating point."""
    if a.shape != b.shape or (a.dtype != b.dtype and not a.dtype.kind == b.dtype.kind == "U"):
        return float("inf")
    if a.dtype.kind != "f":
        return 0.0 if np.array_equal(a, b) else float("inf")
    x, y = a.astype(np.float64), b.astype(np.float64)
    if not np.array_equal(np.isnan(x), np.isnan(y)):
        return float("inf")
    with np.errstate(invalid="ignore"):
        units = np.abs(x - y) / (ABSOLUTE + RELATIVE * np.abs(y))
    units[np.isnan(x) | (x == y)] = 0.0
    return float(np.nan_to_num(units, nan=np.inf, posinf=np.inf).max(initial=0.0))


def open_session(model, optimised):
    """`model` is a path or a serialised model."""
    level = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
    options.intra_op_num_threads = 2
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model if isinstance(model, bytes) else str(model), options, providers=["CPUExecutionProvider"])


@functools.cache
def saturates():
    """Whether ONNX Runtime is wrong about large bytes here: without 8-bit dot products it adds two products of uint8 and int8 in 16 bits."""
    a, b = np.full((4, 64), 255, np.uint8), np.full((64, 8), 127, np.int8)
    node = helper.make_node("MatMulInteger", ["a", "b"], ["y"])
    ports = [helper.make_tensor_value_info(n, t, s) for n, t, s in (("a", TensorProto.UINT8, a.shape), ("y", TensorProto.INT32, (4, 8)))]
    graph = helper.make_graph([node], "product", ports[:1], ports[1:], [numpy_helper.from_array(b, "b")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (sums,) = run(open_session(model.SerializeToString(), optimised=True), {"a": a})
    return bool((sums != a.astype(np.int32) @ b.astype(np.int32)).any())


def fingerprint(path):
    """Hash of the model with its external data, the inputs' description, these scripts and ONNX Runtime's version."""
    digest = hashlib.sha256(onnxruntime.__version__.encode())
    own = [path] if path.name != "model.onnx" else sorted(p for p in path.parent.iterdir() if p.is_file())
    for file in [*own, Path(__file__), Path(inputs.__file__), Path(narrow.__file__)]:
        digest.update(file.name.encode())
        with open(file, "rb") as stream:
            while block := stream.read(1 << 22):
                digest.update(block)
    return digest.hexdigest()


class Reference:
    """What ONNX Runtime says about a model.

    description    of the inputs (see inputs.py)
    outputs        names of the graph's outputs
    values[k][s]   outputs at size number k for seed s, in the graph's order
    agreement[k]   distance of each output between ONNX Runtime with and without optimisation, at size number k; of a model in a
                   narrow type (see narrow.py) between its arithmetic in float32 and the float32 model
    """

    def __init__(self, description, outputs, values, agreement):
        self.description, self.outputs, self.values, self.agreement = description, outputs, values, agreement


def run(session, feeds):
    """All outputs; strings as fixed-width arrays, which can be stored without pickling."""
    values = session.run(None, feeds)
    for value in values:
        if not isinstance(value, np.ndarray):
            raise TypeError(f"only tensors are compared, not {type(value).__name__}")
    return [value.astype(str) if value.dtype == object else value for value in values]


def compute_narrow(path, description):
    """Values of the arithmetic spelled out, and how far the type's rounding alone takes them from the float32 model's."""
    source = path.parents[1] / description["narrow_of"] / "model.onnx"
    wide = open_session(source, optimised=False)
    emulated = open_session(narrow.emulate(source, narrow.KINDS[description["narrow"]]).SerializeToString(), optimised=False)
    values, agreement = [], []
    for size in description["sizes"]:
        by_seed = {seed: run(emulated, inputs.draw(description, size, seed)) for seed in (BASE_SEED, CHANGED_SEED)}
        values.append(by_seed)
        agreement.append([distance(a, b) for a, b in zip(run(wide, inputs.draw(description, size, BASE_SEED)), by_seed[BASE_SEED])])
    return Reference(description, [o.name for o in wide.get_outputs()], values, agreement)


def compute(name, path):
    known = inputs.own_description(path)
    if known and "narrow" in known:
        return compute_narrow(path, known)
    plain = open_session(path, optimised=False)
    description = inputs.describe(name, path, plain)
    outputs = [o.name for o in plain.get_outputs()]
    unoptimised = [run(plain, inputs.draw(description, size, BASE_SEED)) for size in description["sizes"]]
    del plain
    session = open_session(path, optimised=True)
    values, agreement = [], []
    for size, other in zip(description["sizes"], unoptimised):
        by_seed = {seed: run(session, inputs.draw(description, size, seed)) for seed in (BASE_SEED, CHANGED_SEED)}
        values.append(by_seed)
        agreement.append([distance(a, b) for a, b in zip(other, by_seed[BASE_SEED])])
    return Reference(description, outputs, values, agreement)


def load(file):
    with np.load(file, allow_pickle=False) as data:
        about = json.loads(str(data["about"]))
        values = [{seed: [data[f"{k}.{seed}.{i}"] for i in range(len(about["outputs"]))] for seed in (BASE_SEED, CHANGED_SEED)}
                  for k in range(len(about["description"]["sizes"]))]
    return Reference(about["description"], about["outputs"], values, about["agreement"])


def save(reference, file):
    about = {"description": reference.description, "outputs": reference.outputs, "agreement": reference.agreement}
    arrays = {f"{k}.{seed}.{i}": value for k, by_seed in enumerate(reference.values)
              for seed, outputs in by_seed.items() for i, value in enumerate(outputs)}
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.{os.getpid()}.npz")
    np.savez(partial, about=json.dumps(about), **arrays)
    partial.rename(file)


def get(name, path, cache):
    """The reference of a model, from the cache when nothing it depends on has changed."""
    file = cache / f"{fingerprint(path)}.npz"
    if file.exists():
        return load(file)
    reference = compute(name, path)
    save(reference, file)
    return reference

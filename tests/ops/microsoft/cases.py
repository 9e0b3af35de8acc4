"""Single-node models of com.microsoft operators, and how they are run by ONNX Runtime and by onnx-run."""

import functools
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "com.microsoft"
NARROW = (np.dtype(ml_dtypes.int4), np.dtype(ml_dtypes.uint4), np.dtype(ml_dtypes.bfloat16))
FLOAT8 = (np.dtype(ml_dtypes.float8_e4m3fn), np.dtype(ml_dtypes.float8_e5m2))  # fed as float32, which the model casts


@dataclass
class Case:
    """One node. An input is None (absent), an array that is fed, or a tuple of one array: an initializer.

    expected   arrays that another source than ONNX Runtime gave, for what it has no CPU kernel for
    exact      results must be equal; else they may differ by `step` (integers) or by `atol` + `rtol`·|b|
    """

    op: str
    inputs: list
    attributes: dict = field(default_factory=dict)
    outputs: int = 1
    note: str = ""
    expected: list = None
    step: int = 0
    atol: float = 0.0
    rtol: float = 0.0
    output_type: int = TensorProto.UNDEFINED
    domain: str = DOMAIN
    levels: bool = False  # also at lower instruction set levels

    @property
    def name(self):
        return f"{self.op} {self.note}".strip()


@functools.cache
def peer_saturates():
    """Whether ONNX Runtime is wrong about large bytes here: without VNNI it adds two products of uint8 and int8 in 16 bits."""
    a, b = np.full((4, 64), 255, np.uint8), np.full((64, 8), 127, np.int8)
    case = Case("MatMulInteger", [a, b], domain="")
    return bool((run_peer(build(case)[0], case)[0] != a.astype(np.int32) @ b.astype(np.int32)).any())


def random_bytes(rng, kind, shape):
    """All values of the type; where the peer saturates, int8 from -64 on, with which it does not."""
    low, high = (-64, 64) if kind == np.int8 and peer_saturates() else (np.iinfo(kind).min, np.iinfo(kind).max + 1)
    return rng.integers(low, high, shape).astype(kind)


def element_type(array):
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def build(case):
    """The model; results that NumPy files cannot hold are cast to what they can."""
    inputs, initializers, names, casts = [], [], [], []
    for i, value in enumerate(case.inputs):
        name = f"x{i}" if value is not None else ""
        names.append(name)
        if isinstance(value, tuple):
            initializers.append(numpy_helper.from_array(value[0], name))
        elif value is not None and value.dtype in FLOAT8:
            inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape))
            names[-1] = f"{name}_cast"
            casts.append(helper.make_node("Cast", [name], [names[-1]], to=element_type(value)))
        elif value is not None and value.dtype in NARROW:
            raise ValueError(f"{case.name}: {value.dtype} must be an initializer")
        elif value is not None:
            inputs.append(helper.make_tensor_value_info(name, element_type(value), value.shape))
    outputs = [f"y{i}" for i in range(case.outputs)]
    nodes = [*casts, helper.make_node(case.op, names, outputs, domain=case.domain, name="node", **case.attributes)]
    if case.output_type != TensorProto.UNDEFINED:
        nodes.append(helper.make_node("Cast", ["y0"], ["cast"], to=case.output_type))
        outputs[0] = "cast"
    values = [helper.make_empty_tensor_value_info(name) for name in outputs]
    graph = helper.make_graph(nodes, "graph", inputs, values, initializers)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10), outputs


def feeds(case):
    return {f"x{i}": value.astype(np.float32) if value.dtype in FLOAT8 else value for i, value in enumerate(case.inputs) if isinstance(value, np.ndarray)}


def run_peer(model, case):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds(case))


def run_ours(cli, model, outputs, case, level=None, arguments=()):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        onnx.save(model, folder / "model.onnx")
        command = [str(cli), "run", str(folder / "model.onnx"), "--quiet", "--threads=2", *arguments]
        for name, array in feeds(case).items():
            np.save(folder / f"{name}.npy", array)
            command += ["--input", f"{name}={folder / name}.npy"]
        (folder / "out").mkdir()
        environment = dict(os.environ, ONNXRUN_SIMD_LEVEL=level) if level else None
        done = subprocess.run([*command, "--output-dir", str(folder / "out")], capture_output=True, text=True, errors="replace", timeout=120,
                              env=environment)
        if done.returncode != 0:
            raise RuntimeError(re.sub(r"\s+", " ", done.stderr)[:600] or f"exit code {done.returncode}")
        return [np.load(folder / "out" / f"{name}.npy", allow_pickle=False) for name in outputs]


def difference(case, ours, theirs):
    """Why the results differ; empty when they agree."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"is {ours.dtype}{list(ours.shape)}, expected {theirs.dtype}{list(theirs.shape)}"
    if theirs.dtype.kind in "iub":
        worst = int(np.abs(ours.astype(np.int64) - theirs.astype(np.int64)).max(initial=0))
        return "" if worst <= case.step else f"differs by {worst} steps, allowed {case.step}"
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    with np.errstate(invalid="ignore"):
        close = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= case.atol + case.rtol * np.abs(b))
    if close.all():
        return ""
    return f"differs by {np.nanmax(np.where(close, 0, np.abs(a - b))):.3g}, allowed {case.atol:g} + {case.rtol:g}·|b|"

"""Single-node models of ai.onnx.ml, written as folders that `onnx-run test` takes."""

import json
from dataclasses import dataclass, field, replace

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "ai.onnx.ml"


@dataclass
class Case:
    """One node. `inputs` are arrays or dicts (maps). `expected`, where given, comes from NumPy or the operator's definition; else from ONNX
    Runtime. `outputs` are the element types of the outputs."""

    op: str
    inputs: list
    outputs: list
    attributes: dict = field(default_factory=dict)
    note: str = ""
    version: int = 1
    expected: list = None
    rtol: float = 1e-5
    atol: float = 1e-6
    peer_type: type = None  # that ONNX Runtime takes the inputs in, where it has no kernel for their own

    @property
    def name(self):
        return "_".join(f"{self.op} {self.note}".replace("/", " ").split())


def map_types(value):
    key, item = next(iter(value.items()))
    key_type = TensorProto.STRING if isinstance(key, str) else TensorProto.INT64
    return key_type, TensorProto.STRING if isinstance(item, str) else helper.np_dtype_to_tensor_dtype(np.asarray(item).dtype)


def input_info(name, value):
    if isinstance(value, dict):
        key, item = map_types(value)
        return helper.make_value_info(name, helper.make_map_type_proto(key, helper.make_tensor_type_proto(item, [])))
    kind = TensorProto.STRING if value.dtype.kind in "OU" else helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_value_info(name, kind, value.shape)


def build(case):
    names = [f"x{i}" for i in range(len(case.inputs))]
    outputs = [f"y{i}" for i in range(len(case.outputs))]
    node = helper.make_node(case.op, names, outputs, domain=DOMAIN, name="node", **case.attributes)
    infos = []
    for name, kind in zip(outputs, case.outputs):
        if isinstance(kind, tuple):  # a sequence of maps
            element = helper.make_map_type_proto(kind[0], helper.make_tensor_type_proto(kind[1], []))
            infos.append(helper.make_value_info(name, helper.make_sequence_type_proto(element)))
        else:
            infos.append(helper.make_tensor_value_info(name, kind, None))
    graph = helper.make_graph([node], "graph", [input_info(n, v) for n, v in zip(names, case.inputs)], infos)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid(DOMAIN, case.version)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def run_peer(case):
    if case.peer_type is not None:
        case = replace(case, inputs=[value.astype(case.peer_type) for value in case.inputs])
    model = build(case)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {f"x{i}": value for i, value in enumerate(case.inputs)})


def encode_map(value):
    key, item = map_types(value)
    message = onnx.MapProto(key_type=key)
    (message.string_keys if key == TensorProto.STRING else message.keys).extend([k.encode() if isinstance(k, str) else k for k in value])
    message.values.elem_type = 1  # tensors
    for v in value.values():
        array = np.asarray(v, object) if isinstance(v, str) else np.asarray(v)
        message.values.tensor_values.append(numpy_helper.from_array(array))
    return message


def encode(value):
    if isinstance(value, dict):
        return encode_map(value).SerializeToString()
    if isinstance(value, list):
        sequence = onnx.SequenceProto(elem_type=4)  # maps
        sequence.map_values.extend(encode_map({k: np.float32(v) for k, v in row.items()}) for row in value)
        return sequence.SerializeToString()
    array = np.asarray(value)
    return numpy_helper.from_array(array.astype(object) if array.dtype.kind in "OU" else array).SerializeToString()


def write(case, folder):
    model = build(case)
    expected = case.expected if case.expected is not None else run_peer(case)
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    (folder / "data.json").write_text(json.dumps({"rtol": case.rtol, "atol": case.atol}))
    for prefix, values in (("input", case.inputs), ("output", expected)):
        for i, value in enumerate(values):
            (data / f"{prefix}_{i}.pb").write_bytes(encode(value))

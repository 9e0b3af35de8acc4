"""A case: a converted model, inputs and what the library itself predicts for them."""

import dataclasses
import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclasses.dataclass
class Case:
    name: str
    model: object  # ModelProto
    inputs: list  # arrays, in the order of the model's inputs
    outputs: list  # arrays, or lists of dicts for sequences of maps, in the order of the model's outputs
    rtol: float = 1e-4
    atol: float = 1e-5
    further: list = dataclasses.field(default_factory=list)  # pairs of other inputs and outputs


def encode_map(value, key, item):
    message = onnx.MapProto(key_type=key)
    if key == TensorProto.STRING:
        message.string_keys.extend(str(k).encode() for k in value)
    else:
        message.keys.extend(int(k) for k in value)
    message.values.elem_type = onnx.SequenceProto.TENSOR
    dtype = helper.tensor_dtype_to_np_dtype(item)
    message.values.tensor_values.extend(numpy_helper.from_array(np.asarray(v, dtype)) for v in value.values())
    return message


def encode(value, info):
    """Serialises a value as the message that the declared type calls for, in the type's element type."""
    type_ = info.type
    if type_.HasField("sequence_type"):
        map_type = type_.sequence_type.elem_type.map_type
        message = onnx.SequenceProto(elem_type=onnx.SequenceProto.MAP)
        message.map_values.extend(encode_map(row, map_type.key_type, map_type.value_type.tensor_type.elem_type) for row in value)
    elif type_.HasField("map_type"):
        message = encode_map(value, type_.map_type.key_type, type_.map_type.value_type.tensor_type.elem_type)
    else:
        kind = type_.tensor_type.elem_type
        dtype = object if kind == TensorProto.STRING else helper.tensor_dtype_to_np_dtype(kind)
        message = numpy_helper.from_array(np.asarray(value).astype(dtype), info.name)
    return message.SerializeToString(deterministic=True)


def write(case, folder):
    """Writes `folder`/model.onnx, data.json and test_data_set_N/."""
    for number, (inputs, outputs) in enumerate([(case.inputs, case.outputs), *case.further]):
        data = folder / f"test_data_set_{number}"
        data.mkdir(parents=True)
        for prefix, values, infos in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
            if len(values) != len(infos):
                raise ValueError(f"{case.name}: {len(values)} {prefix}s for {len(infos)} of the model")
            for i, (value, info) in enumerate(zip(values, infos)):
                (data / f"{prefix}_{i}.pb").write_bytes(encode(value, info))
    (folder / "model.onnx").write_bytes(case.model.SerializeToString(deterministic=True))
    (folder / "data.json").write_text(json.dumps({"rtol": case.rtol, "atol": case.atol}) + "\n")

"""float16 and bfloat16 forms of a float32 model, and the same arithmetic spelled out in float32.

`narrow` makes the model that users get from a converter: weights and all float values between its inputs and outputs are of
the narrow type, inputs and outputs stay float32. `emulate` makes a float32 model that rounds every such value to the narrow type:
what a runtime gives that computes each operator in float32 and rounds once, and what ONNX Runtime can run for types that it lacks.
"""

import ml_dtypes
import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

KINDS = {"float16": TensorProto.FLOAT16, "bfloat16": TensorProto.BFLOAT16}
NUMPY_TYPES = {TensorProto.FLOAT16: np.float16, TensorProto.BFLOAT16: ml_dtypes.bfloat16}
# Inputs of ai.onnx operators that are float32 whatever the data's type is.
ALWAYS_FLOAT32 = {"Resize": (2,), "Upsample": (1,)}


def rounded(array, kind):
    """Values of the narrow type; finite ones stay finite."""
    limit = float(ml_dtypes.finfo(NUMPY_TYPES[kind]).max)
    finite = np.where(np.isinf(array), array, np.clip(array, -limit, limit))
    return finite.astype(NUMPY_TYPES[kind])


def float_tensors(model):
    """Every float32 tensor of weights and attributes but those that have to stay."""
    kept = {node.input[i] for node in model.graph.node for i in ALWAYS_FLOAT32.get(node.op_type, ()) if i < len(node.input)}
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name not in kept:
            yield tensor
    for node in model.graph.node:
        if not kept.isdisjoint(node.output):
            continue
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR and attribute.t.data_type == TensorProto.FLOAT:
                yield attribute.t


def load(path):
    model = onnx.load(path)
    for node in model.graph.node:
        if any(a.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for a in node.attribute):
            raise ValueError(f"{path}: node {node.name} has a body; only flat graphs are made narrow")
    return model


def narrow(path, kind):
    model = load(path)
    graph = model.graph
    for tensor in float_tensors(model):
        tensor.CopyFrom(numpy_helper.from_array(rounded(numpy_helper.to_array(tensor), kind), tensor.name))
    for node in graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = kind
    del graph.value_info[:]
    nodes = list(graph.node)
    first, last = [], []
    for value in graph.input:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            inner = f"{value.name}/narrow"
            first.append(helper.make_node("Cast", [value.name], [inner], inner, to=kind))
            for node in nodes:
                node.input[:] = [inner if name == value.name else name for name in node.input]
    for value in graph.output:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            inner = f"{value.name}/narrow"
            last.append(helper.make_node("Cast", [inner], [value.name], inner, to=TensorProto.FLOAT))
            for node in nodes:
                node.input[:] = [inner if name == value.name else name for name in node.input]
                node.output[:] = [inner if name == value.name else name for name in node.output]
    del graph.node[:]
    graph.node.extend([*first, *nodes, *last])
    return model


def emulate(path, kind):
    model = load(path)
    graph = model.graph
    for tensor in float_tensors(model):
        narrowed = rounded(numpy_helper.to_array(tensor), kind).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(narrowed, tensor.name))
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    types = {v.name: v.type.tensor_type.elem_type for v in [*inferred.value_info, *inferred.output, *inferred.input]}
    nodes = list(graph.node)
    del graph.node[:]

    def round_to(name, inner):
        graph.node.append(helper.make_node("Cast", [inner], [f"{inner}/to"], f"{inner}/to", to=kind))
        graph.node.append(helper.make_node("Cast", [f"{inner}/to"], [name], f"{inner}/back", to=TensorProto.FLOAT))

    renamed = {}
    for value in graph.input:
        if types[value.name] == TensorProto.FLOAT:
            renamed[value.name] = f"{value.name}/rounded"
            round_to(renamed[value.name], value.name)
    for node in nodes:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        exact = [name for name in node.output if name and types[name] == TensorProto.FLOAT]
        node.output[:] = [f"{name}/exact" if name in exact else name for name in node.output]
        graph.node.append(node)
        for name in exact:
            round_to(name, f"{name}/exact")
    return model

#!/usr/bin/env python3
"""Writes the BERT encoder of a .safetensors file as ONNX, without PyTorch.

    minilm.py MODEL_DIR OUT.onnx

MODEL_DIR holds model.safetensors and config.json of a BertModel (here all-MiniLM-L6-v2). The graph has the form that PyTorch's
TorchScript exporter gives at opset 17 with eager attention: shapes computed by Shape, Gather and Concat, gelu by Erf, the mask
added to the scores. Inputs input_ids, attention_mask, token_type_ids (int64, batch × sequence); outputs last_hidden_state
(batch × sequence × hidden) and pooler_output (batch × hidden). The same files give the same bytes.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


def read_safetensors(path):
    """Tensors of a .safetensors file by name, as read-only views into the mapped file."""
    data = np.memmap(path, np.uint8, "r")
    header_size = int(data[:8].view("<u8")[0])
    if header_size > data.size - 8:
        raise ValueError(f"{path}: header of {header_size} bytes in a file of {data.size}")
    header = json.loads(bytes(data[8:8 + header_size]))
    body = data[8 + header_size:]
    types = {"F32": "<f4", "I64": "<i8"}
    tensors = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        begin, end = about["data_offsets"]
        tensors[name] = body[begin:end].view(types[about["dtype"]]).reshape(about["shape"])
    return tensors


class GraphWriter:
    """Collects nodes and initializers; every method returns the name of the value that it adds."""

    def __init__(self, tensors):
        self.tensors = tensors
        self.nodes = []
        self.initializers = []
        self.written = set()

    def op(self, op_type, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op_type, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name, array):
        if name not in self.written:
            self.written.add(name)
            self.initializers.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def weight(self, name):
        return self.constant(name, self.tensors[name])

    def linear(self, x, layer, name):
        product = self.op("MatMul", [x, self.constant(f"{layer}.weight_t", self.tensors[f"{layer}.weight"].T)],
                          f"{name}/MatMul")
        return self.op("Add", [self.weight(f"{layer}.bias"), product], f"{name}/Add")

    def layer_norm(self, x, layer, name, epsilon):
        return self.op("LayerNormalization", [x, self.weight(f"{layer}.weight"), self.weight(f"{layer}.bias")], name,
                       axis=-1, epsilon=epsilon)

    def size(self, x, axis, name):
        """The size of one axis of x, as a tensor of one element."""
        shape = self.op("Shape", [x], f"{name}/Shape")
        index = self.constant(f"index_{axis}", np.array(axis, np.int64))
        one = self.op("Gather", [shape, index], f"{name}/Gather", axis=0)
        return self.op("Unsqueeze", [one, self.constant("axes_0", np.array([0], np.int64))], f"{name}/Unsqueeze")


def write_mask(g):
    """0 where a token may be attended to and the lowest float32 elsewhere, batch × 1 × 1 × sequence."""
    x = g.op("Unsqueeze", ["attention_mask", g.constant("axes_1", np.array([1], np.int64))], "mask/Unsqueeze")
    x = g.op("Unsqueeze", [x, g.constant("axes_2", np.array([2], np.int64))], "mask/Unsqueeze_1")
    x = g.op("Cast", [x], "mask/Cast", to=TensorProto.FLOAT)
    x = g.op("Sub", [g.constant("one", np.array(1, np.float32)), x], "mask/Sub")
    return g.op("Mul", [x, g.constant("lowest", np.array(np.finfo(np.float32).min, np.float32))], "mask/Mul")


def write_embeddings(g, epsilon):
    length = g.size("input_ids", 1, "embeddings/length")
    positions = g.constant("embeddings.position_ids", np.arange(
        g.tensors["embeddings.position_embeddings.weight"].shape[0], dtype=np.int64)[None])
    positions = g.op("Slice", [positions, g.constant("axes_0", np.array([0], np.int64)), length,
                               g.constant("axes_1", np.array([1], np.int64))], "embeddings/Slice")
    words = g.op("Gather", [g.weight("embeddings.word_embeddings.weight"), "input_ids"], "embeddings/words")
    types = g.op("Gather", [g.weight("embeddings.token_type_embeddings.weight"), "token_type_ids"], "embeddings/types")
    places = g.op("Gather", [g.weight("embeddings.position_embeddings.weight"), positions], "embeddings/positions")
    x = g.op("Add", [words, types], "embeddings/Add")
    x = g.op("Add", [x, places], "embeddings/Add_1")
    return g.layer_norm(x, "embeddings.LayerNorm", "embeddings/LayerNorm", epsilon)


def write_attention(g, x, mask, layer, name, heads, width):
    batch, length = g.size(x, 0, f"{name}/batch"), g.size(x, 1, f"{name}/length")
    split = g.op("Concat", [batch, length, g.constant("heads", np.array([heads], np.int64)),
                            g.constant("head_width", np.array([width // heads], np.int64))], f"{name}/split", axis=0)
    parts = {}
    for part, permutation in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])):
        y = g.linear(x, f"{layer}.self.{part}", f"{name}/{part}")
        y = g.op("Reshape", [y, split], f"{name}/{part}/Reshape")
        parts[part] = g.op("Transpose", [y], f"{name}/{part}/Transpose", perm=permutation)
    scores = g.op("MatMul", [parts["query"], parts["key"]], f"{name}/MatMul")
    scores = g.op("Div", [scores, g.constant("root_head_width", np.array(math.sqrt(width // heads), np.float32))],
                  f"{name}/Div")
    scores = g.op("Add", [scores, mask], f"{name}/Add")
    shares = g.op("Softmax", [scores], f"{name}/Softmax", axis=-1)
    y = g.op("MatMul", [shares, parts["value"]], f"{name}/MatMul_1")
    y = g.op("Transpose", [y], f"{name}/Transpose", perm=[0, 2, 1, 3])
    join = g.op("Concat", [batch, length, g.constant("width", np.array([width], np.int64))], f"{name}/join", axis=0)
    return g.op("Reshape", [y, join], f"{name}/Reshape")


def write_gelu(g, x, name):
    y = g.op("Div", [x, g.constant("root_two", np.array(math.sqrt(2), np.float32))], f"{name}/Div")
    y = g.op("Erf", [y], f"{name}/Erf")
    y = g.op("Add", [y, g.constant("one", np.array(1, np.float32))], f"{name}/Add")
    y = g.op("Mul", [x, y], f"{name}/Mul")
    return g.op("Mul", [y, g.constant("half", np.array(0.5, np.float32))], f"{name}/Mul_1")


def write_layer(g, x, mask, layer, name, config):
    epsilon = config["layer_norm_eps"]
    y = write_attention(g, x, mask, f"{layer}.attention", f"{name}/attention", config["num_attention_heads"],
                        config["hidden_size"])
    y = g.linear(y, f"{layer}.attention.output.dense", f"{name}/attention/output")
    y = g.op("Add", [y, x], f"{name}/attention/residual")
    x = g.layer_norm(y, f"{layer}.attention.output.LayerNorm", f"{name}/attention/LayerNorm", epsilon)
    y = g.linear(x, f"{layer}.intermediate.dense", f"{name}/intermediate")
    y = write_gelu(g, y, f"{name}/gelu")
    y = g.linear(y, f"{layer}.output.dense", f"{name}/output")
    y = g.op("Add", [y, x], f"{name}/residual")
    return g.layer_norm(y, f"{layer}.output.LayerNorm", f"{name}/LayerNorm", epsilon)


def build(model_dir):
    config = json.loads((model_dir / "config.json").read_text())
    for key, expected in (("model_type", "bert"), ("hidden_act", "gelu"), ("position_embedding_type", "absolute")):
        if config[key] != expected:
            raise ValueError(f"config.json: {key} is {config[key]!r}; only {expected!r} is written")
    g = GraphWriter(read_safetensors(model_dir / "model.safetensors"))
    mask = write_mask(g)
    x = write_embeddings(g, config["layer_norm_eps"])
    for i in range(config["num_hidden_layers"]):
        x = write_layer(g, x, mask, f"encoder.layer.{i}", f"layer.{i}", config)
    g.op("Identity", [x], "last_hidden_state")
    first = g.op("Gather", [x, g.constant("index_0", np.array(0, np.int64))], "pooler/Gather", axis=1)
    pooled = g.op("Gemm", [first, g.weight("pooler.dense.weight"), g.weight("pooler.dense.bias")], "pooler/Gemm", transB=1)
    g.op("Tanh", [pooled], "pooler_output")

    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "sequence"])
           for name in ("input_ids", "attention_mask", "token_type_ids")]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT,
                                             ["batch", "sequence", config["hidden_size"]]),
               helper.make_tensor_value_info("pooler_output", TensorProto.FLOAT, ["batch", config["hidden_size"]])]
    graph = helper.make_graph(g.nodes, "bert", ids, outputs, g.initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION,
                              producer_name="onnxrun tools/fetch/minilm.py")
    onnx.checker.check_model(model, full_check=True)
    return model


def main():
    parser = argparse.ArgumentParser(description="Write a BERT encoder from safetensors as ONNX.")
    parser.add_argument("model_dir", type=Path, metavar="MODEL_DIR")
    parser.add_argument("out", type=Path, metavar="OUT.onnx")
    args = parser.parse_args()
    args.out.write_bytes(build(args.model_dir).SerializeToString(deterministic=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())

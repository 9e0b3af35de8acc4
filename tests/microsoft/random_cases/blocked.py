"""Small networks of convolutions that ONNX Runtime saved with blocked channels, against the same networks as they were."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from case import Case


class Network(Case):
    """Ordinary nodes for ONNX Runtime; for us what it makes of them. Its inputs are one picture."""

    def __init__(self, picture, nodes, weights, opset=17):
        super().__init__("network", [picture], opset=opset, tolerance=1e-4)
        self.nodes, self.weights = nodes, weights

    def plain(self):
        graph = helper.make_graph(self.nodes, "network", [helper.make_tensor_value_info("in0", TensorProto.FLOAT, self.inputs[0].shape)],
                                  [helper.make_tensor_value_info("out0", TensorProto.FLOAT, None)],
                                  [numpy_helper.from_array(w.astype(np.float32), name) for name, w in self.weights.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        return model

    def for_peer(self):
        peer = Case("network", self.inputs, opset=self.opset)
        peer.model = self.plain
        return peer

    def model(self):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        with tempfile.TemporaryDirectory() as folder:
            options.optimized_model_filepath = str(Path(folder) / "saved.onnx")
            onnxruntime.InferenceSession(self.plain().SerializeToString(), options, providers=["CPUExecutionProvider"])
            saved = onnx.load(options.optimized_model_filepath)
        if not any(node.domain == "com.microsoft.nchwc" for node in saved.graph.node):
            raise RuntimeError("ONNX Runtime blocked no channels")
        return saved

    def describe(self):
        return f"{[n.op_type for n in self.nodes]} {self.inputs[0].shape} {({k: w.shape for k, w in self.weights.items()})}"


def network(r):
    channels, size = r.pick(3, 16, 20, 32), r.between(6, 12)
    picture = r.normal(r.pick(1, 2), channels, size, size + r.between(0, 3))
    nodes, weights, value = [], {}, "in0"

    def add(op, inputs, **attributes):
        name = f"v{len(nodes)}"
        nodes.append(helper.make_node(op, inputs, [name], **attributes))
        return name

    def convolve(x, channels, filters, group=1, kernel=None):
        kernel = kernel or r.pick(1, 3)
        weight, bias = f"w{len(weights)}", f"b{len(weights)}"
        weights[weight] = r.normal(filters, channels // group, kernel, kernel, scale=(channels // group * kernel * kernel) ** -0.5)
        inputs = [x, weight]
        if r.chance(0.7):
            weights[bias] = r.normal(filters)
            inputs.append(bias)
        return add("Conv", inputs, group=group, kernel_shape=[kernel, kernel], pads=[kernel // 2] * 4)

    def activated(x):
        return add(r.pick("Relu", "Sigmoid", "Tanh"), [x]) if r.chance(0.6) else x

    filters = r.pick(16, 24, 32, 40)
    value = activated(convolve(value, channels, filters))
    for _ in range(r.between(1, 4)):
        kind = r.pick("conv", "depthwise", "grouped", "residual", "max", "average", "concat", "upsample", "global")
        if kind == "conv":
            more = r.pick(16, 24, 32, 12)
            value, filters = activated(convolve(value, filters, more)), more
        elif kind == "depthwise":
            value = activated(convolve(value, filters, filters, filters, 3))
        elif kind == "grouped" and filters % 32 == 0:
            value = activated(convolve(value, filters, filters, 2))
        elif kind == "residual":
            value = activated(add("Add", [value, convolve(value, filters, filters)]))
        elif kind == "max":
            value = add("MaxPool", [value], kernel_shape=[2, 2], strides=[1, 1], pads=[0, 1, 1, 0])
        elif kind == "average":
            value = add("AveragePool", [value], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=r.pick(0, 1))
        elif kind == "concat":
            value, filters = add("Concat", [value, activated(convolve(value, filters, 16))], axis=1), filters + 16
        elif kind == "upsample":
            scales = f"s{len(weights)}"
            weights[scales] = np.array([1.0, 1.0, 2.0, 2.0])
            mode = r.pick("nearest", "linear")
            value = add("Resize", [value, "", scales], mode=mode, coordinate_transformation_mode="asymmetric",
                        **({"nearest_mode": "floor"} if mode == "nearest" else {}))
            value = convolve(value, filters, filters)
        elif kind == "global":
            value = add("Mul", [value, add("Sigmoid", [convolve(add(r.pick("GlobalAveragePool", "GlobalMaxPool"), [value]), filters, filters, kernel=1)])])
    nodes[-1].output[0] = "out0"
    return Network(picture, nodes, weights)


FAMILIES = {"networks with blocked channels": network}

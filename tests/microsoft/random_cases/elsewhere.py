"""Operators that ONNX Runtime's CPU lacks: against ONNX's operators there, with the channels moved, and against formulas."""

import math

import numpy as np

import peer
from case import Case


def first(x):
    return np.moveaxis(x, -1, 1)


def last(x):
    return np.moveaxis(x, 1, -1)


def channels_last(op, domain, inputs, attributes, plain=None, activation=lambda x: x):
    """The node on channels-last data, and what ONNX's operator makes of it."""
    def expected():
        typed = [None if x is None else np.asarray(x, np.float64) for x in inputs]
        made = peer.run(Case(plain or op, [first(typed[0]), *typed[1:]], {k: v for k, v in attributes.items() if not k.startswith("activation")}, domain=""))
        return [activation(last(y)) for y in made]
    return Case(op, inputs, attributes, domain=domain, expected=expected)


def window(r, rank=2):
    kernel = [r.between(1, 3) for _ in range(rank)]
    attributes = {"kernel_shape": kernel}
    if r.chance():
        attributes["strides"] = [r.between(1, 2) for _ in range(rank)]
    if r.chance():
        attributes["pads"] = [r.between(0, k - 1) for k in kernel * 2]
    return attributes


def picture(r, channels):
    return r.normal(r.pick(1, 2), 7, 6, channels)


def convolution(op, domain, fused):
    def draw(r):
        channels, filters = r.between(1, 4), r.between(1, 4)
        attributes = window(r)
        activation = lambda x: x  # noqa: E731
        if fused and r.chance():
            attributes["activation"] = "Relu"
            activation = lambda x: np.maximum(x, 0)  # noqa: E731
        inputs = [picture(r, channels), r.normal(filters, channels, *attributes["kernel_shape"]), r.normal(filters) if r.chance() else None]
        return channels_last(op, domain, inputs, attributes, "Conv", activation)
    return draw


def transposed(r):
    channels = r.between(1, 3)
    attributes = {k: v for k, v in window(r).items() if k != "pads"}
    return channels_last("ConvTranspose", "com.ms.internal.nhwc", [picture(r, channels), r.normal(channels, r.between(1, 3), *attributes["kernel_shape"])], attributes)


def internal(r):
    """One of the operators of com.ms.internal.nhwc without weights."""
    op = r.pick("AveragePool", "MaxPool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "LRN", "InstanceNormalization", "BatchNormalization",
                "DepthToSpace", "SpaceToDepth")
    channels = 4
    inputs, attributes = [picture(r, channels)], {}
    if op in ("AveragePool", "MaxPool", "LpPool"):
        attributes = window(r)
    elif op == "LRN":
        attributes = {"size": 3}
    elif op == "InstanceNormalization":
        inputs += [r.normal(channels), r.normal(channels)]
    elif op == "BatchNormalization":
        inputs += [r.normal(channels), r.normal(channels), r.normal(channels), r.uniform(0.5, 2, channels)]
    elif op in ("DepthToSpace", "SpaceToDepth"):
        inputs, attributes = [r.normal(2, 6, 4, channels)], {"blocksize": 2}
    return channels_last(op, "com.ms.internal.nhwc", inputs, attributes)


def grid_sample(r):
    x, grid = picture(r, 3), r.uniform(-1.2, 1.2, 1, 4, 5, 2)
    return channels_last("GridSample", "com.ms.internal.nhwc", [x[:1], grid], {"align_corners": r.pick(0, 1)})


def resize(r):
    x, scales = picture(r, 3), np.array([1.0, 2.0, 1.5, 1.0], np.float32)
    attributes = {"mode": r.pick("nearest", "linear"), "coordinate_transformation_mode": "asymmetric"}
    return Case("Resize", [x, None, scales], attributes, domain="com.ms.internal.nhwc",
                expected=lambda: [last(peer.run(Case("Resize", [first(x), None, scales[[0, 3, 1, 2]]], attributes, domain=""))[0])])


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def bias_split_gelu(r):
    x, bias = r.normal(2, 3, 8), r.normal(8)

    def expected():
        left, right = np.split(x + bias, 2, -1)
        return [left * gelu(right)]
    return Case("BiasSplitGelu", [x, bias], expected=expected, dtype=r.pick("float32", "float16"))


def gemm_fast_gelu(r):
    x, w, bias = r.normal(2, 3, 8), r.normal(8, 5), r.normal(5) if r.chance() else None

    def expected():
        y = x @ w + (0 if bias is None else bias)
        return [0.5 * y * (1 + np.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * y ** 3)))]
    return Case("GemmFastGelu", [x, w, bias], expected=expected)


def activated_product(r):
    a, b, kind = r.normal(2, 4, 6), r.normal(2, 5, 6), r.pick("Relu", "Tanh", "LeakyRelu", "Softmax")
    attributes = {"activation": kind, "transB": 1, "alpha": 0.5}
    if kind == "LeakyRelu":
        attributes["activation_alpha"] = 0.2
    if kind == "Softmax":
        attributes["activation_axis"] = r.pick(-1, 1)

    def expected():
        y = 0.5 * a @ b.swapaxes(1, 2)
        if kind == "Softmax":
            e = np.exp(y - y.max(attributes["activation_axis"], keepdims=True))
            return [e / e.sum(attributes["activation_axis"], keepdims=True)]
        return [{"Relu": np.maximum(y, 0), "Tanh": np.tanh(y), "LeakyRelu": np.where(y < 0, 0.2 * y, y)}[kind]]
    return Case("FusedMatMulActivation", [a, b], attributes, expected=expected)


INTERNAL = "com.ms.internal.nhwc"
FAMILIES = {
    "NhwcConv": convolution("NhwcConv", "com.microsoft", False),
    "NhwcFusedConv": convolution("NhwcFusedConv", "com.microsoft", True),
    f"{INTERNAL} Conv": convolution("Conv", INTERNAL, True),
    f"{INTERNAL} ConvTranspose": transposed,
    f"{INTERNAL} others": internal,
    f"{INTERNAL} GridSample": grid_sample,
    f"{INTERNAL} Resize": resize,
    "BiasSplitGelu": bias_split_gelu,
    "GemmFastGelu": gemm_fast_gelu,
    "FusedMatMulActivation": activated_product,
}

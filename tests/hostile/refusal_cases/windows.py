"""62–65: windows, groups, strides, dilations, blocks and heads of 0, –1 and 2^62."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from refusal_cases.building import BIG, F, HUGE, LIMIT, info, one, ones, whole


def add():
    one("62 other rank of weights", "Conv", [ones(1, 1, 4, 4), ones(1, 1, 2)], "rank|dimension|weight")
    one("62 other channels of weights", "Conv", [ones(1, 3, 4, 4), ones(1, 2, 2, 2)], "channel")
    for value in (0, -1, HUGE):
        one(f"63 group {value}", "Conv", [ones(1, 2, 4, 4), ones(2, 1, 2, 2)], "group|channel", group=value)
        one(f"63 group {value + 2} that does not divide", "Conv", [ones(1, 2, 4, 4), ones(1, 1, 2, 2)], "group|channel", group=max(value + 2, 2))
        one(f"63 strides {value}", "Conv", [ones(1, 1, 4, 4), ones(1, 1, 2, 2)], "stride", strides=[value, value])
        one(f"63 dilations {value}", "Conv", [ones(1, 1, 4, 4), ones(1, 1, 2, 2)], "dilation|window|kernel|overflow", dilations=[value, value])
        one(f"63 pool strides {value}", "MaxPool", [ones(1, 1, 4, 4)], "stride", strides=[value, value], kernel_shape=[2, 2])
        one(f"63 pool kernel {value}", "MaxPool", [ones(1, 1, 4, 4)], "kernel|window", kernel_shape=[value, value])
        one(f"64 blocks of {value}", "DepthToSpace", [ones(1, 4, 2, 2)], "blocksize", blocksize=value)
        one(f"64 blocks of {value} back", "SpaceToDepth", [ones(1, 4, 2, 2)], "blocksize", blocksize=value)
    one("64 blocks of 2^32", "DepthToSpace", [ones(1, 4, 2, 2)], "blocksize", blocksize=1 << 32)
    for pads, expect in (([0, 0, HUGE, 0], "pads"), ([-5, 0, 0, 0], "pads"), ([1, 0, BIG, 0], "pads"), ([1, 0, (1 << 31) - 1, 0], LIMIT)):
        one(f"63 conv pads {pads}", "Conv", [ones(1, 1, 8, 4), ones(1, 1, 2, 2)], expect, pads=pads)
        one(f"63 pool pads {pads}", "AveragePool", [ones(1, 1, 8, 4)], expect, pads=pads, kernel_shape=[2, 2])
    one("63 a pool much larger than its input", "AveragePool", [ones(1, 1, 4, 4)], "", kernel_shape=[(1 << 31) - 1] * 2, pads=[(1 << 31) - 2] * 4, count_include_pad=1,
        strides=[(1 << 31) - 1] * 2)
    one("63 a pool of 2^93 elements", "AveragePool", [ones(1, 1, 4, 4, 4)], "", kernel_shape=[(1 << 31) - 1] * 3, pads=[(1 << 31) - 2] * 6, count_include_pad=1,
        strides=[(1 << 31) - 1] * 3)
    one("63 transposed to 2^62", "ConvTranspose", [ones(1, 1, 4, 4), ones(1, 1, 2, 2)], LIMIT, output_padding=[0, 0], strides=[1 << 30] * 2)
    most = (1 << 63) - 1  # by which the last step to a position inside the image wraps
    for op, weights in (("Conv", (1, 8, 1)), ("ConvTranspose", (8, 1, 200_000))):
        one(f"63 {op} by the largest stride", op, [ones(1, 8, 1), ones(*weights)], "strides", strides=[most], pads=[199_990, 0])
    one("63 a pool dilated most", "MaxPool", [ones(1, 1, 4)], "dilations", outputs=2, kernel_shape=[1], dilations=[most], pads=[2, 0])
    one("63 transposed from nothing", "ConvTranspose", [np.zeros((1, 8, 0), F), ones(8, 1, 3)], "")
    for op in ("LpPool", "AveragePool", "MaxPool"):
        one(f"63 {op} of no images", op, [np.zeros((0, 1, 3, 3), F)], LIMIT, kernel_shape=[4, 4], pads=[(1 << 31) - 1] * 4)
    one("63 transposed to a given size", "ConvTranspose", [ones(1, 1, 4, 4), ones(1, 1, 2, 2)], LIMIT + "|output_shape|pad", output_shape=[BIG, BIG])
    one("65 attention with no heads", "Attention", [ones(1, 2, 4)] * 3, "heads", q_num_heads=0, kv_num_heads=0)
    one("65 attention with heads that do not fit", "Attention", [ones(1, 2, 4)] * 3, "heads|divi", q_num_heads=3, kv_num_heads=3)
    one("65 attention with 2^62 heads", "Attention", [ones(1, 2, 4)] * 3, "heads|divi", q_num_heads=HUGE, kv_num_heads=HUGE)
    one("65 com.microsoft attention with no heads", "MultiHeadAttention", [ones(1, 2, 4)] * 3, "num_heads", domain="com.microsoft", num_heads=0)
    # Filters as constants, positions of many channels as the run brings them: only files have these, where the optimizer would have brought them into blocks.
    for precision in ("highest", "high", "medium"):
        for block in (8, 16):
            x = info("x", TensorProto.FLOAT, [1, 17, 1000, 1000])
            nodes = [helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(np.ones((16, 17, 3, 3), F))),
                     helper.make_node("BlockedConv", ["x", "w"], ["y"], domain="onnxrun", block=block)]
            whole(f"62 plain channels of a convolution in blocks of {block}, {precision}", nodes, [x], ["y"], {"x": np.ones((1, 17, 1000, 1000), F)}, "", "BlockedConv",
                  settings={"float32_matmul_precision": precision})

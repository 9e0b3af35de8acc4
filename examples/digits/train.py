#!/usr/bin/env python3
"""Trains the digit classifier of the demo on scikit-learn's digits and writes digits.onnx and the sample PNGs.

    train.py [--out DIR] [--epochs N] [--seed N]

Plain numpy, about a minute on one core. Needs numpy, scikit-learn, onnx and pillow. The last 360 images of the data set,
most of them by writers that the others do not show, are held out; accuracy is measured on them with onnxruntime.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits

HELD_OUT = 360
MIN_ACCURACY = 0.97
MAX_BYTES = 200_000
BATCH = 64
PNG_SCALE = 8


def load():
    """Images as float32 N×8×8×1 in 0..1 and labels, split into training and held-out parts."""
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[..., None]
    labels = digits.target.astype(np.int64)
    return images[:-HELD_OUT], labels[:-HELD_OUT], images[-HELD_OUT:], labels[-HELD_OUT:]


def jitter(images, rng):
    """Moves each image by up to one pixel, between pixels too, and varies its brightness."""
    n, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    shift = rng.uniform(-1.0, 1.0, (n, 2))
    whole = np.floor(shift).astype(int)
    part = (shift - whole).astype(np.float32)
    out = np.zeros_like(images)
    rows, columns = np.arange(height), np.arange(width)
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.abs(1 - dy - part[:, 0]) * np.abs(1 - dx - part[:, 1])
            y = rows[None, :] + 2 + whole[:, :1] + dy
            x = columns[None, :] + 2 + whole[:, 1:] + dx
            out += weight[:, None, None, None] * padded[np.arange(n)[:, None, None], y[:, :, None], x[:, None, :]]
    return out * rng.uniform(0.8, 1.0, (n, 1, 1, 1)).astype(np.float32)


def patches(x):
    """3×3 neighbourhoods with a zero border: N×H×W×C to (N·H·W)×(9·C), the position before the channel."""
    n, height, width, channels = x.shape
    windows = sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), (3, 3), axis=(1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * height * width, 9 * channels)


def unpatch(columns, shape):
    """The transpose of `patches`: sums each neighbourhood's gradient back into its pixels."""
    n, height, width, channels = shape
    columns = columns.reshape(n, height, width, 3, 3, channels)
    out = np.zeros((n, height + 2, width + 2, channels), np.float32)
    for i in range(3):
        for j in range(3):
            out[:, i:i + height, j:j + width] += columns[:, :, :, i, j]
    return out[:, 1:-1, 1:-1]


def initial_weights(rng):
    """He initialisation; matrices are (inputs, outputs)."""
    weights = {}
    for name, inputs, outputs in (("conv1", 9, 16), ("conv2", 9 * 16, 32), ("hidden", 4 * 4 * 32, 64), ("scores", 64, 10)):
        weights[name + ".weight"] = (rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32)
        weights[name + ".bias"] = np.zeros(outputs, np.float32)
    return weights


def gradients(w, images, labels, rng):
    """Mean cross-entropy of a batch, with dropout of one half before the scores, and its gradient by weight."""
    n = len(images)
    c1 = patches(images)
    a1 = np.maximum(c1 @ w["conv1.weight"] + w["conv1.bias"], 0).reshape(n, 8, 8, 16)
    c2 = patches(a1)
    a2 = np.maximum(c2 @ w["conv2.weight"] + w["conv2.bias"], 0)
    blocks = a2.reshape(n, 4, 2, 4, 2, 32)
    pooled = blocks.max((2, 4))
    flat = pooled.reshape(n, -1)
    hidden = np.maximum(flat @ w["hidden.weight"] + w["hidden.bias"], 0)
    keep = (rng.random(hidden.shape) < 0.5).astype(np.float32) * 2
    dropped = hidden * keep
    scores = dropped @ w["scores.weight"] + w["scores.bias"]
    scores -= scores.max(1, keepdims=True)
    p = np.exp(scores)
    p /= p.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(n), labels] + 1e-12).mean()

    g = {}
    d = p
    d[np.arange(n), labels] -= 1
    d /= n
    g["scores.weight"], g["scores.bias"] = dropped.T @ d, d.sum(0)
    d = (d @ w["scores.weight"].T) * keep * (hidden > 0)
    g["hidden.weight"], g["hidden.bias"] = flat.T @ d, d.sum(0)
    d = (d @ w["hidden.weight"].T).reshape(pooled.shape)
    chosen = blocks == pooled[:, :, None, :, None]
    chosen = chosen / chosen.sum((2, 4), keepdims=True)
    d = (chosen * d[:, :, None, :, None]).astype(np.float32).reshape(a2.shape) * (a2 > 0)
    g["conv2.weight"], g["conv2.bias"] = c2.T @ d, d.sum(0)
    d = unpatch(d @ w["conv2.weight"].T, a1.shape) * (a1 > 0)
    d = d.reshape(-1, 16)
    g["conv1.weight"], g["conv1.bias"] = c1.T @ d, d.sum(0)
    return loss, g


def train(images, labels, epochs, rng):
    """Adam with weight decay and a cosine schedule."""
    w = initial_weights(rng)
    mean = {k: np.zeros_like(v) for k, v in w.items()}
    square = {k: np.zeros_like(v) for k, v in w.items()}
    steps = epochs * (len(images) // BATCH)
    step = 0
    for epoch in range(epochs):
        order = rng.permutation(len(images))
        total = 0.0
        for start in range(0, len(images) - BATCH + 1, BATCH):
            chosen = order[start:start + BATCH]
            loss, g = gradients(w, jitter(images[chosen], rng), labels[chosen], rng)
            total += loss
            step += 1
            rate = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
            for k in w:
                mean[k] = 0.9 * mean[k] + 0.1 * g[k]
                square[k] = 0.999 * square[k] + 0.001 * g[k] ** 2
                direction = mean[k] / (1 - 0.9 ** step) / (np.sqrt(square[k] / (1 - 0.999 ** step)) + 1e-8)
                w[k] = (w[k] - rate * (direction + (1e-2 * w[k] if k.endswith("weight") else 0))).astype(np.float32)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1:3d} of {epochs}: loss {total / (len(images) // BATCH):.4f}", flush=True)
    return w


def build_model(w):
    """The trained network as ONNX: NCHW, a free batch axis, the softmax included."""
    def kernel(name, channels):
        return w[name].reshape(3, 3, channels, -1).transpose(3, 2, 0, 1)

    hidden = w["hidden.weight"].reshape(4, 4, 32, 64).transpose(2, 0, 1, 3).reshape(512, 64)
    tensors = {**w, "conv1.weight": kernel("conv1.weight", 1), "conv2.weight": kernel("conv2.weight", 16),
               "hidden.weight": hidden}
    conv = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["image", "conv1.weight", "conv1.bias"], ["conv1"], name="conv1", **conv),
        helper.make_node("Relu", ["conv1"], ["relu1"], name="relu1"),
        helper.make_node("Conv", ["relu1", "conv2.weight", "conv2.bias"], ["conv2"], name="conv2", **conv),
        helper.make_node("Relu", ["conv2"], ["relu2"], name="relu2"),
        helper.make_node("MaxPool", ["relu2"], ["pool"], name="pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["pool"], ["flat"], name="flatten", axis=1),
        helper.make_node("Gemm", ["flat", "hidden.weight", "hidden.bias"], ["hidden"], name="hidden"),
        helper.make_node("Relu", ["hidden"], ["relu3"], name="relu3"),
        helper.make_node("Gemm", ["relu3", "scores.weight", "scores.bias"], ["scores"], name="scores"),
        helper.make_node("Softmax", ["scores"], ["probabilities"], name="softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes, "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(np.ascontiguousarray(t), name) for name, t in tensors.items()],
        doc_string="Handwritten digits: an 8x8 grey image to the probabilities of 0 to 9.")
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                              producer_name="onnxrun examples/digits/train.py", model_version=1)
    onnx.checker.check_model(model, full_check=True)
    return model


def predict(model, images):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {"image": images.transpose(0, 3, 1, 2)})[0]


def write_pngs(out, images, labels, probabilities):
    """One held-out image of each of five digits, each pixel a square block, so that every way of shrinking it back is exact."""
    right = probabilities.argmax(1) == labels
    for digit in (0, 2, 3, 5, 7):
        index = np.flatnonzero((labels == digit) & right)[0]
        grey = np.rint(images[index, :, :, 0] * 255).astype(np.uint8)
        big = np.kron(grey, np.ones((PNG_SCALE, PNG_SCALE), np.uint8))
        Image.fromarray(big).save(out / f"{digit}.png", optimize=True)


def main():
    parser = argparse.ArgumentParser(description="Train the digit classifier of the demo.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    images, labels, test_images, test_labels = load()
    model = build_model(train(images, labels, args.epochs, np.random.default_rng(args.seed)))
    probabilities = predict(model, test_images)
    accuracy = float((probabilities.argmax(1) == test_labels).mean())
    helper.set_model_props(model, {
        "accuracy": f"{accuracy:.4f} on {HELD_OUT} held-out images",
        "data": "UCI optical recognition of handwritten digits (E. Alpaydin, C. Kaynak; CC BY 4.0), as in scikit-learn",
        "input": "image: float32, batch x 1 x 8 x 8, 0 = background to 1 = ink (a bright digit on black)",
        "labels": ",".join(str(i) for i in range(10)),
        "licence": "Apache-2.0",
    })
    data = model.SerializeToString(deterministic=True)
    print(f"accuracy {accuracy:.4f}, {len(data)} bytes")
    if accuracy < MIN_ACCURACY or len(data) > MAX_BYTES:
        print(f"error: below {MIN_ACCURACY} or above {MAX_BYTES} bytes; nothing written", file=sys.stderr)
        return 1
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "digits.onnx").write_bytes(data)
    write_pngs(args.out, test_images, test_labels, probabilities)
    return 0


if __name__ == "__main__":
    sys.exit(main())

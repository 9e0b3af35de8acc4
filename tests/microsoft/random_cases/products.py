"""Products of matrices and convolutions with what follows them."""

import numpy as np

from case import Case

SIMPLE = ("Relu", "Tanh", "Sigmoid", "LeakyRelu", "HardSigmoid")


def batch_moved(shape):
    """The shape that transBatch turns into `shape`."""
    return (shape[-2], *shape[:-2], shape[-1])


def fused_matmul(op):
    def draw(r):
        m, k, n = r.between(1, 9), r.between(1, 40), r.between(1, 9)
        batch = r.pick((), (2,), (3, 2), (2, 1))
        a, b = (*batch, m, k), (*batch, k, n)
        attributes = {}
        if r.chance():
            a = (*batch, k, m)
            attributes["transA"] = 1
        if r.chance():
            b = (*batch, n, k)
            attributes["transB"] = 1
        if op == "FusedMatMul" and len(batch) and r.chance(0.4):
            if r.chance(0.7):
                a = batch_moved(a)
                attributes["transBatchA"] = 1
            if r.chance(0.7):
                b = batch_moved(b)
                attributes["transBatchB"] = 1
        elif r.chance(0.2):
            a, attributes = (k,), {name: v for name, v in attributes.items() if not name.endswith("A")}
        if r.chance():
            attributes["alpha"] = r.pick(0.5, -2.0, 1.0)
        return Case(op, [r.normal(*a), r.normal(*b)], attributes, dtype=r.pick("float32", "float32", "float64", "float16"))
    return draw


def fused_gemm(r):
    m, k, n = r.between(1, 9), r.between(1, 40), r.between(1, 9)
    attributes = {"activation": r.pick("Relu", "Tanh", "Sigmoid", "LeakyRelu", "Elu", "Softplus", "Softsign", "ThresholdedRelu", "Selu", "HardSigmoid")}
    a, b = (m, k), (k, n)
    if r.chance():
        a = (k, m)
        attributes["transA"] = 1
    if r.chance():
        b = (n, k)
        attributes["transB"] = 1
    if attributes["activation"] in ("LeakyRelu", "Elu", "ThresholdedRelu", "Selu", "HardSigmoid"):
        attributes["activation_alpha"] = r.pick(0.1, 0.3)
    if attributes["activation"] == "HardSigmoid":
        attributes["activation_beta"] = 0.4
    if attributes["activation"] == "Selu":
        attributes["activation_gamma"] = 1.2
    if r.chance():
        attributes["alpha"] = 0.5
    c = r.normal(*r.pick((n,), (m, n), (m, 1), ())) if r.chance(0.7) else None
    if c is not None and r.chance():
        attributes["beta"] = 0.25
    return Case("FusedGemm", [r.normal(*a), r.normal(*b), c], attributes)


def convolution_activation(r):
    kind = r.pick("", "Clip", *SIMPLE)
    if not kind:
        return {}
    parameters = {"LeakyRelu": [0.1], "HardSigmoid": [0.3, 0.4], "Clip": [-0.5, 0.7]}.get(kind)
    return {"activation": kind, **({"activation_params": parameters} if parameters else {})}


def window(r, rank, size):
    """Attributes of a window and the spatial sizes that it makes of `size`."""
    kernel = [r.between(1, 3) for _ in range(rank)]
    attributes = {"kernel_shape": kernel}
    strides = [r.between(1, 2) for _ in range(rank)]
    pads = [r.between(0, k - 1) for k in kernel * 2]
    if r.chance():
        attributes["strides"] = strides
    else:
        strides = [1] * rank
    if r.chance():
        attributes["pads"] = pads
    else:
        pads = [0] * (2 * rank)
    sizes = [(size + pads[d] + pads[d + rank] - kernel[d]) // strides[d] + 1 for d in range(rank)]
    return attributes, sizes


def fused_conv(r):
    rank, group = r.pick(1, 2, 2), r.pick(1, 1, 2)
    batch, channels, filters, size = r.pick(1, 2), group * r.between(1, 4), group * r.between(1, 4), r.between(4, 9)
    attributes, sizes = window(r, rank, size)
    if group > 1:
        attributes["group"] = group
    attributes.update(convolution_activation(r))
    z = r.normal(batch, filters, *sizes) if r.chance(0.4) else None
    bias = r.normal(filters) if z is not None or r.chance() else None
    return Case("FusedConv", [r.normal(batch, channels, *[size] * rank), r.normal(filters, channels // group, *attributes["kernel_shape"]), bias, z],
                attributes)


def nhwc_max_pool(r):
    attributes, _ = window(r, 2, 8)
    if r.chance(0.3):
        attributes["ceil_mode"] = 1
    kind = r.pick(np.int8, np.uint8)
    low, high = np.iinfo(kind).min, np.iinfo(kind).max
    return Case("NhwcMaxPool", [r.ints(low, high, r.pick(1, 2), 8, 8, r.between(1, 5)).astype(kind)], attributes,
                output_types={0: 3 if kind is np.int8 else 2})


FAMILIES = {
    "FusedMatMul": fused_matmul("FusedMatMul"),
    "TransposeMatMul": fused_matmul("TransposeMatMul"),
    "FusedGemm": fused_gemm,
    "FusedConv": fused_conv,
    "NhwcMaxPool": nhwc_max_pool,
}

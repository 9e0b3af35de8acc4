"""Mixtures of experts."""

import numpy as np

from case import Case


def shapes(r):
    tokens = r.pick((1,), (5,), (2, 3), (1, 9))
    return tokens, r.pick(2, 4, 8), r.pick(32, 64), r.pick(32, 64)  # experts, hidden, inner


def mixture_attributes(r, experts):
    attributes = {"k": r.between(1, min(3, experts)), "activation_type": r.pick("relu", "gelu", "silu", "identity", "swiglu")}
    if r.chance():
        attributes["normalize_routing_weights"] = 1
    fused = attributes["activation_type"] == "swiglu"
    if fused:
        attributes["swiglu_fusion"] = 1
        if r.chance():
            attributes.update(swiglu_limit=0.7, activation_alpha=1.702, activation_beta=1.0)
    return attributes, 2 if fused else 1


def moe(r):
    tokens, experts, hidden, inner = shapes(r)
    attributes, fusion = mixture_attributes(r, experts)
    biased = r.chance()
    # ONNX Runtime 1.31 gives zeros for some float16 models.
    return Case("MoE", [r.normal(*tokens, hidden), r.normal(int(np.prod(tokens)), experts), r.normal(experts, fusion * inner, hidden, scale=0.2),
                        r.normal(experts, fusion * inner) if biased else None, r.normal(experts, hidden, inner, scale=0.2),
                        r.normal(experts, hidden) if biased else None], attributes, dtype=r.pick("float32", "float32", "float16", "bfloat16"),
                constant={2, 4} if r.chance() else (), wide_peer=True)


def quantized(r, experts, rows, columns, bits, block, zeros):
    """Packed weights, their scales and zero points."""
    weights = r.ints(0, 256, experts, rows, columns * bits // 8).astype(np.uint8)
    blocks = columns // block if block else 1
    scales = r.uniform(0.5, 1.0, experts, rows, *((blocks,) if block else ())) * 2.0 ** (-bits - 2)
    points = None
    if zeros:
        points = r.ints(0, 256, experts, *((rows, -(-blocks * bits // 8)) if block else (-(-rows * bits // 8),))).astype(np.uint8)
    return weights, scales, points


def qmoe(r):
    tokens, experts, hidden, inner = shapes(r)
    attributes, fusion = mixture_attributes(r, experts)
    bits, block = r.pick((4, 0), (4, 32), (8, 0), (2, 0), (2, 32))
    attributes["expert_weight_bits"] = bits
    if block:
        attributes["block_size"] = block
    zeros = r.chance()
    first, second = quantized(r, experts, fusion * inner, hidden, bits, block, zeros), quantized(r, experts, hidden, inner, bits, block, zeros)
    biased = r.chance()
    rows = int(np.prod(tokens))
    inputs = [r.normal(*tokens, hidden), r.normal(rows, experts), first[0], first[1], r.normal(experts, fusion * inner) if biased else None, second[0], second[1],
              r.normal(experts, hidden) if biased else None, None, None, None, first[2], second[2], None, r.uniform(0.1, 1, rows, experts) if r.chance(0.2) else None]
    return Case("QMoE", inputs, attributes, dtype=r.pick("float32", "float32", "float16", "bfloat16"), tolerance=2e-2, constant={2, 3, 5, 6, 11, 12}, wide_peer=True)


FAMILIES = {
    "MoE": moe,
    "QMoE": qmoe,
}

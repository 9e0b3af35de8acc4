"""Linear attention, and what stands around it in models that use it."""

import numpy as np

from case import Case

NARROW = ("float32", "float32", "float16", "bfloat16")


def linear(r):
    batch, length, small, ratio = r.pick(1, 2), r.pick(1, 5, 12), r.pick(1, 2), r.pick(1, 2, 3)
    q_heads, kv_heads = r.pick((small, small * ratio), (small * ratio, small))
    size, value_size = r.pick(4, 8), r.pick(4, 6)
    rule = r.pick(None, "linear", "gated", "delta", "gated_delta")
    attributes = {"q_num_heads": q_heads, "kv_num_heads": kv_heads}
    if rule:
        attributes["update_rule"] = rule
    if r.chance(0.3):
        attributes["scale"] = 0.3
    gated, delta = rule in (None, "gated", "gated_delta"), rule in (None, "delta", "gated_delta")
    key = r.normal(batch, length, kv_heads, size)
    key /= np.linalg.norm(key, axis=-1, keepdims=True)
    decay = -np.abs(r.normal(batch, length, kv_heads * r.pick(1, size))) if gated else None
    beta = r.uniform(0, 1, batch, length, r.pick(1, kv_heads)) if delta else None
    past = r.normal(batch, kv_heads, size, value_size) if r.chance() else None
    return Case("LinearAttention", [r.normal(batch, length, q_heads * size), key.reshape(batch, length, -1), r.normal(batch, length, kv_heads * value_size),
                                    past, decay, beta], attributes, 2, dtype=r.pick("float32", "float32", "float16", "bfloat16"))


def causal_conv(r):
    batch, length, channels, taps, dilation = r.pick(1, 2), r.pick(1, 5, 12), r.pick(1, 3), r.between(1, 4), r.pick(1, 1, 2, 3)
    attributes, carried = {}, (taps - 1) * dilation
    if dilation > 1:
        attributes["dilation"] = dilation
    if r.chance():
        attributes["activation"] = r.pick("none", "silu", "swish")
    shape, state = (batch, channels, length), (batch, channels, carried)
    if r.chance():
        attributes["channels_last"] = 1
        more = r.pick((), (2,))
        shape, state = (batch, length, channels, *more), (batch, carried, channels, *more)
        channels *= int(np.prod(more))
    past = r.normal(*state) if carried and r.chance() else None
    return Case("CausalConvWithState", [r.normal(*shape), r.normal(channels, 1, taps), r.normal(channels) if r.chance() else None, past], attributes, 2,
                dtype=r.pick(*NARROW))


def gated_add(r):
    shape = r.pick((3, 4), (2, 3, 5))
    return Case("GatedAdd", [r.normal(*shape), r.normal(*shape), r.normal(*shape[:-1], 1)], dtype=r.pick(*NARROW))


def linear_gate(r):
    shape, heads = (r.pick(1, 2), r.pick(1, 5)), r.pick(1, 4)
    b = r.normal(*shape, heads) if r.chance() else None
    return Case("LinearAttentionGate", [r.normal(*shape, heads), r.normal(heads).astype(np.float32), -np.abs(r.normal(heads)).astype(np.float32), b], {},
                2 if b is not None else 1, dtype=r.pick(*NARROW))


def gated_rms(r):
    size, groups = r.pick(4, 7), r.pick(1, 3)
    shape = (2, r.pick(1, 5), groups * size)
    attributes = {"activation": r.pick("silu", "swish", "sigmoid")} if r.chance() else {}
    if r.chance():
        attributes["epsilon"] = 0.01
    return Case("GatedRMSNorm", [r.normal(*shape), r.normal(size), r.normal(*shape)], attributes, dtype=r.pick(*NARROW))


def branched(r, count, size, flat, *leading):
    return r.normal(*leading, count * size) if flat else r.normal(*leading, count, size)


def branchwise(r):
    count, size, flat = r.pick(1, 2, 4), r.pick(3, 8), r.chance()
    scale = r.normal(*r.pick((count * size,), (count, size), (size,))) if r.chance(0.8) else None
    attributes = {"num_branches": count} if flat else {}
    if r.chance():
        attributes["epsilon"] = 0.01
    return Case("BranchwiseRMSNorm", [branched(r, count, size, flat, 2, 3), scale], attributes, dtype=r.pick(*NARROW))


def pre_mix(r):
    count, size, flat = r.pick(1, 2, 4), r.pick(3, 8), r.chance()
    shapes = [(2, 3, count), (2, 3, count, 1), (2, 3, count, size)] + ([(2, 3, count * size)] if flat else [])
    attributes = {"num_branches": count} if flat else {}
    if r.chance():
        attributes["reduction_scale"] = 0.5
    return Case("HyperConnectionPreMix", [branched(r, count, size, flat, 2, 3), r.normal(*r.pick(*shapes))], attributes, dtype=r.pick(*NARROW))


def post_mix(r):
    count, size, flat = r.pick(1, 2, 4), r.pick(3, 8), r.chance()
    return Case("HyperConnectionPostMix", [branched(r, count, size, flat, 2, 3), r.normal(2, 3, size),
                                           r.normal(2, 3, *r.pick((count,), (count, 1), (count, size))), r.normal(2, 3, count, count) if r.chance() else None],
                {"num_branches": count} if flat else {}, dtype=r.pick(*NARROW))


def engram(r):
    count, size = r.pick(1, 3), r.pick(4, 9)
    shape, normed = (2, r.pick(1, 4), count, size), r.chance()
    return Case("EngramGate", [r.normal(*shape), r.normal(*shape), r.normal(*shape[:2], size), r.normal(count, size), r.normal(count, size),
                               r.normal(count, size) if normed else None], {"epsilon": 1e-3} if r.chance() else {}, 2 if normed else 1, dtype=r.pick(*NARROW))


FAMILIES = {
    "LinearAttention": linear,
    "CausalConvWithState": causal_conv,
    "GatedAdd": gated_add,
    "LinearAttentionGate": linear_gate,
    "GatedRMSNorm": gated_rms,
    "BranchwiseRMSNorm": branchwise,
    "HyperConnectionPreMix": pre_mix,
    "HyperConnectionPostMix": post_mix,
    "EngramGate": engram,
}

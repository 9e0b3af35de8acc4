"""Attention and what stands around it in transformers."""

from cases import Case, operator


@operator("Attention")
def attention(g):
    for dtype in g.types(0):
        for rank in (3, 4):
            for _ in range(4):
                heads, kv = g.pick([(2, 2), (4, 2), (3, 1)])
                size, value, seq, total = 4, g.pick([4, 2]), 3, 5
                if rank == 4:
                    q, k, v = [g.array(dtype, s) for s in ((2, heads, seq, size), (2, kv, total, size), (2, kv, total, value))]
                    attributes = {}
                else:
                    q, k, v = [g.array(dtype, s) for s in ((2, seq, heads * size), (2, total, kv * size), (2, total, kv * value))]
                    attributes = {"q_num_heads": heads, "kv_num_heads": kv}
                past = g.chance(0.4)
                whole = total + (2 if past else 0)
                mask = None
                if g.chance():
                    mask_type = g.pick([t for t in g.types(3) if t == bool or t == dtype])
                    mask = g.array(mask_type, g.pick([(seq, whole), (2, 1, seq, whole), (2, heads, seq, whole)]))
                    if mask_type == bool:
                        mask[..., 0] = True
                inputs = [q, k, v, mask]
                if past:
                    inputs += [g.array(dtype, (2, kv, 2, size)), g.array(dtype, (2, kv, 2, value))]
                if g.chance(0.4):
                    attributes["is_causal"] = 1
                if g.chance(0.3):
                    attributes["softcap"] = 2.0
                if g.chance(0.3):
                    attributes["scale"] = 0.25
                outputs = 3 if past else 1
                yield Case(inputs, attributes, outputs, rtol=1e-4, atol=1e-4, magnitude=1)


@operator("RotaryEmbedding")
def rotary(g):
    for dtype in g.types(0):
        for rank in (3, 4):
            for _ in range(3):
                heads, size, seq = 2, 8, 3
                part = g.pick([0, 4])
                half = (part or size) // 2
                attributes = {"interleaved": int(g.chance())}
                if part:
                    attributes["rotary_embedding_dim"] = part
                shape = (2, heads, seq, size) if rank == 4 else (2, seq, heads * size)
                if rank == 3 or part:
                    attributes["num_heads"] = heads
                ids = g.rng.integers(0, 10, (2, seq)) if g.chance() else None
                cache = (10, half) if ids is not None else (2, seq, half)
                yield Case([g.array(dtype, shape), g.array(dtype, cache, -1, 1), g.array(dtype, cache, -1, 1), ids], attributes, magnitude=4)


@operator("SwiGLU")
def swiglu(g):
    for dtype in g.types(0):
        for shape in [(3, 8), (2, 3, 4), (6,)]:
            attributes = {"alpha": 0.5} if g.chance() else {}
            yield Case([g.array(dtype, shape), g.array(dtype, shape)], attributes, magnitude=4)


@operator("CausalConvWithState")
def causal_conv(g):
    for dtype in g.types(0):
        for state in (False, True):
            bias = g.array(dtype, (4,)) if g.chance() else None
            inputs = [g.array(dtype, (2, 4, 7)), g.array(dtype, (4, 1, 3)), bias, g.array(dtype, (2, 4, 2)) if state else None]
            yield Case(inputs, {"activation": g.pick(["none", "silu"])}, 2, rtol=1e-4, atol=1e-4, magnitude=4)


@operator("LinearAttention")
def linear_attention(g):
    for dtype in g.types(0):
        for rule in ("linear", "gated", "delta", "gated_delta"):
            heads, size, seq = 2, 4, 5
            q, k, v = [g.array(dtype, (2, seq, heads * size), -1, 1) for _ in range(3)]
            inputs = [q, k, v, g.array(dtype, (2, heads, size, size), -1, 1) if g.chance() else None]
            inputs.append(g.array(dtype, (2, seq, heads), -1, 0) if "gated" in rule else None)
            inputs.append(g.array(dtype, (2, seq, heads), 0, 1) if "delta" in rule else None)
            yield Case(inputs, {"q_num_heads": heads, "kv_num_heads": heads, "update_rule": rule}, 2, rtol=1e-4, atol=1e-4, magnitude=4)



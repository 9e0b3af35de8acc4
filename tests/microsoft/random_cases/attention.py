"""Attention as ONNX Runtime's transformer optimiser writes it."""

import numpy as np

from case import Case


def mask_of(r, batch, queries, keys, kinds):
    """A mask under which every query sees a key."""
    kind = r.pick(None, *kinds)
    ends = r.ints(1, keys + 1, batch).astype(np.int32)
    if kind is None:
        return None
    if kind == "ends":
        return ends
    if kind == "ends and starts":
        return np.concatenate([ends, (ends * r.uniform(0, 1, batch)).astype(np.int32)])
    shape = (batch, keys) if kind == "keys" else (batch, queries, keys)
    mask = (r.uniform(0, 1, *shape) < 0.7).astype(np.int32)
    mask[..., 0] = 1
    return mask


def score_bias(r, batch, heads, queries, keys):
    return r.normal(r.pick(1, batch), r.pick(1, heads), queries, keys) if r.chance(0.3) else None


def attention(r):
    batch, length, heads, size = r.pick(1, 2, 3), r.pick(1, 5, 13), r.pick(1, 2, 4), r.pick(4, 8, 17)
    hidden, width = heads * size, r.pick(8, 33)
    past_length = r.pick(None, 0, 3, 17)
    value_hidden = heads * r.pick(size, 5) if past_length is None else hidden
    attributes = {"num_heads": heads}
    if value_hidden != hidden or r.chance(0.2):
        attributes["qkv_hidden_sizes"] = [hidden, hidden, value_hidden]
    if r.chance(0.4):
        attributes["unidirectional"] = 1
    if r.chance(0.3):
        attributes["scale"] = 0.3
    if r.chance(0.3):
        attributes["mask_filter_value"] = -50000.0
    keys = length + (past_length or 0)
    past = None if past_length is None else r.normal(2, batch, heads, past_length, size)
    bias = r.normal(2 * hidden + value_hidden) if r.chance(0.8) else None
    # Every query must see a key: the scores of others are lost in those of the mask.
    kinds = ("ends", "keys", "keys by query", *(() if "unidirectional" in attributes else ("ends and starts",)))
    inputs = [r.normal(batch, length, width), r.normal(width, 2 * hidden + value_hidden, scale=width ** -0.5), bias,
              mask_of(r, batch, length, keys, kinds), past,
              score_bias(r, batch, heads, length, keys) if past is None else None]
    # ONNX Runtime reads beyond a bias that is absent.
    peer = [*inputs[:2], np.zeros(2 * hidden + value_hidden), *inputs[3:]] if bias is None else None
    with_present = past is not None or value_hidden == hidden and r.chance(0.3)
    return Case("Attention", inputs, attributes, [True, True] if with_present else [True], symbolic=r.chance(0.3),
                constant={1} if r.chance() else (), dtype=r.pick("float32", "float32", "float16", "bfloat16"), peer_inputs=peer)


def multi_head(r):
    batch, length, heads, size = r.pick(1, 2, 3), r.pick(1, 5, 13), r.pick(1, 2, 4), r.pick(4, 8, 17)
    hidden = heads * size
    form = r.pick("plain", "plain", "packed", "packed kv", "cached")
    key_length = length if form == "packed" else r.pick(length, 7, 20)
    value_size = r.pick(size, 6) if form == "plain" else size
    past_length = r.pick(None, 0, 3, 17) if form == "plain" else None
    if past_length is not None:
        value_size = size
        key_length = length
    keys = key_length + (past_length or 0)
    query = r.normal(batch, length, hidden)
    key, value, past_key, past_value = r.normal(batch, key_length, hidden), r.normal(batch, key_length, heads * value_size), None, None
    if form == "packed":
        query, key, value = r.normal(batch, length, heads, 3, size), None, None
    elif form == "packed kv":
        key, value = r.normal(batch, key_length, heads, 2, size), None
    elif form == "cached":
        key, value = r.normal(batch, heads, key_length, size), r.normal(batch, heads, key_length, size)
    if past_length is not None:
        past_key, past_value = r.normal(batch, heads, past_length, size), r.normal(batch, heads, past_length, value_size)
    attributes = {"num_heads": heads}
    if r.chance(0.3) and form != "cached":
        attributes["unidirectional"] = 1
    if r.chance(0.3):
        attributes["scale"] = 0.3
    bias = r.normal(2 * hidden + heads * value_size) if r.chance(0.4) and form in ("plain", "cached") else None
    inputs = [query, key, value, bias, mask_of(r, batch, length, keys, ("ends", "keys", "keys by query")), score_bias(r, batch, heads, length, keys),
              past_key, past_value]
    outputs = [True, True, True] if past_length is not None or form == "plain" and r.chance(0.3) else [True]
    if r.chance(0.2):
        outputs = (outputs + [False, False])[:3] + [True]
    # ONNX Runtime's CPU does not unpack.
    peer = None
    if form == "packed":
        peer = [*(query[:, :, :, i].reshape(batch, length, hidden) for i in range(3)), *inputs[3:]]
    elif form == "packed kv":
        peer = [query, *(key[:, :, :, i].reshape(batch, key_length, hidden) for i in range(2)), *inputs[3:]]
    return Case("MultiHeadAttention", inputs, attributes, outputs, symbolic=r.chance(0.3), dtype=r.pick("float32", "float32", "float16", "bfloat16"),
                peer_inputs=peer, select=lambda i, x: np.maximum(x.astype(np.float32), np.finfo(np.float32).min))  # masked scores are the lowest number there


def shared_buffers(op):
    """Caches in buffers of full length, with beams."""
    def draw(r):
        batch, beams, heads, size = r.pick(1, 2), r.pick(1, 1, 3), r.pick(1, 2, 4), r.pick(4, 8, 16)
        rows, length, room = batch * beams, 1 if op != "MultiHeadAttention" or beams > 1 else r.pick(1, 1, 4), 24
        past = r.between(0, room - length)
        hidden = heads * size
        fresh = [r.normal(rows, length, hidden) for _ in range(3)]
        buffers = [r.normal(rows, heads, room, size), r.normal(rows, heads, room, size)]
        mask = mask_of(r, rows, length, past + length, ("keys",))
        bias = r.normal(3 * hidden) if r.chance(0.4) else None
        # With beams ONNX Runtime 1.31 adds the first entry's bias to all.
        scores = score_bias(r, 1, heads, length, past + length)
        attributes = {"num_heads": heads}
        if r.chance(0.3):
            attributes["scale"] = 0.3
        at = np.array([past], np.int32)
        indirection = r.ints(0, beams, batch, beams, room).astype(np.int32) if beams > 1 or r.chance(0.3) else None
        if op == "MultiHeadAttention":
            inputs = [*fresh, bias, mask, scores, *buffers, at, indirection]
        else:
            width = np.array([beams], np.int32) if indirection is not None else None
            inputs = [*fresh, mask, scores, *buffers, at, width, indirection, bias]
            attributes["past_present_share_buffer"] = 1
        # Of the buffers only the rows in use are defined.
        return Case(op, inputs, attributes, 3, select=lambda i, x: x if i == 0 else x[:, :, :past + length])
    return draw


def decoder_cross(r):
    batch, heads, size, keys = r.pick(1, 2), r.pick(1, 2, 4), r.pick(4, 8), r.pick(1, 7, 20)
    attributes = {"num_heads": heads}
    outputs = [True]
    if r.chance(0.3):
        attributes["output_qk"] = 1
        outputs = [True, False, False, True]
    inputs = [r.normal(batch, 1, heads * size), r.normal(batch, heads, keys, size), r.normal(batch, heads, keys, size),
              mask_of(r, batch, 1, keys, ("keys",))]
    return Case("DecoderMaskedMultiHeadAttention", inputs, attributes, outputs)


def rotary(r):
    batch, length, heads, size = r.pick(1, 2, 3), r.pick(1, 5, 13), r.pick(1, 2, 4), r.pick(4, 8, 32)
    rotated = r.pick(0, 0, size // 2)
    rows = 40
    attributes = {}
    if rotated:
        attributes.update(rotary_embedding_dim=rotated, num_heads=heads)
    elif r.chance():
        attributes["num_heads"] = heads
    if r.chance():
        attributes["interleaved"] = 1
    if r.chance(0.2):
        attributes["scale"] = r.pick(1.0, 2.0)
    if r.chance(0.2):
        attributes["is_packed_batching"] = 1
    x = r.normal(batch, length, heads * size) if r.chance() else r.normal(batch, heads, length, size)
    positions = r.ints(0, rows - length, 1) if r.chance() else r.ints(0, rows, batch, length)
    half = (rotated or size) // 2
    return Case("RotaryEmbedding", [x, positions, r.uniform(-1, 1, rows, half), r.uniform(-1, 1, rows, half)], attributes,
                constant={2, 3} if r.chance() else (), symbolic=r.chance(0.3), dtype=r.pick("float32", "float16", "bfloat16"))


def mrotary(r):
    batch, length, heads, size = r.pick(1, 2, 3), r.pick(1, 5, 13), r.pick(1, 2, 4), r.pick(8, 32)
    rotated = r.pick(0, 0, size // 2)
    rows, half = 40, (rotated or size) // 2
    first = r.between(0, half)
    second = r.between(0, half - first)
    attributes = {"mrope_section": [first, second, half - first - second]}
    if r.chance():
        third = half // 3
        attributes = {"mrope_layout": 1, "mrope_section": [half - 2 * third, third, third]}
    attributes["num_heads"] = heads
    if rotated:
        attributes["rotary_embedding_dim"] = rotated
    if r.chance():
        attributes["interleaved"] = 1
    x = r.normal(batch, length, heads * size) if r.chance() else r.normal(batch, heads, length, size)
    return Case("MRotaryEmbedding", [x, r.ints(0, rows, 3, batch, length), r.uniform(-1, 1, rows, half), r.uniform(-1, 1, rows, half)], attributes,
                symbolic=r.chance(0.3), dtype=r.pick("float32", "float16", "bfloat16"))


FAMILIES = {
    "Attention": attention,
    "MultiHeadAttention": multi_head,
    "MultiHeadAttention in buffers": shared_buffers("MultiHeadAttention"),
    "DecoderMaskedMultiHeadAttention": shared_buffers("DecoderMaskedMultiHeadAttention"),
    "DecoderMaskedMultiHeadAttention across": decoder_cross,
    "RotaryEmbedding": rotary,
    "MRotaryEmbedding": mrotary,
}

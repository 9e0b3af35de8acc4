"""Attention over caches as generative models write it."""

import numpy as np
from onnx import TensorProto

from case import Case


def grouped(r, quantized=False):
    kv, group, size = r.pick(1, 2), r.pick(1, 2, 4), r.pick(16, 16, 32)
    heads = kv * group
    stage = r.pick("prompt", "decode", "decode", "chunk")
    batch = 1 if stage == "chunk" else r.pick(1, 2, 3)
    length = {"prompt": r.pick(1, 5, 13, 30), "decode": 1, "chunk": r.between(2, 9)}[stage]
    past = 0 if stage == "prompt" else r.between(1, 40)
    total = past + length
    room = max(1, past) if r.chance() and stage != "prompt" else total + r.between(0, 9)
    # seqlens_k of shorter entries: padded prompts, or sequences that are behind.
    lengths = np.full(batch, total - 1, np.int32)
    if batch > 1 and r.chance():
        low = 0 if stage == "prompt" else length - 1
        lengths[1:] = [r.between(low, total - 1) for _ in range(batch - 1)]
    attributes = {"num_heads": heads, "kv_num_heads": kv}
    query, key, value = r.normal(batch, length, heads * size), r.normal(batch, length, kv * size), r.normal(batch, length, kv * size)
    if r.chance(0.3):
        query, key, value = np.concatenate([query, key, value], 2), None, None
    cos = sin = positions = bias = sink = None
    if r.chance():
        half = r.pick(size, size, 16) // 2
        cos, sin = r.uniform(-1, 1, 80, half), r.uniform(-1, 1, 80, half)
        attributes["do_rotary"] = 1
        if r.chance():
            attributes["rotary_interleaved"] = 1
        if r.chance(0.3):
            positions = r.ints(0, 40, batch, length)
    if r.chance(0.2):
        attributes["scale"] = 0.3
    if r.chance(0.3):
        attributes["softcap"] = 2.0
    if r.chance(0.3):
        attributes["local_window_size"] = r.pick(1, 3, 20)
    elif r.chance(0.2):
        attributes["causal"] = 0
    if r.chance(0.2):
        attributes["smooth_softmax"] = r.pick(0, 1)
    if r.chance(0.2):
        sink = r.normal(heads)
    if r.chance(0.2):
        bias = r.normal(r.pick(1, batch), r.pick(1, heads), length, total)
    outputs = 3
    if r.chance(0.2) and not quantized:
        attributes["qk_output"] = r.pick(1, 2)
        outputs = 4
    counts = lengths.astype(int) + 1

    def select(index, array):
        """What is defined: queries that are not padding, rows of the caches in use."""
        array = np.array(array, copy=True)
        for b in range(batch):
            valid = counts[b] if stage == "prompt" else length
            if index == 0:
                array[b, valid:] = 0
            elif index < 3:
                array[b, :, counts[b]:] = 0
            else:
                array[b, :, valid:] = 0
                array[b, :, :, counts[b]:] = 0
        return array

    caches, scales, types = [r.normal(batch, kv, room, size), r.normal(batch, kv, room, size)], [None, None], {}
    if quantized:
        bits, kind = r.pick(4, 8), r.pick("PER_TENSOR", "PER_CHANNEL")
        stored = np.uint8 if bits == 4 else np.int8
        low, high = (0, 256) if bits == 4 else (-128, 128)
        caches = [r.ints(low, high, batch, kv, room, size // 2 if bits == 4 else size).astype(stored) for _ in range(2)]
        scales = [r.uniform(0.2, 0.4, *((1,) if kind == "PER_TENSOR" else (1, kv, 1, size))).astype(np.float32) / (1 if bits == 4 else 16) for _ in range(2)]
        attributes.update(k_quant_type=kind, v_quant_type=kind, kv_cache_bit_width=bits)
        types = {i: TensorProto.UINT8 if bits == 4 else TensorProto.INT8 for i in (1, 2)}
    inputs = [query, key, value, *caches, lengths, np.array(total, np.int32), cos, sin, positions, bias, sink, *scales]
    return Case("GroupQueryAttention", inputs, attributes, outputs, dtype="float32" if quantized else r.pick("float32", "float32", "float16", "bfloat16"),
                symbolic=r.chance(0.3), select=select, output_types=types)


def sliding(r):
    """Caches that hold a window only; two steps in one model are not needed, as the layout follows from the number of tokens."""
    kv, group, size = r.pick(1, 2), r.pick(1, 2), 16
    heads = kv * group
    window = r.between(2, 8)
    room = window + r.between(0, 5)
    step = room - window + 1
    length = r.pick(1, 1, 3, 12)
    batch = 1 if length > 1 else r.pick(1, 2)
    past = r.between(1, 30)
    total = past + length

    def resident(t):
        return t if t <= room else t - step * -(-(t - room) // step)

    attributes = {"num_heads": heads, "kv_num_heads": kv, "local_window_size": window, "sliding_window_cache": 1}
    cos = sin = None
    if r.chance():
        cos, sin = r.uniform(-1, 1, 80, size // 2), r.uniform(-1, 1, 80, size // 2)
        attributes["do_rotary"] = 1
    inputs = [r.normal(batch, length, heads * size), r.normal(batch, length, kv * size), r.normal(batch, length, kv * size),
              r.normal(batch, kv, room, size), r.normal(batch, kv, room, size), np.full(batch, total - 1, np.int32), np.array(total, np.int32), cos, sin]
    return Case("GroupQueryAttention", inputs, attributes, 3, select=lambda i, x: x if i == 0 else x[:, :, :resident(total)])


def sparse(r):
    kv, group, size, block = r.pick(1, 2), r.pick(1, 2), r.pick(16, 32), 16
    heads, layouts, rows = kv * group, r.pick(1, kv), 4
    room = rows * block
    prompt = r.chance()
    batch, length = r.pick(1, 2), r.between(2, room) if prompt else 1
    total = length if prompt else r.between(2, room)
    starts, columns = [], []
    for _ in range(layouts):
        named = np.tril(r.uniform(0, 1, rows, rows) < 0.6)
        np.fill_diagonal(named, True)
        starts.append([0, *np.cumsum(named.sum(1))])
        columns.append(np.nonzero(named)[1].tolist())
    width = max(map(len, columns))
    columns = [c + [-1] * (width - len(c)) for c in columns]
    lengths = np.full(batch, total, np.int32)
    # Entries of different lengths are left out: ONNX Runtime 1.31 gives results for them that depend on the other entries.
    query, key, value = r.normal(batch, length, heads * size), r.normal(batch, length, kv * size), r.normal(batch, length, kv * size)
    if r.chance(0.3):
        query, key, value = np.concatenate([query, key, value], 2), None, None
    attributes = {"num_heads": heads, "kv_num_heads": kv, "sparse_block_size": block}
    cos = sin = None
    if r.chance():
        cos, sin = r.uniform(-1, 1, 80, size // 2), r.uniform(-1, 1, 80, size // 2)
        attributes["do_rotary"] = 1
        if r.chance():
            attributes["rotary_interleaved"] = 1
    inputs = [query, key, value, r.normal(batch, kv, room, size), r.normal(batch, kv, room, size), np.array(starts, np.int32), np.array(columns, np.int32),
              np.array([total], np.int32), lengths, cos, sin]

    def select(index, array):
        array = np.array(array, copy=True)
        for b in range(batch):
            if index > 0:
                array[b, :, lengths[b]:] = 0
        return array

    return Case("SparseAttention", inputs, attributes, 3, dtype=r.pick("float32", "float32", "float16", "bfloat16"), select=select, shared={3: 1, 4: 2})


FAMILIES = {
    "GroupQueryAttention": grouped,
    "GroupQueryAttention with a quantised cache": lambda r: grouped(r, True),
    "GroupQueryAttention with a window's cache": sliding,
    "SparseAttention": sparse,
}

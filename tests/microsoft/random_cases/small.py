"""The small operators with kernels of their own."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from case import Case

INT64 = TensorProto.INT64


def cdist(r):
    size = r.between(1, 40)
    return Case("CDist", [r.normal(r.between(1, 9), size), r.normal(r.between(1, 9), size)], {"metric": r.pick("sqeuclidean", "euclidean")} if r.chance() else {},
                dtype=r.pick("float32", "float64"), tolerance=1e-4)


def inverse(r):
    size = r.between(1, 9)
    # Far from singular, as ONNX Runtime eliminates float16 in float16.
    x = r.normal(*r.pick((), (2,), (2, 3)), size, size, scale=0.3) + 3 * np.eye(size)
    return Case("Inverse", [x], dtype=r.pick("float32", "float64", "float16"))


def crop(r):
    attributes = {}
    if r.chance():
        attributes["mode"] = r.pick("bilinear", "nearest")
    if r.chance():
        attributes["extrapolation_value"] = 2.5
    boxes = r.between(1, 5)
    return Case("CropAndResize", [r.normal(2, r.between(1, 3), r.between(1, 8), r.between(1, 9)), r.uniform(-0.2, 1.2, boxes, 4),
                                  r.ints(0, 2, boxes).astype(np.int32), np.array([r.between(1, 6), r.between(1, 6)], np.int32)], attributes)


def murmur(r):
    kind = r.pick(np.int32, np.uint32, np.int64, np.uint64, np.float32, "float64", "text")
    shape = r.pick((), (5,), (2, 3))
    if kind == "text":
        x = np.empty(shape, object)
        x[...] = "x"
        flat = x.reshape(-1)
        for i in range(flat.size):
            flat[i] = "".join(r.pick("a", "bc", "ü", "0", " ") for _ in range(r.between(0, 9)))
        x = flat.reshape(shape)
    elif kind == "float64":
        x = r.normal(*shape)
    else:
        x = (r.normal(*shape, scale=1000) if kind is np.float32 else r.ints(0, 1 << 31, *shape)).astype(kind)
    attributes = {}
    if r.chance():
        attributes["seed"] = r.between(0, 1 << 31)
    if r.chance():
        attributes["positive"] = r.pick(0, 1)
    kind = TensorProto.UINT32 if attributes.get("positive", 1) else TensorProto.INT32
    return Case("MurmurHash3", [np.asarray(x)], attributes, dtype="float64", output_types={0: kind})


def ngram_block(r):
    batch, size = r.between(1, 3), r.between(1, 4)
    return Case("NGramRepeatBlock", [r.ints(0, 4, batch, r.between(size, 20)), r.normal(batch, 9)], {"ngram_size": size})


def warping(r):
    rows, columns = r.between(1, 12), r.between(1, 12)
    cost = r.normal(*r.pick((rows, columns), (1, rows, columns))) if r.chance() else r.ints(0, 3, rows, columns).astype(np.float64)
    return Case("DynamicTimeWarping", [cost], output_types={0: TensorProto.INT32})


def bifurcation(r):
    source, current = r.ints(0, 4, r.between(1, 15)), r.ints(0, 4, r.between(1, 8))
    match = r.between(0, len(source))
    predicted = None
    if r.chance(0.7):
        predicted = np.concatenate([source[match:], r.ints(0, 4, 1)])
        predicted = np.where(r.uniform(0, 1, len(predicted)) < 0.2, r.ints(0, 4, len(predicted)), predicted)
    attributes = {}
    if r.chance():
        attributes = {"min_ngram_size": r.between(1, 2), "max_ngram_size": r.between(2, 5)}
    return Case("BifurcationDetector", [source, current, np.array(match), predicted], attributes, 2, output_types={0: INT64, 1: INT64})


def masked_pool(r):
    rank = r.pick(1, 2, 2, 3)
    sizes = [r.between(3, 7) for _ in range(rank)]
    kernel = [r.between(1, 3) for _ in range(rank)]
    attributes = {"kernel_shape": kernel}
    if r.chance():
        attributes["strides"] = [r.between(1, 2) for _ in range(rank)]
    if r.chance():
        attributes["pads"] = [r.between(0, k - 1) for k in kernel * 2]
    x = r.normal(r.pick(1, 2), r.between(1, 3), *sizes)
    mask = (r.uniform(0, 1, *(x.shape if r.chance() else (1, 1, *sizes))) < 0.8).astype(np.int32)
    return Case("MaxpoolWithMask", [x, mask], attributes)


def word_embedding(r):
    letters, size, window, filters = 9, r.between(1, 5), r.between(1, 3), r.between(1, 6)
    words = r.ints(1, letters, r.between(1, 5), r.between(window, 8)).astype(np.int32)
    for word in words:  # of an empty word ONNX Runtime leaves the result open
        word[r.between(1, len(word)):] = 0
    return Case("WordConvEmbedding", [words, r.normal(filters, 1, window, size), r.normal(filters), r.normal(letters, size)])


def hash_inputs(r, kind, most, heads, batch):
    eos = np.array(r.between(0, 5), kind) if r.chance() else None
    return ((r.ints(1, 1 << 20, most) * 2 + 1).astype(kind), r.ints(50, 200, heads).astype(kind), r.ints(0, 6, batch, most - 1).astype(kind) if r.chance() else None,
            r.ints(0, 1000, heads).astype(kind) if r.chance() else None, eos)


def ngram_hash(r):
    kind, most, each, batch, length = r.pick(np.int32, np.int64), r.between(2, 4), r.between(1, 3), r.pick(1, 2), r.between(1, 9)
    heads = (most - 1) * each
    multipliers, sizes, past, offsets, eos = hash_inputs(r, kind, most, heads, batch)
    segments = np.cumsum(r.ints(0, 2, batch, length), 1).astype(np.int32) if r.chance() else None
    attributes = {"max_ngram_size": most, "n_head_per_ngram": each, "pad_id": r.between(0, 5)}
    if r.chance():
        attributes["reset_on_eos"] = 1
    typed = TensorProto.INT32 if kind is np.int32 else INT64
    return Case("NGramHashMapping", [r.ints(0, 6, batch, length).astype(kind), multipliers, sizes, past, offsets, eos, segments], attributes, 2,
                output_types={0: typed, 1: typed})


def packed_hash(r):
    kind, most, each, batch = r.pick(np.int32, np.int64), r.between(2, 4), r.between(1, 3), r.pick(1, 2, 3)
    heads = (most - 1) * each
    starts = np.concatenate([[0], np.cumsum(r.ints(1, 7, batch))]).astype(np.int32)
    tokens = int(starts[-1])
    multipliers, sizes, past, offsets, eos = hash_inputs(r, kind, most, heads, batch)
    segments = np.cumsum(r.ints(0, 2, tokens)).astype(np.int32) if r.chance() else None
    past_segments = r.ints(0, 2, batch, most - 1).astype(np.int32) if segments is not None and past is not None and r.chance() else None
    attributes = {"max_ngram_size": most, "n_head_per_ngram": each, "pad_id": r.between(0, 5)}
    if r.chance():
        attributes["reset_on_eos"] = 1
    captured, outputs = None, [True, True]
    if segments is not None:
        outputs = [True, True, True]
    if r.chance(0.3):
        attributes["state_update_capacity"] = r.between(1, 4)
        captured = r.ints(0, 6, batch).astype(np.int32)
        outputs = [True, True, segments is not None, True]
    typed = TensorProto.INT32 if kind is np.int32 else INT64
    return Case("VarlenNGramHashMapping", [r.ints(0, 6, tokens).astype(kind), multipliers, sizes, starts, past, offsets, eos, segments, past_segments, captured],
                attributes, outputs, output_types={0: typed, 1: typed, 2: TensorProto.INT32, 3: typed})


def attn_lstm(r):
    steps, batch, size, hidden, depth, keys, memory = (r.between(1, 5) for _ in range(7))
    layer = r.between(1, 4) if r.chance() else None
    direction = r.pick("forward", "reverse", "bidirectional")
    ways = 2 if direction == "bidirectional" else 1
    width = size + (layer or depth)
    states = [r.normal(ways, batch, hidden), r.normal(ways, batch, hidden)] if r.chance() else [None, None]
    attributes = {"hidden_size": hidden, "direction": direction}
    if r.chance(0.3):
        attributes["clip"] = 0.8
    if r.chance(0.3):
        attributes["activations"] = ["HardSigmoid", "Relu", "Softsign"] * ways
    inputs = [r.normal(steps, batch, size), r.normal(ways, 4 * hidden, width), r.normal(ways, 4 * hidden, hidden), r.normal(ways, 8 * hidden) if r.chance() else None,
              r.ints(1, steps + 1, batch).astype(np.int32) if r.chance() else None, *states, r.normal(ways, 3 * hidden) if r.chance(0.4) else None,
              r.normal(ways, hidden, keys), r.normal(ways, depth, keys), r.normal(ways, keys), r.normal(batch, memory, depth),
              r.ints(1, memory + 1, batch).astype(np.int32) if r.chance() else None, r.normal(ways, depth + hidden, layer) if layer else None]
    return Case("AttnLSTM", inputs, attributes, 3, dtype=r.pick("float32", "float64"), wide_peer=True)


def sparse_product(r):
    """Its first input is a sparse initializer, which is read as the dense matrix it stands for; ONNX Runtime's Python feeds none."""
    rows, inner, columns = r.between(1, 6), r.between(1, 6), r.between(1, 6)
    a = np.where(r.uniform(0, 1, rows, inner) < 0.4, r.normal(rows, inner), 0)
    attributes = {}
    b = r.normal(inner, columns)
    product = a @ b
    if r.chance():
        attributes["transA"], a = 1, a.T
    if r.chance():
        attributes["transB"], b = 1, b.T
    if r.chance():
        attributes["alpha"] = 0.5
    return Sparse("SparseToDenseMatMul", [a, b], attributes, constant={0}, expected=lambda: [attributes.get("alpha", 1.0) * product])


class Sparse(Case):
    def model(self):
        made = super().model()
        dense = self.typed(self.inputs[0])
        graph = made.graph
        kept = [tensor for tensor in graph.initializer if tensor.name != "in0"]
        del graph.initializer[:]
        graph.initializer.extend(kept)
        places = np.flatnonzero(dense)
        graph.sparse_initializer.append(helper.make_sparse_tensor(numpy_helper.from_array(dense.reshape(-1)[places], "in0"),
                                                                  numpy_helper.from_array(places.astype(np.int64), "in0.places"), dense.shape))
        return made


FAMILIES = {
    "AttnLSTM": attn_lstm,
    "SparseToDenseMatMul": sparse_product,
    "CDist": cdist,
    "Inverse": inverse,
    "CropAndResize": crop,
    "MurmurHash3": murmur,
    "NGramRepeatBlock": ngram_block,
    "DynamicTimeWarping": warping,
    "BifurcationDetector": bifurcation,
    "MaxpoolWithMask": masked_pool,
    "WordConvEmbedding": word_embedding,
    "NGramHashMapping": ngram_hash,
    "VarlenNGramHashMapping": packed_hash,
}

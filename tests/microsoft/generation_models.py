"""Small models like GPT-2, T5 and Whisper as bodies of text generation: every input changes the logits."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

INT, FLOAT = TensorProto.INT32, TensorProto.FLOAT


class Body:
    """A graph under construction, with weights of its own."""

    def __init__(self, r, heads, size):
        self.r, self.heads, self.size, self.width = r, heads, size, heads * size
        self.nodes, self.weights, self.inputs, self.outputs = [], [], [], []

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"t{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def const(self, array):
        array = np.asarray(array)
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, *shape, scale=0.5):
        return self.const(self.r.normal(*shape, scale=scale).astype(np.float32))

    def input(self, name, type_, dims):
        self.inputs.append(helper.make_tensor_value_info(name, type_, dims))
        return name

    def output(self, value, name, dims):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, FLOAT, dims))

    def embed(self, ids, vocabulary):
        return self.op("Gather", self.weight(vocabulary, self.width, scale=1.0), ids)

    def split_heads(self, x):
        shaped = self.op("Reshape", x, self.const(np.array([0, 0, self.heads, self.size], np.int64)))
        return self.op("Transpose", shaped, perm=[0, 2, 1, 3])

    def project(self, x):
        return self.split_heads(self.op("MatMul", x, self.weight(self.width, self.width)))

    def attend(self, x, keys, values, mask=None):
        scores = self.op("MatMul", self.project(x), self.op("Transpose", keys, perm=[0, 1, 3, 2]))
        if mask:
            hidden = self.op("Sub", self.const(np.float32(1)), self.op("Cast", mask, to=FLOAT))
            hidden = self.op("Unsqueeze", hidden, self.const(np.array([1, 2], np.int64)))
            scores = self.op("Add", scores, self.op("Mul", hidden, self.const(np.float32(-1e4))))
        context = self.op("MatMul", self.op("Softmax", scores, axis=-1), values)
        merged = self.op("Reshape", self.op("Transpose", context, perm=[0, 2, 1, 3]), self.const(np.array([0, 0, self.width], np.int64)))
        return self.op("Add", x, merged)

    def logits(self, x, vocabulary, pad):
        """Padding is so unlikely that no search chooses it."""
        bias = np.zeros(vocabulary, np.float32)
        bias[pad] = -100
        scores = self.op("Add", self.op("MatMul", x, self.weight(self.width, vocabulary, scale=1.5)), self.const(bias))
        self.output(scores, "logits", ["rows", "length", vocabulary])

    def graph(self, name):
        return helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.weights)


def gpt(r, vocabulary, pad, longest, layers):
    b = Body(r, r.pick(1, 2), r.pick(2, 4))
    ids = b.input("input_ids", INT, ["rows", "length"])
    positions = b.input("position_ids", INT, ["rows", "length"])
    mask = b.input("attention_mask", INT, ["rows", "total"])
    x = b.op("Add", b.embed(ids, vocabulary), b.embed(positions, longest))
    states = []
    for k in range(layers):
        past = b.input(f"past_{k}", FLOAT, [2, "rows", b.heads, "past", b.size])
        here = [b.op("Unsqueeze", b.project(x), b.const(np.array([0], np.int64))) for _ in range(2)]
        present = b.op("Concat", past, b.op("Concat", *here, axis=0), axis=3)
        states.append(present)
        keys, values = (b.op("Gather", present, b.const(np.int64(i)), axis=0) for i in range(2))
        x = b.attend(x, keys, values, mask)
    b.logits(x, vocabulary, pad)
    for k, state in enumerate(states):
        b.output(state, f"present_{k}", [2, "rows", b.heads, "total", b.size])
    return b.graph("decoder")


def encoder_and_decoder(r, vocabulary, pad, layers, speech, hidden_states, starts=True, whole=False, buffers=False, features=3):
    """Both graphs; the encoder begins the sequences as well where `starts`. `buffers`: the decoder's own states have full length."""
    heads, size = r.pick(1, 2), r.pick(2, 4)
    state = ["rows", heads, "frames", size]
    e = Body(r, heads, size)
    if speech:
        source = e.input("encoder_input_ids", FLOAT, ["rows", features, "frames"])
        mask = None
        hidden = e.op("MatMul", e.op("Transpose", source, perm=[0, 2, 1]), e.weight(features, e.width))
    else:
        source = e.input("encoder_input_ids", INT, ["rows", "frames"])
        mask = e.input("encoder_attention_mask", INT, ["rows", "frames"])
        hidden = e.embed(source, vocabulary)
        hidden = e.op("Mul", hidden, e.op("Unsqueeze", e.op("Cast", mask, to=FLOAT), e.const(np.array([2], np.int64))))
    cross = [e.project(hidden) for _ in range(2 * layers)]
    if starts:
        ids = e.input("decoder_input_ids", INT, ["rows", "length"])
        x, own = e.embed(ids, vocabulary), []
        for k in range(layers):
            own += [e.project(x), e.project(x)]
            x = e.attend(x, own[-2], own[-1])
            x = e.attend(x, cross[2 * k], cross[2 * k + 1], mask)
        e.logits(x, vocabulary, pad)
        e.output(hidden, "encoder_hidden_states", ["rows", "frames", e.width])
        for k, value in enumerate(own):
            e.output(value, f"present_{'key' if k % 2 == 0 else 'value'}_self_{k // 2}", ["rows", heads, "length", size])
    for k, value in enumerate(cross):
        e.output(value, f"present_{'key' if k % 2 == 0 else 'value'}_cross_{k // 2}", state)

    d = Body(r, heads, size)
    ids = d.input("input_ids", INT, ["rows", "so far" if whole else 1])
    mask = None if speech else d.input("encoder_attention_mask", INT, ["rows", "frames"])
    if hidden_states:  # which ONNX Runtime does not fill
        d.input("encoder_hidden_states", FLOAT, ["rows", "frames", d.width])
    past = [d.input(f"past_{'key' if k % 2 == 0 else 'value'}_self_{k // 2}", FLOAT, ["rows", heads, "past", size]) for k in range(2 * layers)]
    fixed = [d.input(f"past_{'key' if k % 2 == 0 else 'value'}_cross_{k // 2}", FLOAT, state) for k in range(2 * layers)]
    names = (("past_sequence_length", [1]), ("beam_width", [1]), ("cache_indirection", ["items", "beams", "room"])) if buffers else ()
    extra = [d.input(name, INT, dims) for name, dims in names]
    x, own = d.embed(ids, vocabulary), []
    for k in range(layers):
        if buffers:
            keys, values, query = (d.op("MatMul", x, d.weight(d.width, d.width)) for _ in range(3))
            context, *present = d.op("DecoderMaskedMultiHeadAttention", query, keys, values, "", "", *past[2 * k: 2 * k + 2], *extra, outputs=3,
                                     domain="com.microsoft", num_heads=heads, past_present_share_buffer=1, scale=1.0)
            own += present
            x = d.attend(d.op("Add", x, context), fixed[2 * k], fixed[2 * k + 1], mask)
            continue
        own += [d.op("Concat", past[2 * k + i], d.project(x), axis=2) for i in range(2)]
        x = d.attend(x, own[-2], own[-1])
        x = d.attend(x, fixed[2 * k], fixed[2 * k + 1], mask)
    d.logits(x, vocabulary, pad)
    for k, value in enumerate(own):
        d.output(value, f"present_{'key' if k % 2 == 0 else 'value'}_self_{k // 2}", ["rows", heads, "total", size])
    return e.graph("encoder"), d.graph("decoder")

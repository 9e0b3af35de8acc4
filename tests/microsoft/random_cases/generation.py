"""BeamSearch, GreedySearch, Sampling and WhisperBeamSearch around small models like GPT-2, T5 and Whisper."""

import copy

import numpy as np
from case import Case
from generation_models import INT, encoder_and_decoder, gpt
from onnx import helper, numpy_helper


class Search(Case):
    """A case whose graphs are not printed. ONNX Runtime asks for the length penalty and the smallest length, so that both are always there."""

    def __init__(self, op, inputs, attributes, outputs=1, tolerance=1e-4, peer=None):
        super().__init__(op, inputs, attributes, outputs, tolerance=tolerance, output_types={0: INT})
        self.peer = peer

    def for_peer(self):
        return self.peer or self

    def with_inputs(self, inputs, dtype=None):
        return self

    def align(self, ours, theirs):
        """Leaves out what ONNX Runtime does not write: tokens after all rows have ended, scores of steps that were not needed.
        Scores are compared for one item only: those of items that have ended mean nothing."""
        ours, theirs = [[np.array(array) for array in outputs] for outputs in (ours, theirs)]
        pad, names = self.attributes["pad_token_id"], [k for k, there in enumerate(self.outputs) if there]
        beams = self.op.endswith("BeamSearch")
        for at, k in enumerate(names):
            if k == 0 and not beams:
                start = self.inputs[0].shape[1]
                for tokens in (ours[at], theirs[at]):
                    ended = np.nonzero((tokens[:, start:] == pad).all(axis=0))[0]
                    if ended.size:
                        tokens[:, start + ended[0]:] = pad
            elif k == 1 and not beams:
                theirs[at] = ours[at]
            elif k == 2:
                steps = int((ours[at] != 0).any(axis=(1, 2, 3)).sum())
                ours[at], theirs[at] = ours[at][:steps], theirs[at][:steps]
            elif k == 4:
                theirs[at] = self.no_speech()
        return ours, theirs

    def no_speech(self):
        """By the encoder alone: ONNX Runtime's CPU leaves the output as it is."""
        from onnx.reference import ReferenceEvaluator
        encoder = helper.make_model(self.attributes["encoder"], opset_imports=[helper.make_opsetid("", self.opset)])
        ids = self.inputs[10]
        if ids is None:
            ids = np.full((len(self.inputs[0]), 1), self.attributes["decoder_start_token_id"], np.int32)
        logits = ReferenceEvaluator(encoder).run(None, {"encoder_input_ids": self.inputs[0], "decoder_input_ids": ids})[0][:, -1].astype(np.float64)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (shares / shares.sum(axis=1, keepdims=True))[:, self.attributes["no_speech_token_id"]].astype(np.float32)

    def describe(self):
        shown = {name: value for name, value in self.attributes.items() if not hasattr(value, "node")}
        inputs = [None if x is None else x.tolist() if np.size(x) < 30 and x.dtype.kind == "i" or np.size(x) == 1 else np.shape(x) for x in self.inputs]
        return f"{self.op} {inputs} {shown} outputs {self.outputs}"


def stops_early(r, batch):
    """Without early stopping ONNX Runtime looks at the scores of other items of the batch to tell whether one is done."""
    return 1 if batch > 1 else int(r.chance())


def two_tokens(r, low, high):
    return r.choices.sample(range(low, high + 1), 2)


def number(value, dtype=np.int32):
    return np.array([value], dtype)


def maybe(r, value, share=0.4):
    return value if r.chance(share) else None


def prompt(r, batch, vocabulary, pad, length):
    """Tokens with padding on the left of some."""
    ids = r.ints(0, vocabulary, batch, length).astype(np.int32)
    ids[ids == pad] = (pad + 1) % vocabulary
    for row in ids:
        if r.chance(0.4):
            row[: r.between(0, length - 1)] = pad
    return ids


def mask_of(r, vocabulary, keep, *dims):
    mask = (r.uniform(0, 1, *dims, vocabulary) < 0.7).astype(np.int32)
    mask[..., keep] = 1
    return mask


def beam_inputs(r, ids, vocabulary, batch, start, eos, attention):
    beams = r.between(1, 4)
    longest = start + r.between(1, 7)
    return [ids, number(longest), number(r.pick(0, r.between(0, longest - 1))), number(beams), number(r.between(1, beams)),
            number(r.pick(1.0, 0.5, 1.5, 0.0, -0.7), np.float32), maybe(r, number(r.pick(0.7, 1.4), np.float32)),
            maybe(r, mask_of(r, vocabulary, [eos, (eos + 1) % vocabulary]), 0.3), maybe(r, mask_of(r, vocabulary, [(eos + 2) % vocabulary], batch), 0.3),
            maybe(r, attention, 0.3)]


def search_attributes(r, eos, pad):
    attributes = {"eos_token_id": eos, "pad_token_id": pad}
    if r.chance(0.3):
        attributes["no_repeat_ngram_size"] = r.between(1, 3)
    return attributes


def wanted(r, count):
    return [True] + [r.chance() for _ in range(count)]


def trimmed(outputs):
    while not outputs[-1]:
        outputs.pop()
    return outputs


def draw_beam_gpt(r):
    vocabulary, batch, length, layers = r.between(6, 14), r.between(1, 3), r.between(1, 4), r.between(1, 2)
    eos, pad = two_tokens(r, 0, vocabulary - 1)
    ids = prompt(r, batch, vocabulary, pad, length)
    attention = (r.uniform(0, 1, batch, length) < 0.7).astype(np.int32)
    attention[:, -1] = 1
    inputs = beam_inputs(r, ids, vocabulary, batch, length, eos, attention)
    attributes = search_attributes(r, eos, pad) | {"model_type": 0, "decoder": gpt(r, vocabulary, pad, 16, layers), "early_stopping": stops_early(r, batch)}
    if r.chance(0.3):
        attributes["init_decoder"] = attributes["decoder"]
    return Search("BeamSearch", inputs, attributes, trimmed(wanted(r, 1 + (batch == 1))))


def draw_beam_t5(r):
    vocabulary, batch, length = r.between(6, 14), r.between(1, 3), r.between(1, 4)
    eos, pad = two_tokens(r, 0, vocabulary - 1)
    ids = prompt(r, batch, vocabulary, pad, length)
    attention = (r.uniform(0, 1, batch, length) < 0.7).astype(np.int32)
    attention[:, -1] = 1
    inputs = beam_inputs(r, ids, vocabulary, batch, 1, eos, attention)
    inputs[1] = number(max(3, int(inputs[1][0])))
    starts = r.chance(0.6)
    form = (vocabulary, pad, r.between(1, 2), False, starts and r.chance(0.3), starts)
    again = copy.deepcopy(r)
    buffers = r.chance(0.3)
    encoder, decoder = encoder_and_decoder(r, *form, not buffers and r.chance(0.3))
    attributes = search_attributes(r, eos, pad) | {"model_type": 1, "encoder": encoder, "decoder": decoder, "early_stopping": stops_early(r, batch),
                                                    "decoder_start_token_id": r.between(0, vocabulary - 1)}
    plain = Search("BeamSearch", inputs, attributes, trimmed(wanted(r, 1 + (batch == 1))))
    if not buffers:
        return plain
    # Caches of full length mean the same; ONNX Runtime's CPU does not fill the indirection that its own attention wants.
    again.chance(0.3)
    _, decoder = encoder_and_decoder(again, *form, False, True)
    return Search("BeamSearch", inputs, attributes | {"decoder": decoder}, plain.outputs, peer=plain)


def draw_whisper(r):
    vocabulary, batch = r.between(14, 22), r.between(1, 3)
    eos, pad = two_tokens(r, 0, 3)
    features = r.normal(batch, 3, r.between(2, 5)).astype(np.float32)
    first = r.between(8, vocabulary - 3)
    start = r.pick(1, 2)
    inputs = beam_inputs(r, features, vocabulary, batch, start, eos, None)
    inputs[1] = number(max(start + 2, int(inputs[1][0])))
    inputs[9:] = [None, None if start == 1 else r.ints(4, vocabulary, batch, start).astype(np.int32), maybe(r, number(1), 0.5), None, None,
                  maybe(r, number(r.pick(0.6, 1.7), np.float32), 0.3)]
    encoder, decoder = encoder_and_decoder(r, vocabulary, pad, r.between(1, 2), True, r.chance(0.3))
    tokens = r.numbers.permutation(np.arange(4, 9))
    attributes = search_attributes(r, eos, pad) | {
        "model_type": 2, "encoder": encoder, "decoder": decoder, "early_stopping": stops_early(r, batch), "decoder_start_token_id": int(tokens[0]),
        "translate_token_id": int(tokens[1]), "transcribe_token_id": int(tokens[2]), "start_of_lm_token_id": int(tokens[3]),
        "no_timestamps_token_id": int(tokens[4]), "beginning_timestamp_token_id": first, "no_speech_token_id": r.between(0, vocabulary - 1)}
    if r.chance(0.2):
        return forced(r, inputs, attributes, vocabulary)
    return Search("WhisperBeamSearch", inputs, attributes, trimmed([*wanted(r, 1), batch == 1 and r.chance(), False, r.chance()]))


def forced(r, inputs, attributes, vocabulary):
    """ONNX Runtime's CPU does not read the extra ids. One of them is to a single beam what a mask for the first step is that leaves one token."""
    inputs[3], inputs[4] = number(1), number(1)
    inputs[7] = inputs[8] = inputs[11] = None
    attributes.pop("no_repeat_ngram_size", None)
    ids = r.ints(3, vocabulary, len(inputs[0]), 1).astype(np.int32)
    ids[ids == 3] = -1
    plain = list(inputs)
    plain[8] = np.where(ids < 0, 1, np.arange(vocabulary) == ids).astype(np.int32)
    inputs[13] = ids
    return Search("WhisperBeamSearch", inputs, attributes, peer=Search("WhisperBeamSearch", plain, attributes))


def greedy_inputs(r):
    vocabulary, batch, length = r.between(6, 14), r.between(1, 3), r.between(1, 4)
    eos, pad = two_tokens(r, 0, vocabulary - 1)
    attention = (r.uniform(0, 1, batch, length) < 0.7).astype(np.int32)
    attention[:, -1] = 1
    longest = length + r.between(1, 8)
    inputs = [prompt(r, batch, vocabulary, pad, length), number(longest), maybe(r, number(r.between(0, longest - 1))),
              maybe(r, number(r.pick(0.7, 1.4), np.float32)), maybe(r, mask_of(r, vocabulary, [eos]), 0.3),
              maybe(r, mask_of(r, vocabulary, [eos], batch), 0.3), maybe(r, attention, 0.3)]
    attributes = search_attributes(r, eos, pad) | {"model_type": 0, "decoder": gpt(r, vocabulary, pad, 16, r.between(1, 2))}
    return vocabulary, batch, inputs, attributes


def draw_greedy(r):
    _, _, inputs, attributes = greedy_inputs(r)
    return Search("GreedySearch", inputs, attributes)


def draw_sampling(r):
    vocabulary, batch, inputs, attributes = greedy_inputs(r)
    attributes |= {"temperature": r.pick(0.5, 1.0, 2.0), "top_p": r.pick(0.3, 0.6, 0.9), "custom": int(r.chance()), "min_tokens_to_keep": r.between(0, 2)}
    inputs += [None, number(r.between(0, 10000))]
    outputs = trimmed(wanted(r, 1))
    if r.chance(0.7):
        return Search("Sampling", inputs, attributes, outputs, tolerance=1e-3)
    # ONNX Runtime takes all of the penalties off the first score. Here they are taken off its model's logits.
    attributes |= {"temperature": 1.0, "presence_penalty": r.pick(0.5, 2.0)}
    inputs[0], inputs[3] = inputs[0][:1], None
    for i in (5, 6):
        inputs[i] = None if inputs[i] is None else inputs[i][:1]
    plain = Search("Sampling", list(inputs), dict(attributes), outputs)
    inputs[7] = r.ints(0, 2, 1, vocabulary).astype(np.int32)
    decoder = plain.attributes["decoder"] = copy.deepcopy(attributes["decoder"])
    bias = numpy_helper.to_array(decoder.initializer[-1]) - inputs[7][0] * np.float32(attributes["presence_penalty"])
    decoder.initializer[-1].CopyFrom(numpy_helper.from_array(bias.astype(np.float32), decoder.initializer[-1].name))
    return Search("Sampling", inputs, attributes, outputs, tolerance=1e-3, peer=plain)


FAMILIES = {"BeamSearch like GPT-2": draw_beam_gpt, "BeamSearch like T5": draw_beam_t5, "WhisperBeamSearch": draw_whisper, "GreedySearch": draw_greedy,
            "Sampling": draw_sampling}

"""68: what a search over tokens is told of its vocabulary."""

import numpy as np
from onnx import parser

from refusal_cases.building import F, HUGE, one


def add():
    decoder = parser.parse_graph("""d (int32[r,l] input_ids, int32[r,l] position_ids, int32[r,t] attention_mask, float[2,r,1,p,1] past_0) =>
        (float[r,l,4] logits, float[2,r,1,q,1] present_0)
        <float[4,4] w = {1,2,3,4,5,6,7,8,9,8,7,6,5,4,3,2}, int64[3] axes = {0, 2, 4}> {
        logits = Gather(w, input_ids) f = Cast<to = 1>(input_ids) u = Unsqueeze(f, axes) both = Concat<axis = 0>(u, u)
        present_0 = Concat<axis = 3>(past_0, both) }""")
    numbers = [np.array([n], np.int32) for n in (6, 0, 3, 1)]
    for size, expect in ((0, ""), (2, ""), (1, "vocab_size"), (5, "vocabulary"), (HUGE, "vocabulary")):
        one(f"68 beams over a vocabulary of {size}", "BeamSearch", [np.ones((1, 2), np.int32), *numbers, np.array([1], F)], expect, domain="com.microsoft", constants=False,
            decoder=decoder, model_type=0, eos_token_id=0, pad_token_id=0, vocab_size=size)
        one(f"68 tokens of a vocabulary of {size}", "GreedySearch", [np.ones((1, 2), np.int32), *numbers[:2]], expect, domain="com.microsoft", constants=False,
            decoder=decoder, model_type=0, eos_token_id=0, pad_token_id=0, vocab_size=size)

    grown = parser.parse_graph("""d (int32[r,l] input_ids, int32[r,l] position_ids, int32[r,t] attention_mask, float[2,r,1,p,1] past_0) =>
        (float[r,l,v] logits, float[2,r,1,q,1] present_0)
        <float[1] zero = {0}, int64[3] axes = {0, 2, 4}, int64[1] begun = {2}, int64[1] much = {200000}, int64[1] four = {4}> {
        total = Shape<start = 1>(attention_mask) over = Sub(total, begun) more = Mul(over, much) size = Add(more, four)
        rows = Shape(input_ids) whole = Concat<axis = 0>(rows, size) logits = Expand(zero, whole)
        f = Cast<to = 1>(input_ids) u = Unsqueeze(f, axes) both = Concat<axis = 0>(u, u) present_0 = Concat<axis = 3>(past_0, both) }""")
    one("68 beams over a vocabulary that grows", "BeamSearch", [np.ones((1, 2), np.int32), *numbers, np.array([1], F)], "", outputs=3, domain="com.microsoft",
        constants=False, decoder=grown, model_type=0, eos_token_id=0, pad_token_id=0)

"""89: text of strings, which is as much memory as numbers are."""

import numpy as np
from onnx import TensorProto, helper

from refusal_cases.building import I, LIMIT, info, ints, one, whole


def add():
    little = {"max_memory": 32 << 20}
    word, bound = np.array(["a" * (1 << 20)], object), LIMIT
    many = ints(4000)
    for name, op, inputs, attributes in (
            ("expanded", "Expand", [word, many], {}), ("tiled", "Tile", [word, many], {}), ("gathered", "Gather", [word, np.zeros(4000, I)], {}),
            ("chosen", "Where", [np.ones(4000, bool), word, word], {}), ("of one-hot values", "OneHot", [np.zeros(4000, I), I(2), np.repeat(word, 2)], {}),
            ("as padding", "Pad", [np.array(["b"], object), ints(0, 4000), word[0]], {}),
            ("by elements", "GatherElements", [word, np.zeros(4000, I)], {}), ("by tuples", "GatherND", [word, np.zeros((4000, 1), I)], {}),
            ("joined end to end", "StringConcat", [np.repeat(word, 8).reshape(8, 1), np.repeat(word, 8)], {})):
        one(f"89 text that is {name}", op, inputs, bound, constants=False, settings=little, **attributes)
    one("89 labels", "LabelEncoder", [np.zeros(4000, I)], bound, domain="ai.onnx.ml", constants=False, settings=little, keys_int64s=[1], values_strings=["x"],
        default_string=word[0])
    one("89 padding of tokens", "Tokenizer", [np.array(["a" * 5000, "b"], object)], bound, domain="com.microsoft", constants=False, settings=little, mark=0,
        mincharnum=1, pad_value=word[0], tokenexp=".")
    one("89 parts of text", "StringSplit", [np.array(["a " * 4_000_000], object)], bound, constants=False, outputs=2, settings=little)
    one("89 a long separator", "StringSplit", [np.array(["a" * 4_000_000] * 2, object)], "", constants=False, outputs=2, delimiter="a" * 2_000_000 + "b")
    whole("89 text that is joined", [helper.make_node("Concat", ["w"] * 100, ["r"], axis=0, name="it")], None, ["r"], {"w": word}, bound, "Concat", little)
    doubles = [helper.make_node("StringConcat", [f"s{i}", f"s{i}"], [f"s{i + 1}"], name=f"it{i}") for i in range(40)]
    whole("89 text that doubles", doubles, None, ["s40"], {"s0": np.array(["abcdefgh"], object)}, bound, "StringConcat", little)
    kept = helper.make_graph([helper.make_node("Identity", ["c"], ["keep"]), helper.make_node("Identity", ["w"], ["t"])], "body",
                             [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, [])],
                             [info("keep", TensorProto.BOOL, []), info("t", TensorProto.STRING, [1])])
    whole("89 text of every iteration", [helper.make_node("Loop", ["M", "go"], ["r"], name="it", body=kept)], None, ["r"],
          {"M": I(4000), "go": np.bool_(True), "w": word}, bound, "Loop", little)

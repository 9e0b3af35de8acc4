"""90: tables of kernels that are bound for one shape after the other."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from refusal_cases.building import CASES, OPSET, Refusal, element, info, ints


def add():
    many, word, text, number = 50_000, np.array(["q"], object), np.array([format(3**1000, "b").translate({48: "a", 49: "b"})], object), ints(1)
    expression = "[ab]*a[ab]{300}"  # each character leads to another state of its cache
    names, zeros = [str(i) for i in range(many)], [0] * many
    for op, domain, start, attributes in (
            ("StringNormalizer", "", word, {"stopwords": names}),
            ("TfIdfVectorizer", "", number, {"mode": "TF", "min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0, "ngram_counts": [0],
                                             "ngram_indexes": zeros, "pool_int64s": list(range(many))}),
            ("LabelEncoder", "ai.onnx.ml", number, {"keys_int64s": list(range(many)), "values_strings": [""] * many}),
            ("CategoryMapper", "ai.onnx.ml", word, {"cats_int64s": list(range(many)), "cats_strings": names}),
            ("RegexFullMatch", "", text, {"pattern": expression}),
            ("Tokenizer", "com.microsoft", text, {"mark": 0, "mincharnum": 1, "pad_value": "#", "tokenexp": expression})):
        nodes = [helper.make_node("Identity", ["c"], ["keep"]), helper.make_node("Concat", ["s", "s0"], ["t"], axis=0),
                 helper.make_node(op, ["s"], ["u"], domain=domain, **attributes), helper.make_node("Size", ["u"], ["z"])]
        if element(start) == TensorProto.STRING or op == "LabelEncoder":  # else Size needs no more than the shape
            nodes[3:] = [helper.make_node("Unique", ["u"], ["v"]), helper.make_node("Size", ["v"], ["z"])]
        kind = element(start)
        body = helper.make_graph(nodes, "body", [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, []), info("s", kind, None)],
                                 [info("keep", TensorProto.BOOL, []), info("t", kind, None), info("z", TensorProto.INT64, None)])
        rounds = [numpy_helper.from_array(np.int64(60), "M"), numpy_helper.from_array(np.bool_(True), "go")]
        graph = helper.make_graph([helper.make_node("Loop", ["M", "go", "s0"], ["r", "q"], body=body)], "shapes", [info("s0", kind, start.shape)],
                                  [helper.make_empty_tensor_value_info("q")], rounds)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 1 if op == "CategoryMapper" else 5), helper.make_opsetid("com.microsoft", 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        CASES.append(Refusal(f"90 tables for each of many shapes, {op}", model, {"s0": start}, "", op, {"max_plans": 8 << 20}, most=32 << 20))

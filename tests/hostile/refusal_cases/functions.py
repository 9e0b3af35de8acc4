"""91: much of a small file, by calling a function again and again."""

import numpy as np
from onnx import TensorProto, helper

from refusal_cases.building import CASES, F, I, LIMIT, OPSET, Refusal, element, info, one, ones


def add():
    little = {"max_memory": 32 << 20, "timeout": 20}
    long, opsets = "n" * (1 << 18), [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", 5)]
    encoder = helper.make_node("LabelEncoder", ["a"], ["b"], domain="ai.onnx.ml", keys_int64s=list(range(100_000)), values_int64s=list(range(100_000)))
    for name, body, kind in (("names", [helper.make_node("Relu", ["a"], [long]), helper.make_node("Relu", [long], ["b"])], F),
                             ("notes", [helper.make_node("Relu", ["a"], ["b"], doc_string=long)], F), ("attributes", [encoder], I)):
        function = helper.make_function("f", "f", ["a"], ["b"], body, opsets)
        calls = [helper.make_node("f", ["x"], [f"y{k}"], domain="f") for k in range(4000)]
        graph = helper.make_graph(calls, "calls", [info("x", element(np.zeros(1, kind)), [1])], [helper.make_empty_tensor_value_info("y0")])
        model = helper.make_model(graph, functions=[function], opset_imports=[*opsets, helper.make_opsetid("f", 1)], ir_version=10)
        CASES.append(Refusal(f"91 {name} of a function", model, {"x": np.ones(1, kind)}, LIMIT, body[0].op_type, little))
    function = helper.make_function("f", "f", [f"a{k}" for k in range(300_000)], ["b"], [helper.make_node("Relu", ["a0"], ["b"])], opsets)
    calls = [helper.make_node("f", ["x"], [f"y{k}"], domain="f") for k in range(4000)]
    graph = helper.make_graph(calls, "calls", [info("x", TensorProto.FLOAT, [1])], [helper.make_empty_tensor_value_info("y0")])
    model = helper.make_model(graph, functions=[function], opset_imports=[*opsets, helper.make_opsetid("f", 1)], ir_version=10)
    CASES.append(Refusal("91 inputs of a function", model, {"x": ones(1)}, "time", "time", {"timeout": 2}))
    for megabytes, expect in ((12, LIMIT), (64, "")):  # the session's copy, beside a result of 8 MiB
        graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "one", [info("x", TensorProto.FLOAT, [None])], [helper.make_empty_tensor_value_info("y")])
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        helper.set_model_props(model, {"key": "a" * (8 << 20)})
        CASES.append(Refusal(f"91 metadata of 8 MiB, {megabytes} MiB", model, {"x": ones(2 << 20)}, expect, "max_memory", {"max_memory": megabytes << 20}))
    for megabytes, expect in ((40, LIMIT), (160, "")):  # a copy of the file's, one of the session's, one that the kernel reads
        one(f"91 a list of 600,000 empty strings, {megabytes} MiB", "StringNormalizer", [np.array(["a"], object)], expect, constants=False,
            settings={"max_memory": megabytes << 20}, stopwords=[""] * 600_000)

"""40, 46, 76–79: loops without an end, states and outputs that grow, and long products."""

import numpy as np
from onnx import TensorProto, helper

from refusal_cases.building import HUGE, LIMIT, info, ints, loop, ones, whole


def add():
    keep = helper.make_node("Identity", ["c"], ["keep"])
    start = {"s0": ones(1)}
    forever = {"M": np.int64((1 << 63) - 1), "go": np.bool_(True)}
    body = loop([keep, helper.make_node("Add", ["s", "s"], ["t"])], None, ["t"])
    whole("76 a loop without an end", [helper.make_node("Loop", ["M", "go", "s0"], ["r"], name="it", body=body)], None, ["r"], forever | start, "deadline", "Loop")
    body = loop([keep, helper.make_node("Identity", ["s"], ["t"]), helper.make_node("Expand", ["s", "many"], ["u"])], None, ["t", "u"])
    whole("77 growing scan outputs", [helper.make_node("Loop", ["M", "go", "s0"], ["r", "q"], name="it", body=body)], None, ["r", "q"],
          forever | start | {"many": ints(1 << 20)}, LIMIT + "|deadline", "Loop")
    body = loop([keep, helper.make_node("Concat", ["s", "s"], ["t"], axis=0)], None, ["t"])
    whole("78 a state that doubles", [helper.make_node("Loop", ["M", "go", "s0"], ["r"], name="it", body=body)], None, ["r"], forever | start, LIMIT, "Loop")
    parts = [helper.make_node("Loop", ["M", "go", "e"], ["r"], name="it",
                              body=helper.make_graph([keep, helper.make_node("SequenceInsert", ["s", "x"], ["t"])], "body",
                                                     [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, []),
                                                      helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None)],
                                                     [info("keep", TensorProto.BOOL, []), helper.make_tensor_sequence_value_info("t", TensorProto.FLOAT, None)]))]
    whole("77 a sequence that grows", [helper.make_node("Expand", ["s0", "many"], ["x"]), helper.make_node("SequenceEmpty", [], ["e"]), *parts,
                                       helper.make_node("SequenceLength", ["r"], ["n"])], None, ["n"], forever | start | {"many": ints(1 << 20)}, LIMIT + "|deadline", "Loop")
    body = helper.make_graph([helper.make_node("Identity", ["a"], ["b"])], "body", [info("a", TensorProto.FLOAT, None)], [info("b", TensorProto.FLOAT, None)])
    for count in (1 << 31, HUGE, 0, -1):
        whole(f"40 a scan of {count} inputs", [helper.make_node("Scan", ["s0"], ["r"], name="it", body=body, num_scan_inputs=count)], None, ["r"], start,
              "num_scan_inputs|inputs", "Scan")
    # Some 44 tera operations: no machine that a test runs on does them in time.
    products = [helper.make_node("MatMul", [f"a{i}", "a0"], [f"a{i + 1}"], name=f"it{i}") for i in range(64)]
    whole("79 a product that takes too long", [helper.make_node("Expand", ["s0", "size"], ["a0"]), *products], None, ["a64"], start | {"size": ints(7000, 7000)}, "deadline", "MatMul")
    whole("46 of different ranks", [helper.make_node("SequenceConstruct", ["a", "b"], ["s"]), helper.make_node("ConcatFromSequence", ["s"], ["r"], axis=1)], None, ["r"],
          {"a": ones(2, 2), "b": ones(2)}, "join|rank|shape", "ConcatFromSequence")

"""93: elements of a type that the file does not state and an operator does not take."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from refusal_cases.building import CASES, F, OPSET, Refusal, ints, ones


def add():
    byte, many = np.zeros((50, 3), np.int8), {"classlabels_int64s": [1, 2, 3]}
    window = {"kernel_shape": [2, 2], "strides": [2, 2]}
    texts = np.array(["a", "b"] * 40, object)
    for op, domain, inputs, attributes in (
            ("ZipMap", "ai.onnx.ml", [byte], many), ("StringSplit", "", [np.zeros(64, np.uint8)], {"delimiter": ","}), ("StringConcat", "", [byte, byte], {}),
            ("StringNormalizer", "", [np.zeros(64, np.int8)], {}), ("RegexFullMatch", "", [byte], {"pattern": "a"}), ("Gather", "", [ones(9), byte], {}),
            ("GatherND", "", [ones(9, 9, 9), byte], {}), ("ReverseSequence", "", [ones(4, 3), np.zeros(3, np.uint8)], {}),
            ("MaxUnpool", "", [ones(1, 1, 2, 2), np.zeros((1, 1, 2, 2), np.int8)], window), ("DynamicTimeWarping", "com.microsoft", [np.zeros((3, 4), np.uint8)], {}),
            ("QLinearSigmoid", "com.microsoft", [texts, F(1), np.uint8(0), F(1), np.uint8(0)], {}), ("Attention", "", [ones(1, 1, 2, 4), np.zeros((1, 1, 2, 4), np.int8), ones(1, 1, 2, 4)], {}),
            ("DynamicQuantizeLinear", "", [np.zeros(3, np.uint8)], {})):
        feeds = {f"x{k}": np.asarray(x) for k, x in enumerate(inputs)}
        node = helper.make_node(op, list(feeds), ["y"], domain=domain, name="it", **attributes)
        imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("ai.onnx.ml", 5)]
        for way in ("inputs", "elements"):
            nodes, given, ports = [node], dict(feeds), []
            for name, array in feeds.items():
                port = helper.make_tensor_value_info(name, 0, [None] * array.ndim)
                if way == "elements":
                    nodes.insert(0, helper.make_node("SequenceAt", ["s" + name, "zero"], [name]))
                    port = helper.make_tensor_sequence_value_info("s" + name, 0, None)
                    given["s" + name] = [given.pop(name)]
                ports.append(port)
            graph = helper.make_graph(nodes, "types", ports, [helper.make_empty_tensor_value_info("y")], [numpy_helper.from_array(np.int64(0), "zero")])
            model = helper.make_model(graph, opset_imports=imports, ir_version=10)
            CASES.append(Refusal(f"93 {op} of {way} of another type", model, given, "must be|must have the type", op))
    # Types that operators do take, but not every kernel of theirs.
    half = np.ones((64, 4096), np.float16)
    codes = {"cats_strings": [str(k) for k in range(4096)], "cats_int64s": [(1 << 40) + 5 * k for k in range(4096)]}
    weights = [np.full((8, 1, 16), 3, np.uint8), ones(8, 1), np.full((8, 1), 9, np.uint8)]
    recurrent = [ones(2, 1, 2), ones(1, 6, 2), ones(1, 6, 2), ones(1, 12)]
    for op, domain, inputs, untyped, expect, attributes in (
            ("LayerNormalization", "", [half, half[0]], (0, 1), "", {}), ("RMSNormalization", "", [half, half[0]], (1,), "", {}),
            ("CategoryMapper", "ai.onnx.ml", [np.array(["a"] * 2000, object)], (0,), "declare them", codes), ("Col2Im", "", [np.ones((1, 4, 1), bool), ints(2, 2), ints(2, 2)], (0,), "added", {}),
            *(("MatMulNBits", "com.microsoft", [ones(1, 32), *weights], (k,), "", {"K": 32, "N": 8, "bits": 4, "block_size": 32}) for k in (1, 2, 3)),
            ("GRU", "", recurrent, (3,), "", {"hidden_size": 2})):
        arrays = {f"x{k}": np.asarray(x) for k, x in enumerate(inputs)}
        ports = [helper.make_tensor_value_info(f"x{k}", 0, [None] * arrays[f"x{k}"].ndim) for k in untyped]
        kept = [numpy_helper.from_array(array, name) for name, array in arrays.items() if int(name[1:]) not in untyped]
        graph = helper.make_graph([helper.make_node(op, list(arrays), ["y"], domain=domain, name="it", **attributes)], "types", ports,
                                  [helper.make_empty_tensor_value_info("y")], kept)
        imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1), helper.make_opsetid("ai.onnx.ml", 5)]
        feeds = {f"x{k}": arrays[f"x{k}"] for k in untyped}
        CASES.append(Refusal(f"93 {op} of a late type {untyped}", helper.make_model(graph, opset_imports=imports, ir_version=10), feeds, expect, op))
    nodes = [helper.make_node("Concat", ["x0"], ["y"], axis=0, name="it"), helper.make_node("StringConcat", ["y", "y"], ["z"])]
    ports = [helper.make_tensor_value_info(n, t, [None]) for n, t in (("x0", 0), ("y", TensorProto.STRING))]
    graph = helper.make_graph(nodes, "types", ports[:1], [ports[1], helper.make_empty_tensor_value_info("z")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    CASES.append(Refusal("93 an output declared as another type", model, {"x0": ones(9)}, "declared as", "Concat"))

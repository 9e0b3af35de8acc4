#!/usr/bin/env python3
"""Features of the format that are no operators: IR versions, functions, defaults, sparse tensors, shared dims, imports.

    features.py [--library FILE]

Each check builds a model, runs it through the C interface and compares with what it must give, or with the reason for which it must be refused."""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).parent))

from native import Library, RunError  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
FLOAT = TensorProto.FLOAT
CHECKS = []
X = np.array([1, -2, 3], dtype=np.float32)


def check(function):
    CHECKS.append(function)
    return function


def port(name, shape=(3,), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs=("x",), outputs=("y",), ir=10, opset=21, imports=(), functions=(), initializers=(), sparse=()):
    graph = helper.make_graph(list(nodes), "g", [p if isinstance(p, onnx.ValueInfoProto) else port(p) for p in inputs],
                              [p if isinstance(p, onnx.ValueInfoProto) else port(p, None) for p in outputs], list(initializers), sparse_initializer=list(sparse))
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, v) for d, v in imports)]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=ir)


def node(op, inputs, outputs, domain="", overload="", **attributes):
    result = helper.make_node(op, inputs, outputs, domain=domain, **attributes)
    if overload:
        result.overload = overload
    return result


def function(name, inputs, outputs, nodes, attributes=(), defaults=(), overload="", opset=21, imports=(("f", 1),)):
    result = helper.make_function("f", name, inputs, outputs, nodes, [helper.make_opsetid("", opset), *(helper.make_opsetid(d, v) for d, v in imports)],
                                  list(attributes), list(defaults))
    result.overload = overload
    return result


def reference(attribute, name, kind):
    """An attribute of a node in a function that takes the value of the function's."""
    return onnx.AttributeProto(name=attribute, ref_attr_name=name, type=kind)


def with_reference(made, *references):
    made.attribute.extend(references)
    return made


def same(got, *wanted):
    assert len(got) == len(wanted), f"{len(got)} outputs, expected {len(wanted)}"
    for a, b in zip(got, wanted):
        np.testing.assert_array_equal(a, b)


def refused(library, made, feeds, *words):
    try:
        library.run(made.SerializeToString(), feeds)
    except RunError as error:
        missing = [word for word in words if word not in str(error)]
        assert not missing, f"the error does not say {missing}: {error}"
        return
    raise AssertionError("it was not refused")


@check
def every_ir_version(library):
    for ir in range(1, 15):
        weight = numpy_helper.from_array(np.array([10, 20, 30], dtype=np.float32), "w")
        made = model([node("Add", ["x", "w"], ["y"])], ["x", "w"] if ir < 4 else ["x"], ir=ir, opset=min(7 + ir, 21), initializers=[weight])
        if ir < 3:
            del made.opset_import[:]  # came with version 3; without it the first opset holds
        same(library.run(made.SerializeToString(), {"x": X}), X + [10, 20, 30])


@check
def later_ir_versions_are_read_or_refused_by_name(library):
    made = model([node("Neg", ["x"], ["y"])], ir=10)
    made.ir_version = 99
    try:
        same(library.run(made.SerializeToString(), {"x": X}), -X)
    except RunError as error:
        assert "99" in str(error), str(error)


@check
def initializers_that_are_inputs_are_defaults(library):
    weight = numpy_helper.from_array(np.array([1, 1, 1], dtype=np.float32), "w")
    made = model([node("Mul", ["x", "w"], ["y"])], ["x", "w"], initializers=[weight])
    same(library.run(made.SerializeToString(), {"x": X}), X)
    same(library.run(made.SerializeToString(), {"x": X, "w": X}), X * X)
    shape = numpy_helper.from_array(np.array([3, 1], dtype=np.int64), "s")
    made = model([node("Reshape", ["x", "s"], ["y"])], ["x", port("s", (2,), TensorProto.INT64)], initializers=[shape])
    same(library.run(made.SerializeToString(), {"x": X}), X.reshape(3, 1))
    same(library.run(made.SerializeToString(), {"x": X, "s": np.array([1, 3])}), X.reshape(1, 3))


@check
def initializers_may_be_outputs(library):
    weight = numpy_helper.from_array(X, "w")
    made = model([node("Neg", ["x"], ["y"])], outputs=["y", "w"], initializers=[weight])
    same(library.run(made.SerializeToString(), {"x": X}), -X, X)
    made = model([node("Neg", ["x"], ["y"])], outputs=["y", "x"])
    same(library.run(made.SerializeToString(), {"x": X}), -X, X)


@check
def sparse_initializers(library):
    for places in (np.array([1, 5], dtype=np.int64), np.array([[0, 1], [1, 2]], dtype=np.int64)):
        values = numpy_helper.from_array(np.array([7, 8], dtype=np.float32), "w")
        sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(places, "i"), [2, 3])
        made = model([node("Add", ["x", "w"], ["y"])], sparse=[sparse])
        same(library.run(made.SerializeToString(), {"x": X}), X + np.array([[0, 7, 0], [0, 0, 8]], dtype=np.float32))
    # None set, and all kinds of elements.
    for dtype in (np.float64, np.int32, np.uint8, np.float16, bool, np.complex64):
        values = numpy_helper.from_array(np.array([1], dtype=dtype), "w")
        sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(np.array([2], dtype=np.int64), "i"), [4])
        made = model([node("Identity", ["w"], ["y"])], [], [onnx.ValueInfoProto(name="y")], sparse=[sparse])
        same(library.run(made.SerializeToString(), {}), np.array([0, 0, 1, 0]).astype(dtype))


@check
def symbolic_dims_are_shared(library):
    made = model([node("Concat", ["a", "b"], ["y"], axis=1)], [port("a", ("n", 2)), port("b", ("n", 1))])
    one, two = np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)
    same(library.run(made.SerializeToString(), {"a": one, "b": two}), np.ones((4, 3), np.float32))
    refused(library, made, {"a": one, "b": np.ones((5, 1), np.float32)}, "n", "4", "5")
    refused(library, made, {"a": np.ones((4, 3), np.float32), "b": two}, "2", "3")
    refused(library, made, {"a": np.ones((4,), np.float32), "b": two}, "a")


@check
def functions_call_functions(library):
    inner = function("Twice", ["a"], ["b"], [node("Add", ["a", "a"], ["b"])])
    outer = function("Four", ["a"], ["b"], [node("Twice", ["a"], ["t"], "f"), node("Twice", ["t"], ["b"], "f")])
    made = model([node("Four", ["x"], ["t"], "f"), node("Twice", ["t"], ["y"], "f")], imports=[("f", 1)], functions=[outer, inner])
    same(library.run(made.SerializeToString(), {"x": X}), X * 8)


@check
def functions_pass_attributes_on(library):
    scale = function("Leak", ["a"], ["b"], [with_reference(node("LeakyRelu", ["a"], ["b"]), reference("alpha", "slope", onnx.AttributeProto.FLOAT))], ["slope"])
    made = model([node("Leak", ["x"], ["y"], "f", slope=0.5)], imports=[("f", 1)], functions=[scale])
    same(library.run(made.SerializeToString(), {"x": X}), np.where(X < 0, X * np.float32(0.5), X))
    # Through two levels, under different names.
    outer = function("Outer", ["a"], ["b"], [with_reference(node("Leak", ["a"], ["b"], "f"), reference("slope", "s", onnx.AttributeProto.FLOAT))], ["s"])
    made = model([node("Outer", ["x"], ["y"], "f", s=0.25)], imports=[("f", 1)], functions=[outer, scale])
    same(library.run(made.SerializeToString(), {"x": X}), np.where(X < 0, X * np.float32(0.25), X))
    # Left out, the attribute is absent inside as well.
    made = model([node("Leak", ["x"], ["y"], "f")], imports=[("f", 1)], functions=[scale])
    same(library.run(made.SerializeToString(), {"x": X}), np.where(X < 0, X * np.float32(0.01), X))


@check
def functions_have_default_attributes(library):
    scale = function("Leak", ["a"], ["b"], [with_reference(node("LeakyRelu", ["a"], ["b"]), reference("alpha", "slope", onnx.AttributeProto.FLOAT))],
                     defaults=[helper.make_attribute("slope", 0.125)])
    made = model([node("Leak", ["x"], ["t"], "f"), node("Leak", ["x"], ["u"], "f", slope=0.5), node("Add", ["t", "u"], ["y"])], imports=[("f", 1)], functions=[scale])
    same(library.run(made.SerializeToString(), {"x": X}), np.where(X < 0, X * np.float32(0.625), X * 2))


@check
def functions_are_overloaded(library):
    plus, minus = (function("Op", ["a"], ["b"], [node(op, ["a"], ["b"])], overload=name) for op, name in (("Abs", "abs"), ("Neg", "neg")))
    made = model([node("Op", ["x"], ["t"], "f", "abs"), node("Op", ["t"], ["y"], "f", "neg")], imports=[("f", 1)], functions=[plus, minus])
    same(library.run(made.SerializeToString(), {"x": X}), -np.abs(X))
    made = model([node("Op", ["x"], ["y"], "f", "none")], imports=[("f", 1)], functions=[plus, minus])
    refused(library, made, {"x": X}, "Op")


@check
def functions_have_opsets_of_their_own(library):
    old = function("Soft", ["a"], ["b"], [node("Softmax", ["a"], ["b"])], opset=11)  # over all axes from 1 on
    made = model([node("Soft", ["x"], ["y"], "f")], [port("x", (1, 2, 2))], imports=[("f", 1)], functions=[old])
    (y,) = library.run(made.SerializeToString(), {"x": np.zeros((1, 2, 2), np.float32)})
    np.testing.assert_allclose(y, np.full((1, 2, 2), 0.25))


@check
def functions_hold_bodies_and_optional_values(library):
    then = helper.make_graph([node("Mul", ["a", "k"], ["o"])], "t", [], [port("o", None)])
    other = helper.make_graph([with_reference(node("LeakyRelu", ["a"], ["o"]), reference("alpha", "slope", onnx.AttributeProto.FLOAT))], "e", [], [port("o", None)])
    choose = function("Choose", ["a", "c", "unused"], ["b", "d"], [node("Add", ["a", "a"], ["k"]), node("If", ["c"], ["b"], then_branch=then, else_branch=other), node("Neg", ["a"], ["d"])],
                      ["slope"])
    made = model([node("Choose", ["x", "c"], ["y", ""], "f", slope=0.5)], ["x", port("c", (), TensorProto.BOOL)], imports=[("f", 1)], functions=[choose])
    same(library.run(made.SerializeToString(), {"x": X, "c": np.array(True)}), X * X * 2)
    same(library.run(made.SerializeToString(), {"x": X, "c": np.array(False)}), np.where(X < 0, X * np.float32(0.5), X))


@check
def functions_that_call_themselves_are_refused(library):
    loop = function("Loop", ["a"], ["b"], [node("Loop", ["a"], ["b"], "f")])
    refused(library, model([node("Loop", ["x"], ["y"], "f")], imports=[("f", 1)], functions=[loop]), {"x": X}, "Loop")


@check
def unused_and_unknown_imports(library):
    made = model([node("Neg", ["x"], ["y"])], imports=[("somebody.else", 7), ("ai.onnx.ml", 3), ("com.microsoft", 1)])
    same(library.run(made.SerializeToString(), {"x": X}), -X)
    refused(library, model([node("Thing", ["x"], ["y"], "somebody.else")], imports=[("somebody.else", 7)]), {"x": X}, "Thing", "somebody.else")


@check
def both_spellings_of_the_default_domain(library):
    made = model([node("Neg", ["x"], ["y"], "ai.onnx")])
    same(library.run(made.SerializeToString(), {"x": X}), -X)


@check
def complex_numbers(library):
    z = np.array([[1 + 2j, -1j], [3, 0.5 - 4j]])
    for dtype in (np.complex64, np.complex128):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        made = model([node("Transpose", ["x"], ["t"]), node("Concat", ["t", "x"], ["u"], axis=0), node("Gather", ["u", "i"], ["y"])], [port("x", (2, 2), kind)], [port("y", None, kind)],
                     initializers=[numpy_helper.from_array(np.array([3, 0]), "i")])
        same(library.run(made.SerializeToString(), {"x": z.astype(dtype)}), np.concatenate([z.T, z])[[3, 0]].astype(dtype))


@check
def outputs_that_a_kernel_makes_beside_planned_ones(library):
    words, text = np.array(["a b", "", "c"], dtype=object), port("x", (3,), TensorProto.STRING)
    counts = [node("Transpose", ["n"], ["y"], perm=[0]), node("Mul", ["n", "n"], ["z"])]
    plain = [onnx.ValueInfoProto(name=name) for name in ("y", "z")]
    for first in ("p", ""):
        made = model([node("StringSplit", ["x"], [first, "n"]), *counts], [text], plain)
        for level in range(4):
            same(library.run(made.SerializeToString(), {"x": words}, {"level": level}), np.array([2, 0, 1]), np.array([4, 0, 1]))
    # Known sizes that the file declares for what only the kernel knows.
    image = np.frombuffer(b"P6 2 1 255\n\x0a\x14\x1e\x28\x32\x3c", dtype=np.uint8)
    made = model([node("ImageDecoder", ["x"], ["y"])], [port("x", ("n",), TensorProto.UINT8)], [port("y", (1, 2, 3), TensorProto.UINT8)])
    same(library.run(made.SerializeToString(), {"x": image}), np.array([[[10, 20, 30], [40, 50, 60]]], dtype=np.uint8))


@check
def seeds_give_the_same_numbers_on_any_number_of_threads(library):
    shape = [700, 500]
    for op in ("RandomNormal", "RandomUniform"):
        made = model([node(op, [], ["y"], seed=3.0, shape=shape)], [])
        results = [library.run(made.SerializeToString(), {}, {"threads": threads})[0] for threads in (1, 2, 3)]
        for other in results[1:]:
            np.testing.assert_array_equal(results[0], other)
    # Without one, runs and nodes differ.
    made = model([node("RandomNormal", [], ["y"], shape=shape), node("RandomNormal", [], ["z"], shape=shape)], [], ["y", "z"])
    y, z = library.run(made.SerializeToString(), {})
    assert (y != z).mean() > 0.99


def run_all(library):
    """The names of the checks that failed, each with why."""
    failed = []
    for function_ in CHECKS:
        try:
            function_(library)
        except (AssertionError, RunError) as error:
            failed.append(f"{function_.__name__}: {' '.join(str(error).split())[:500]}")
    return failed


def main():
    parser = argparse.ArgumentParser(description="Check features of the format that are no operators.")
    parser.add_argument("--library", type=Path, default=ROOT / "build/release/lib/libonnxrun.so")
    options = parser.parse_args()
    failed = run_all(Library(options.library))
    for line in failed:
        print(line)
    print(f"{len(CHECKS) - len(failed)} checks passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs models with different values of an option: every output must be the same to the last bit.

    exact.py PATH... --library FILE [--vary level=none,basic] [--setting KEY=VALUE]... [--filter REGEX] [--show]

PATH is the official suite, whose cases have inputs of their own, or a folder of <name>/model.onnx, whose inputs are drawn as tests/models
draws them. A model with operators that draw random numbers, whose outputs differ from run to run with one value, is left out; NaNs are equal
whatever their bits.

Last line: N equal, N different, N random, N refused with all values. Exit code 0 when none differs.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "operators"), str(TESTS / "models")]

import inputs  # noqa: E402
from native import OPTIONAL, SEQUENCE, TENSOR, Encoded, Library, RunError  # noqa: E402


# Models that may differ within rounding, each with its reason.
ROUNDED = dict.fromkeys(
    ("real/test_densenet121", "light_densenet121"),
    "weights that the file computes are packed once they are constant, for a kernel that sums in another order",
)


# Operators whose results nobody can foresee.
RANDOM = {"Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Sampling"}


def draws_random_numbers(graph):
    return any(node.op_type in RANDOM or any(draws_random_numbers(body) for a in node.attribute for body in (a.g, *a.graphs)) for node in graph.node)


def near(a, b):
    return all(x.shape == y.shape and np.allclose(x, y, rtol=1e-5, atol=1e-6) for x, y in zip(a, b))


def same(a, b):
    if a is None or b is None or isinstance(a, list) or isinstance(b, list):
        if isinstance(a, list) and isinstance(b, list):
            return len(a) == len(b) and all(map(same, a, b))
        return a is None and b is None
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype == object or a.tobytes() == b.tobytes():
        return bool(np.all(a == b)) if a.dtype == object else True
    with np.errstate(invalid="ignore"):
        nans = a != a
        return bool(np.array_equal(nans, b != b)) and a[~nans].tobytes() == b[~nans].tobytes()


def suite_case(path):
    """[{name: value}] of the case's data sets."""
    model = onnx.load(path, load_external_data=False)
    known = {tensor.name for tensor in model.graph.initializer}
    ports = [port for port in model.graph.input if port.name not in known]
    kinds = {"tensor_type": TENSOR, "sequence_type": SEQUENCE, "optional_type": OPTIONAL}
    for folder in sorted(path.parent.glob("test_data_set_*")):
        yield {
            port.name: Encoded((folder / f"input_{i}.pb").read_bytes(), kinds[port.type.WhichOneof("value")])
            for i, port in enumerate(ports)
            if (folder / f"input_{i}.pb").exists()
        }


def drawn(path):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    described = inputs.own_description(path) is not None
    session = None if described else onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    description = inputs.describe(path.parent.name, path, session)
    for size in description["sizes"]:
        yield inputs.draw(description, size, 1)


def judge(library, path, name, feeds, options):
    data = path.read_bytes()

    def outcome(value):
        settings = {"external_root": str(path.parent)} | dict(options.setting) | {options.vary[0]: value}
        try:
            return library.run(data, feeds, settings)
        except RunError as error:
            return str(error)

    values = options.vary[1]
    first, *others = map(outcome, values)
    if isinstance(first, str) or any(isinstance(other, str) for other in others):
        return "refused" if all(isinstance(one, str) for one in (first, *others)) else "different"
    rounded = options.vary[0] == "level" and name in ROUNDED
    if all(same(first, other) or (rounded and near(first, other)) for other in others):
        return "equal"
    return "random" if not same(first, outcome(values[0])) and random_model(path) else "different"


def random_model(path):
    model = onnx.load(path, load_external_data=False)
    return draws_random_numbers(model.graph) or any(draws_random_numbers(function) for function in model.functions)


def varied(text):
    key, values = text.split("=")
    return key, values.split(",")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("paths", type=Path, nargs="+")
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--vary", type=varied, default="level=none,basic", metavar="KEY=VALUE,VALUE...")
    parser.add_argument("--setting", type=lambda text: text.split("=", 1), action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--filter", default="")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    library = Library(options.library)
    counts = dict.fromkeys(("equal", "different", "random", "refused"), 0)
    for root in options.paths:
        for path in sorted([*root.glob("*/model.onnx"), *root.glob("*/*/model.onnx")]):
            name = str(path.relative_to(root).parent)
            if not re.search(options.filter, name):
                continue
            for feeds in suite_case(path) if any(path.parent.glob("test_data_set_*")) else drawn(path):
                verdict = judge(library, path, name, feeds, options)
                counts[verdict] += 1
                if verdict == "different" or (options.show and verdict != "equal"):
                    print(f"{verdict}: {name}", flush=True)
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + " with all values")
    if sum(counts.values()) == 0:
        print("no model found")
        return 2
    return 1 if counts["different"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""Judges the suite's Bernoulli cases by type, shape, support, repetition and the frequency of ones, as the numbers of other generators say nothing."""

import re
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "operators"))

from native import Library, RunError  # noqa: E402

RANDOM = re.compile(r"^node/test_bernoulli")
RUNS = 400
SLACK = 6  # standard deviations


def is_random(name):
    return RANDOM.search(name) is not None


def tensors(folder, kind):
    result = []
    for path in sorted(folder.glob(f"{kind}_*.pb")):
        tensor = onnx.TensorProto()
        tensor.ParseFromString(path.read_bytes())
        result.append(numpy_helper.to_array(tensor))
    return result


def judge(library, folder, arguments=()):
    """What is wrong with the case in `folder`, or None. `arguments` are those of onnx-run, of which --level is obeyed."""
    model = onnx.load(folder / "model.onnx")
    names = [port.name for port in model.graph.input]
    inputs, wanted = tensors(folder / "test_data_set_0", "input"), tensors(folder / "test_data_set_0", "output")
    if len(inputs) != 1 or len(wanted) != 1:
        return "the case does not have one input and one output"
    settings = {"level": a.split("=")[1] for a in arguments if a.startswith("--level=")}
    seeded = any(attribute.name == "seed" for node in model.graph.node for attribute in node.attribute)
    native, total, first = Library(library), np.zeros(wanted[0].shape), None
    for _ in range(RUNS):
        try:
            (y,) = native.run(model.SerializeToString(), {names[0]: inputs[0]}, settings)
        except RunError as error:
            return str(error)
        if y.dtype != wanted[0].dtype or y.shape != wanted[0].shape:
            return f"{y.dtype}{list(y.shape)}, expected {wanted[0].dtype}{list(wanted[0].shape)}"
        if not np.isin(y, (0, 1)).all():
            return "there are values beside 0 and 1"
        first = y if first is None else first
        if seeded and (y != first).any():
            return "with a seed, two runs differ"
        total += y
    p, runs = inputs[0].astype(np.float64), 1 if seeded else RUNS
    # The function body that the standard gives asks whether a uniform number is greater than p, which it is with 1 - p.
    if any(node.op_type == "Greater" for node in model.graph.node):
        p = 1 - p
    if not seeded and (np.abs(total / RUNS - p) > SLACK * np.sqrt(p * (1 - p) / RUNS) + 1e-9).any():
        return f"ones come at {total / RUNS}, expected {p}"
    ones = first.sum() if seeded else total.sum()
    if abs(ones - runs * p.sum()) > SLACK * np.sqrt(runs * (p * (1 - p)).sum()):
        return f"{ones} ones in {runs} runs, expected about {runs * p.sum()}"
    return None

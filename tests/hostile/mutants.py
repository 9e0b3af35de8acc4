#!/usr/bin/env python3
"""Runs changed copies of the official suite's models: none may crash, hang or end in an internal error.

    mutants.py SUITE_DIR [--library FILE] [--count N] [--first SEED] [--filter REGEX] [--compare] [--plugin FILE] [--unlimited] [--keep FOLDER]

Each is a model of the suite with one to four changes to its structure or, for every fourth, to its bytes or those of an input (mutations.py), run
at a random level in a child process with a limited address space. Models that did something wrong are written to FOLDER with their inputs.
With --compare what ran, where its numbers are not extreme, is run again as it is written on the plainest kernels (level none, kernels=reference) and
has to give the same: integers and strings exactly, floats within rounding.
--unlimited sets no limit of addresses, as sanitizers need it; --plugin runs on the provider of that library before the CPU's.

Last line: counts. Exit code 1 when any did something wrong."""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import onnx

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests/operators")]

from mutations import damage, mutate  # noqa: E402
from native import OPTIONAL, SEQUENCE, Encoded, Library, RunError  # noqa: E402
from sandbox import Sandbox  # noqa: E402

MEMORY, SECONDS = 1 << 30, 5
PLAIN = {"level": 0, "kernels": "reference"}
DIFFERS = "differs:"
DRAWN = re.compile(rb"Random|Bernoulli|Multinomial|Dropout|Sampling")
MESSAGES = {"tensor_type": (onnx.TensorProto, None), "sequence_type": (onnx.SequenceProto, SEQUENCE), "optional_type": (onnx.OptionalProto, OPTIONAL)}


def seeds(suite, pattern):
    """Folders of models small enough to be changed thousands of times."""
    found = sorted(path.parent for path in suite.glob("*/*/model.onnx") if path.stat().st_size < 200_000)
    return [folder for folder in found if (folder / "test_data_set_0").is_dir() and re.search(pattern, folder.name)]


def read(folder):
    model = onnx.load(folder / "model.onnx")
    feeds = {}
    for k, port in enumerate(model.graph.input):
        path = folder / f"test_data_set_0/input_{k}.pb"
        kind = port.type.WhichOneof("value")
        if not path.exists() or kind not in MESSAGES:
            continue
        message, number = MESSAGES[kind]
        value = message()
        value.ParseFromString(path.read_bytes())
        if number is None:
            value.name = port.name
            feeds[port.name] = value
        else:
            feeds[port.name] = Encoded(path.read_bytes(), number)
    return model, feeds


def tame(model, feeds):
    """Whether all numbers are far from the largest: where they are not, any order of sums and any precision inside a kernel shows."""
    tensors = [value for value in feeds.values() if isinstance(value, onnx.TensorProto)] + list(model.graph.initializer)
    numbers = []
    for node in model.graph.node:
        for attribute in node.attribute:
            tensors += [attribute.t] if attribute.HasField("t") else []
            numbers += [attribute.f, *attribute.floats]
    for tensor in tensors:
        try:
            array = onnx.numpy_helper.to_array(tensor)
        except Exception:  # malformed, and refused
            continue
        if array.dtype.kind == "f" or array.dtype.name == "bfloat16":
            numbers.extend(np.abs(array.astype(np.float64)).max(initial=0.0, keepdims=True).ravel())
    return all(np.isfinite(number) and abs(number) < 1e15 for number in numbers)


def make(folder, seed):
    rng = np.random.default_rng(seed)
    model, feeds = read(folder)
    flips = rng.random() < 0.25
    if not flips:
        model, feeds = mutate(model, feeds, rng)
    comparable = not flips and tame(model, feeds)
    data = model.SerializeToString()
    encoded = {name: value if isinstance(value, Encoded) else Encoded(value.SerializeToString()) for name, value in feeds.items()}
    if flips and encoded and rng.random() < 0.2:
        name = sorted(encoded)[int(rng.integers(len(encoded)))]
        encoded[name] = Encoded(damage(encoded[name].data, rng), encoded[name].kind)
    elif flips:
        data = damage(data, rng)
    return data, encoded, int(rng.integers(0, 4)), comparable


def difference(a, b):
    """How two results of one type differ beyond rounding; None where they do not."""
    if isinstance(a, (list, tuple)) or isinstance(b, (list, tuple)):
        if type(a) is not type(b) or len(a) != len(b):
            return "sequences of different lengths"
        return next(filter(None, map(difference, a, b)), None)
    if isinstance(a, dict) or a is None or b is None:
        return None if a == b or isinstance(a, dict) else "one is absent"
    if a.dtype != b.dtype or a.shape != b.shape:
        return f"{a.dtype}{list(a.shape)} and {b.dtype}{list(b.shape)}"
    if a.dtype == object or a.dtype.kind in "biuSUO":
        return None if np.array_equal(a, b) else "other elements"
    step = {2: 1e-2, 1: 0.2}.get(a.dtype.itemsize, 1e-3)  # rounding of the type, and of sums in another order
    x, y = (v.astype(np.complex128 if v.dtype.kind == "c" else np.float64) for v in (a, b))
    with np.errstate(all="ignore"):
        finite = np.abs(y[np.isfinite(y)])
        close = np.isclose(x, y, rtol=step, atol=step * min(1.0, float(finite.max(initial=0.0))) + 1e-30, equal_nan=True)
    return None if close.all() else f"{x[~close][0]!r} and {y[~close][0]!r}, {int((~close).sum())} of {close.size} elements"


def keep(folder, name, model, feeds):
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(model)
    for k, (port, value) in enumerate(feeds.items()):
        (target / f"{k}_{re.sub('[^A-Za-z0-9]', '_', port)}.pb").write_bytes(value.data)


def main():
    parser = argparse.ArgumentParser(description="Run changed copies of the official suite's models.")
    parser.add_argument("suite", type=Path)
    parser.add_argument("--library", type=Path, default=ROOT / "build/release/lib/libonnxrun.so")
    parser.add_argument("--plugin", type=Path)
    parser.add_argument("--count", type=int, default=1500, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--unlimited", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    folders = seeds(options.suite, options.filter)
    if not folders:
        print(f"error: {options.suite} has no cases; ./dev fetch conformance makes them", file=sys.stderr)
        return 2
    if not options.library.exists():
        print(f"error: there is no {options.library}", file=sys.stderr)
        return 2

    def prepare():
        library = Library(options.library)
        settings = {"max_memory": MEMORY, "threads": 2} | ({"providers": "late,cpu"} if options.plugin else {})

        def work(job):
            model, feeds, level, comparable = job
            try:
                results = library.run(model, feeds, settings | {"level": level}, plugin=options.plugin, timeout=SECONDS)
            except RunError as error:
                return str(error)
            except Exception as error:  # results that Python cannot show
                return f"unread: {type(error).__name__}"
            if not options.compare or not comparable or DRAWN.search(model):
                return None
            try:
                plain = library.run(model, feeds, settings | PLAIN, timeout=SECONDS)
            except RunError as error:
                return None if "deadline" in str(error) else f"{DIFFERS} as it is written it fails: {' '.join(str(error).split())[:200]}"
            found = difference(list(results), list(plain))
            return found and f"{DIFFERS} {found}"

        return work

    sandbox = Sandbox(prepare, 0 if options.unlimited else 6 << 30, 10 * SECONDS if options.unlimited else 3 * SECONDS)
    tally, wrong = Counter(), 0
    for seed in range(options.first, options.first + options.count):
        folder = folders[seed % len(folders)]
        try:
            model, feeds, level, comparable = make(folder, seed)
        except Exception as error:
            tally["not made"] += 1
            print(f"seed {seed} ({folder.name}): {type(error).__name__}: {error}")
            wrong += 1
            continue
        problem, message = sandbox((model, feeds, level, comparable))
        if problem is None and message and "internal error" in message:
            problem = f"internal error: {' '.join(message.split())[:300]}"
        if problem is None and message and message.startswith(DIFFERS):
            problem = message
        tally["wrong" if problem else "refused" if message else "ran"] += 1
        if problem:
            wrong += 1
            print(f"seed {seed} ({folder.name}, level {level}) {problem}", flush=True)
            if options.keep:
                keep(options.keep, f"{seed}_{folder.name}", model, feeds)
    sandbox.stop()
    print(f"{options.count} mutants of {len(folders)} models: {', '.join(f'{n} {what}' for what, n in sorted(tally.items()))}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

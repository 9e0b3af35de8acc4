#!/usr/bin/env python3
"""Writes the models of the official suite anew and holds the files against ONNX's checker, their own results and ONNX Runtime.

    roundtrip.py SUITE_DIR [--models DIR] [--cli FILE] [--tool FILE] [--sample N] [--filter REGEX] [--jobs N]

Each case that onnx-run passes is written with `onnx-run convert` as it is and with --portable, and at the lowest opset in which it has an exact form:
  - onnx.checker takes each file (full_check), and protobuf reads it and writes the same bytes
  - onnx-run gives the expected outputs with each
  - ONNX Runtime gives the same with the portable file as with the original, where it runs that
  - read back from every opset in which it has an exact form, the graph is the one it was (the tool `roundtrip`); also for the models of --models
--sample takes every so-manieth case so that about N remain. Prints each deviation; exit code 0 without any, 1 otherwise.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/conformance"))
import run as suite_run  # noqa: E402, and before what has a run of its own
import distribution  # noqa: E402

# What cannot be written so, with the reason; onnx-run's message must contain it.
NOT_PORTABLE = re.compile("is not portable|which portable files do not have|has no exact form at opset 26|ONNX does not define this operator")
SHOWN = 60


def call(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, errors="replace", timeout=900)


def check_file(path):
    """What onnx.checker and protobuf say against a file."""
    import onnx

    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # noqa: BLE001
        return f"onnx.checker: {' '.join(str(error).split())[:300]}"
    content = path.read_bytes()
    model = onnx.ModelProto()
    model.ParseFromString(content)
    if model.SerializeToString(deterministic=True) != content:
        return "protobuf writes other bytes"
    return None


def to_array(proto_bytes, kind):
    import onnx
    from onnx import numpy_helper

    if kind.HasField("tensor_type"):
        tensor = onnx.TensorProto()
        tensor.ParseFromString(proto_bytes)
        return numpy_helper.to_array(tensor)
    if kind.HasField("sequence_type"):
        sequence = onnx.SequenceProto()
        sequence.ParseFromString(proto_bytes)
        return numpy_helper.to_list(sequence)
    raise ValueError("an input of a kind that is not compared")


def peer_outputs(path, inputs):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


def same(a, b):
    import numpy as np

    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if a is None or b is None or isinstance(a, dict):
        return a == b
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.kind in "fc":
        return np.allclose(a, b, rtol=1e-5, atol=1e-6, equal_nan=True)
    return bool((a == b).all())


def compare_peer(original, portable, case):
    """(whether ONNX Runtime runs the original, what it computes differently with the portable file)."""
    import onnx

    model = onnx.load(str(original), load_external_data=False)
    if any(n.op_type in ("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout") for n in model.graph.node):
        return False, None
    initialized = {i.name for i in model.graph.initializer}
    names = [i for i in model.graph.input if i.name not in initialized] or list(model.graph.input)
    try:
        inputs = {i.name: to_array((case / f"input_{k}.pb").read_bytes(), i.type) for k, i in enumerate(names) if (case / f"input_{k}.pb").exists()}
        expected = peer_outputs(original, inputs)
    except Exception:  # noqa: BLE001
        return False, None
    try:
        found = peer_outputs(portable, inputs)
    except Exception as error:  # noqa: BLE001
        return True, f"ONNX Runtime does not run the portable file: {' '.join(str(error).split())[:300]}"
    return True, None if same(list(expected), list(found)) else "ONNX Runtime computes other values with the portable file"


def write_case(job):
    """Writes one case as it is and portably; returns (problems, whether there is a portable form, whether ONNX Runtime compared it)."""
    cli, source, folder, name = job
    problems, compared = [], False
    plain, portable = folder / "plain" / name / "model.onnx", folder / "portable" / name / "model.onnx"
    for target, flags in ((plain, []), (portable, ["--portable"])):
        target.parent.mkdir(parents=True)
        done = call(cli, "convert", source / "model.onnx", "-o", target, *flags)
        if done.returncode != 0:
            if not (flags and NOT_PORTABLE.search(done.stderr)):
                problems.append(f"{name}: convert {' '.join(flags)}: {done.stderr.splitlines()[0][:300] if done.stderr else done.returncode}")
            continue
        problem = check_file(target)
        if problem and not (problem == check_file(source / "model.onnx") and problem.startswith("onnx.checker")):
            problems.append(f"{name}: {' '.join(flags)} {problem}")
        link_data(source, target.parent)
    if portable.exists():
        compared, problem = compare_peer(source / "model.onnx", portable, source / "test_data_set_0")
        if problem:
            problems.append(f"{name}: {problem}")
    return problems, portable.exists(), compared


def link_data(source, target):
    for item in source.iterdir():
        if item.name.startswith("test_data_set") or item.name == "data.json":
            os.symlink(item, target / item.name)


def chosen_cases(options):
    """The cases that --filter and --sample leave of those that are not expected to fail."""
    expected, _ = suite_run.parse_list((ROOT / suite_run.LIST).read_text())
    cases = sorted(suite_run.find_cases(options.suite, options.filter, 1) - expected.keys())
    return cases[:: max(1, len(cases) // options.sample)] if options.sample else cases


def run_written(cli, folder, jobs):
    """Failures of onnx-run on the cases of a folder."""
    report = folder.parent / f"{folder.name}.json"
    done = call(cli, "test", folder, "-j", jobs, "--json", report)
    if not report.exists():
        return [f"onnx-run test {folder}: {done.stderr[-300:]}"]
    return [f"{c['name']}: {folder.name}: {' '.join(c.get('message', '').split())[:200]}" for c in json.loads(report.read_text())["cases"] if c["status"] != "passed" and not distribution.is_random(c["name"])]


def main():
    parser = argparse.ArgumentParser(description="Write the official suite anew and check what comes out.")
    parser.add_argument("suite", type=Path, metavar="SUITE_DIR")
    parser.add_argument("--models", type=Path, metavar="DIR")
    parser.add_argument("--cli", type=Path, default=ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--tool", type=Path, default=ROOT / "build/release/bin/roundtrip")
    parser.add_argument("--sample", type=int, default=0, metavar="N")
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--jobs", "-j", type=int, default=2)
    options = parser.parse_args()
    cases = chosen_cases(options)
    problems = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        jobs = [(options.cli, (options.suite / name).resolve(), folder, name) for name in cases]
        with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
            written = list(pool.map(write_case, jobs, chunksize=8))
        problems += itertools.chain.from_iterable(found for found, _, _ in written)
        print(f"{sum(portable for _, portable, _ in written)} portable, {sum(compared for _, _, compared in written)} compared in ONNX Runtime")
        lowest = folder / "lowest"
        (folder / "flat").mkdir()
        models = [options.suite / name / "model.onnx" for name in cases]
        others = sorted(options.models.rglob("*.onnx")) if options.models else []
        for start in range(0, len(models) + len(others), 500):
            done = call(options.tool, "--write", folder / "flat", *(models + others)[start : start + 500])
            problems += [line for line in done.stdout.splitlines() if line.startswith(("differs", "failed"))]
            print(done.stdout.splitlines()[-1] if done.stdout else f"{options.tool} ended with {done.returncode}")
            if not done.stdout:
                problems.append(done.stderr[-300:])
            for k, name in enumerate(cases[start : start + 500]):
                flat = folder / "flat" / f"{k}.onnx"
                if not flat.exists():
                    continue
                (lowest / name).mkdir(parents=True)
                flat.rename(lowest / name / "model.onnx")
                link_data((options.suite / name).resolve(), lowest / name)
                problem = check_file(lowest / name / "model.onnx")
                if problem and not (problem.startswith("onnx.checker") and problem == check_file(options.suite / name / "model.onnx")):
                    problems.append(f"{name}: lowest opset: {problem}")
        for kind in ("plain", "portable", "lowest"):
            problems += run_written(options.cli, folder / kind, options.jobs)
    for problem in problems[:SHOWN]:
        print(problem)
    if len(problems) > SHOWN:
        print(f"… and {len(problems) - SHOWN} more")
    print(f"{len(cases)} cases, {len(problems)} deviations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

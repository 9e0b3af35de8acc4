#!/usr/bin/env python3
"""Writes the official ONNX backend suite of the installed `onnx` wheel as test folders.

    conformance.py OUT_DIR

Result: OUT_DIR/<kind>/<case>/model.onnx and test_data_set_K/{input_I,output_I}.pb, each a serialised TensorProto,
SequenceProto or OptionalProto according to the type of input or output number I. Inputs are counted without those that are
also initializers (networks of kind real list all weights as inputs). A case with tolerances of its own also has data.json
with "rtol" and "atol"; the suite's defaults are 1e-3 and 1e-7. Kinds:

    node                the operator cases that the wheel builds in memory
    simple              small models that lie in the wheel
    simple-gen          small models that the wheel builds in memory
    pytorch-converted   layers exported by an old PyTorch
    pytorch-operator    single operators exported by an old PyTorch
    real                nine well-known networks with constant weights ("light") and their reference outputs

The same wheel gives the same bytes. OUT_DIR appears whole or not at all; a complete one of the same wheel is kept.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

DEFAULT_RTOL = 1e-3
DEFAULT_ATOL = 1e-7
KINDS = ("node", "simple", "simple-gen", "pytorch-converted", "pytorch-operator", "real")
STAMP = ".complete.json"


def encode(value, info):
    """Serialises one value of the suite as the message that the declared type `info` calls for."""
    kind = info.type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.from_list(value, info.name).SerializeToString(deterministic=True)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, info.name).SerializeToString(deterministic=True)
    if kind != "tensor_type":
        raise ValueError(f"{info.name}: no file form for a value of kind {kind}")
    if isinstance(value, TensorProto):
        tensor = TensorProto()
        tensor.CopyFrom(value)
        tensor.name = info.name
    else:
        tensor = numpy_helper.from_array(np.asarray(value), info.name)
    if tensor.data_type != info.type.tensor_type.elem_type:
        raise ValueError(f"{info.name}: the suite's value has type {tensor.data_type}, "
                         f"the model declares {info.type.tensor_type.elem_type}")
    return tensor.SerializeToString(deterministic=True)


def write_tolerance(folder, rtol, atol):
    if (rtol, atol) != (DEFAULT_RTOL, DEFAULT_ATOL):
        (folder / "data.json").write_text(json.dumps({"rtol": rtol, "atol": atol}) + "\n")


def write_case(folder, case):
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString(deterministic=True))
    write_tolerance(folder, case.rtol, case.atol)
    for k, (inputs, outputs) in enumerate(case.data_sets):
        data = folder / f"test_data_set_{k}"
        data.mkdir()
        for prefix, values, infos in (("input", inputs, case.model.graph.input),
                                      ("output", outputs, case.model.graph.output)):
            for i, value in enumerate(values):
                (data / f"{prefix}_{i}.pb").write_bytes(encode(value, infos[i]))


def copy_stored(kind, source, out):
    """Copies the cases of `kind` that lie in the wheel as folders."""
    for folder in sorted(p for p in (source / kind).iterdir() if (p / "model.onnx").exists()):
        target = out / kind / folder.name
        target.mkdir(parents=True)
        for file in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix in (".onnx", ".pb")):
            to = target / file.relative_to(folder)
            to.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, to)
        if (folder / "data.json").exists():
            own = json.loads((folder / "data.json").read_text())
            write_tolerance(target, own.get("rtol", DEFAULT_RTOL), own.get("atol", DEFAULT_ATOL))


def write_real(source, out):
    """Builds the cases of kind real: their models lie in light/, each with its reference outputs for a ramp as input."""
    for pointer in sorted((source / "real").glob("*/data.json")):
        about = json.loads(pointer.read_text())
        light = source / "light" / Path(about["url"]).name
        target = out / "real" / pointer.parent.name
        data = target / "test_data_set_0"
        data.mkdir(parents=True)
        shutil.copyfile(light, target / "model.onnx")
        write_tolerance(target, about.get("rtol", DEFAULT_RTOL), about.get("atol", DEFAULT_ATOL))
        graph = onnx.load(light).graph
        constants = {t.name for t in graph.initializer}
        fed = [i for i in graph.input if i.name not in constants]
        for i, info in enumerate(fed):
            if info.type.tensor_type.elem_type != TensorProto.FLOAT:
                raise ValueError(f"{light.name}: input {info.name} is not float32")
            shape = [d.dim_value if d.HasField("dim_value") else 1 for d in info.type.tensor_type.shape.dim]
            count = int(np.prod(shape))
            ramp = (np.arange(count).reshape(shape) / count).astype(np.float32)
            (data / f"input_{i}.pb").write_bytes(encode(ramp, info))
        for i in range(len(graph.output)):
            shutil.copyfile(light.with_name(f"{light.stem}_output_{i}.pb"), data / f"output_{i}.pb")


def count_cases(out):
    return {kind: len(list((out / kind).glob("*/model.onnx"))) for kind in KINDS}


def generate(out):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the suite computes infinities and NaNs on purpose
        from onnx.backend.test.case.model import collect_testcases
        from onnx.backend.test.loader import load_model_tests

        node_cases = load_model_tests(kind="node")
        model_cases = [c for c in collect_testcases() if c.kind == "simple"]
        for case in node_cases:
            write_case(out / "node" / case.name, case)
        for case in model_cases:
            write_case(out / "simple-gen" / case.name, case)
    source = Path(onnx.__file__).parent / "backend" / "test" / "data"
    for kind in ("simple", "pytorch-converted", "pytorch-operator"):
        copy_stored(kind, source, out)
    write_real(source, out)


def print_counts(counts):
    for kind, count in counts.items():
        print(f"{count:6d}  {kind}")
    print(f"{sum(counts.values()):6d}  all")


def main():
    parser = argparse.ArgumentParser(description="Write the official ONNX backend suite as test folders.")
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    out = parser.parse_args().out_dir
    identity = {"onnx": onnx.__version__, "script": hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}

    if (out / STAMP).exists():
        if json.loads((out / STAMP).read_text()) == identity:
            print(f"{out} is complete (onnx {onnx.__version__})")
            print_counts(count_cases(out))
            return 0
    elif out.exists() and any(out.iterdir()):
        print(f"error: {out} exists and was not written by this script; name another folder or remove it",
              file=sys.stderr)
        return 2

    partial = out.with_name(out.name + f".partial.{os.getpid()}")
    partial.mkdir(parents=True)
    try:
        generate(partial)
        counts = count_cases(partial)
        (partial / STAMP).write_text(json.dumps(identity) + "\n")
        if out.exists():
            shutil.rmtree(out)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    print(f"{out} written (onnx {onnx.__version__})")
    print_counts(counts)
    return 0


if __name__ == "__main__":
    sys.exit(main())

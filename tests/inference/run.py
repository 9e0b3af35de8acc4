#!/usr/bin/env python3
"""Counts the node cases of the official suite whose output types and shapes are inferred without running.

    run.py SUITE_DIR --library FILE [--filter REGEX] [--show] [--write]

Each model is loaded with the declared types of its outputs erased, once with its inputs as they are and once with the example's inputs as
initializers. A case is exact when every output gets its element type and exactly the shape that the example's output has, or of a sequence or
optional the type that the file declares; wrong when an output's type, rank or a dim contradicts what the example gives. floor.json holds how
many must be exact; --write raises it. --show lists the cases that are not exact.

Last line: N exact with values, N without, N wrong. Exit code 0 when none is wrong and both reach the floor.
"""

import argparse
import ctypes
import json
import re
import sys
from pathlib import Path

import onnx

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "operators"))

from native import Library, RunError  # noqa: E402

FLOOR = Path(__file__).with_name("floor.json")
NO_SHAPE = "[...]"
NAMES = {
    "FLOAT": "float32", "DOUBLE": "float64", "FLOAT16": "float16", "BFLOAT16": "bfloat16", "COMPLEX64": "complex64",
    "COMPLEX128": "complex128", "BOOL": "bool", "STRING": "string",
}  # fmt: skip


def dtype_name(number):
    name = onnx.TensorProto.DataType.Name(number)
    return NAMES.get(name, name.lower())


def declared_text(declared):
    """A TypeProto as the library prints types; dims that are no numbers as "?"."""
    kind = declared.WhichOneof("value")
    if kind == "tensor_type":
        tensor = declared.tensor_type
        dims = [str(d.dim_value) if d.HasField("dim_value") else "?" for d in tensor.shape.dim]
        return dtype_name(tensor.elem_type) + (f"[{','.join(dims)}]" if tensor.HasField("shape") else NO_SHAPE)
    if kind == "sequence_type":
        return f"sequence({declared_text(declared.sequence_type.elem_type)})"
    if kind == "optional_type":
        return f"optional({declared_text(declared.optional_type.elem_type)})"
    if kind == "map_type":
        return f"map({dtype_name(declared.map_type.key_type)}, {declared_text(declared.map_type.value_type)})"
    return f"{kind}"


def read(path, declared):
    """The example's value at `path`: a TensorProto, a list of them, or None for an absent optional."""
    kind = declared.WhichOneof("value")
    data = path.read_bytes()
    if kind == "sequence_type":
        sequence = onnx.SequenceProto.FromString(data)
        return list(sequence.tensor_values)
    if kind == "optional_type":
        optional = onnx.OptionalProto.FromString(data)
        if optional.elem_type == onnx.OptionalProto.TENSOR:
            return optional.tensor_value
        return list(optional.sequence_value.tensor_values) if optional.HasField("sequence_value") else None
    return onnx.TensorProto.FromString(data)


def split(text):
    """("float32", ["2", "?"]), with None for an unknown rank, of a tensor type's text."""
    name, _, dims = text.partition("[")
    dims = dims.partition("]")[0]
    return name, None if dims == "..." else dims.split(",") if dims else []


def fits_tensor(text, tensor):
    name, dims = split(text)
    if name not in ("?", dtype_name(tensor.data_type)):
        return False
    if dims is None:
        return True
    return len(dims) == len(tensor.dims) and all(not d.isdigit() or int(d) == wanted for d, wanted in zip(dims, tensor.dims))


def judge(found, declared, value):
    """exact, partial or wrong."""
    if declared.WhichOneof("value") == "tensor_type":
        exact = f"{dtype_name(value.data_type)}[{','.join(map(str, value.dims))}]"
        return "exact" if found == exact else "partial" if found == "?" or fits_tensor(found, value) else "wrong"
    if found == "?":
        return "partial"
    inner, wanted = found, declared_text(declared)
    # What may be an optional may hold the value.
    widened = inner.startswith("optional(") and not wanted.startswith("optional(")
    inner = inner[len("optional("):-1] if widened else inner
    for prefix in ("optional(", "sequence("):
        if wanted.startswith(prefix) != inner.startswith(prefix):
            return "wrong"
        if wanted.startswith(prefix):
            inner, wanted = inner[len(prefix):-1], wanted[len(prefix):-1]
    elements = value if isinstance(value, list) else [] if value is None else [value]
    if not all(fits_tensor(inner, element) for element in elements):
        return "wrong"
    # A declaration that leaves dims open asks no more than that.
    (name, dims), (wanted_name, wanted_dims) = split(inner), split(wanted)
    if name != wanted_name or widened:
        return "partial"
    if wanted_dims is None:
        return "exact"
    refined = dims is not None and len(dims) == len(wanted_dims) and all(w in ("?", d) for d, w in zip(dims, wanted_dims))
    return "exact" if refined else "partial"


def inferred(library, model):
    data = model.SerializeToString()
    handle = library.made("model_load_bytes", data, len(data), None)
    try:
        blob = library.made("model_inspect", handle, None, 0)
        text = ctypes.string_at(library._text("blob_data", blob), library._size("blob_size", blob))
        library.free("blob_free", blob)
    finally:
        library.free("model_free", handle)
    return [output["type"].partition(" = ")[0] for output in json.loads(text)["outputs"]]


def with_values(model, folder):
    """The model with the example's tensors as initializers instead of inputs."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    result.ir_version = max(result.ir_version, 4)
    known = {tensor.name for tensor in result.graph.initializer}
    fed = [port for port in model.graph.input if port.name not in known]
    for index, port in enumerate(fed):
        path = folder / f"input_{index}.pb"
        if port.type.WhichOneof("value") != "tensor_type" or not path.exists():
            continue
        tensor = onnx.TensorProto.FromString(path.read_bytes())
        tensor.name = port.name
        result.graph.initializer.append(tensor)
        result.graph.input.remove(port)
    return result


def judge_case(library, folder):
    """{with values: verdict, without: verdict} and what was found."""
    model = onnx.load(folder / "model.onnx")
    declared = [onnx.TypeProto.FromString(output.type.SerializeToString()) for output in model.graph.output]
    for output in model.graph.output:
        output.ClearField("type")
    data = folder / "test_data_set_0"
    values = [read(data / f"output_{i}.pb", each) for i, each in enumerate(declared)]
    verdicts, shown = {}, {}
    for key, variant in (("with", with_values(model, data)), ("without", model)):
        try:
            found = inferred(library, variant)
        except RunError as error:
            verdicts[key], shown[key] = "wrong", str(error)
            continue
        each = [judge(*triple) for triple in zip(found, declared, values)]
        verdicts[key] = "wrong" if "wrong" in each else "partial" if "partial" in each else "exact"
        shown[key] = "; ".join(
            f"{f} for {declared_text(d)}" for f, d, v in zip(found, declared, each) if v != "exact"
        )
    return verdicts, shown


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("suite", type=Path)
    parser.add_argument("--library", type=Path, required=True)
    parser.add_argument("--filter", default="")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    folders = sorted(m.parent for m in options.suite.glob("node/*/model.onnx") if re.search(options.filter, m.parent.name))
    if not folders:
        print(f"{options.suite} holds no node/<case>/model.onnx; tools/fetch/conformance.py writes it")
        return 2
    library = Library(options.library)
    counts, wrong = {"with": 0, "without": 0}, 0
    for folder in folders:
        verdicts, shown = judge_case(library, folder)
        wrong += "wrong" in verdicts.values()
        for key, verdict in verdicts.items():
            counts[key] += verdict == "exact"
            if verdict == "wrong" or (options.show and verdict != "exact"):
                print(f"{verdict} {key} values: {folder.name}: {shown[key]}")
    floor = json.loads(FLOOR.read_text()) if FLOOR.exists() else {"with": 0, "without": 0}
    failed = wrong > 0
    if not options.filter:
        for key in counts:
            if counts[key] < floor[key]:
                print(f"{counts[key]} exact {key} values; there were {floor[key]}")
                failed = True
        if options.write:
            FLOOR.write_text(json.dumps({key: max(counts[key], floor[key]) for key in counts}) + "\n")
    print(f"{len(folders)} cases: {counts['with']} exact with values, {counts['without']} without, {wrong} wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

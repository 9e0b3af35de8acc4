#!/usr/bin/env python3
"""Compares proto/*.proto with the descriptors of the installed `onnx` wheel, field by field.

    check_descriptor.py [--protoc PROTOC]

Compared: messages, fields (name, number, type, label, oneof, packing, default), enums and their values, reserved numbers
and names, syntax. Order and comments are free. Prints every difference; exit code 0 none, 1 some, 2 could not compare.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

OUR_PACKAGE = "onnxrun.proto"
PUBLIC_PACKAGE = "onnx"
PROTO_DIR = Path(__file__).resolve().parents[2] / "proto"


def describe_field(field, message, package):
    text = [f"number {field.number}", Field.Label.Name(field.label), Field.Type.Name(field.type)]
    if field.type_name:
        text.append(field.type_name.removeprefix(f".{package}."))
    if field.HasField("oneof_index"):
        text.append(f"oneof {message.oneof_decl[field.oneof_index].name}")
    if field.options.packed:
        text.append("packed")
    if field.HasField("default_value"):
        text.append(f"default {field.default_value!r}")
    if field.HasField("extendee") or field.proto3_optional:
        text.append("extension or proto3 optional")
    return ", ".join(text)


def describe_enum(enum, prefix, facts):
    facts[f"enum {prefix}{enum.name}"] = "allow_alias" if enum.options.allow_alias else "present"
    for value in enum.value:
        facts[f"enum value {prefix}{enum.name}.{value.name}"] = f"number {value.number}"
    for span in enum.reserved_range:
        for number in range(span.start, span.end + 1):
            facts[f"reserved number {prefix}{enum.name}.{number}"] = "reserved"


def describe_message(message, prefix, package, facts):
    name = prefix + message.name
    facts[f"message {name}"] = "present"
    for field in message.field:
        facts[f"field {name}.{field.name}"] = describe_field(field, message, package)
    for oneof in message.oneof_decl:
        facts[f"oneof {name}.{oneof.name}"] = "present"
    for span in message.reserved_range:
        for number in range(span.start, span.end):
            facts[f"reserved number {name}.{number}"] = "reserved"
    for reserved in message.reserved_name:
        facts[f"reserved name {name}.{reserved}"] = "reserved"
    for span in message.extension_range:
        facts[f"extension range {name}.{span.start}"] = f"to {span.end}"
    for enum in message.enum_type:
        describe_enum(enum, name + ".", facts)
    for nested in message.nested_type:
        describe_message(nested, name + ".", package, facts)


def describe_files(files, package):
    """Everything the files define, as {what: how}; both sides use names relative to their package."""
    facts = {}
    for file in files:
        if file.package != package:
            raise ValueError(f"{file.name}: package {file.package!r}, expected {package!r}")
        facts["syntax"] = file.syntax or "proto2"
        for enum in file.enum_type:
            describe_enum(enum, "", facts)
        for message in file.message_type:
            describe_message(message, "", package, facts)
    return facts


def compile_ours(protoc):
    sources = sorted(p.name for p in PROTO_DIR.glob("*.proto"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set.pb"
        subprocess.run([protoc, f"--proto_path={PROTO_DIR}", f"--descriptor_set_out={out}", *sources], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file


def load_public():
    from onnx import onnx_data_pb2, onnx_ml_pb2

    files = []
    for module in (onnx_ml_pb2, onnx_data_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        files.append(file)
    return files


def compare(ours, public):
    lines = []
    for what in sorted(ours.keys() | public.keys()):
        if what not in ours:
            lines.append(f"missing in ours: {what} ({public[what]})")
        elif what not in public:
            lines.append(f"only in ours: {what} ({ours[what]})")
        elif ours[what] != public[what]:
            lines.append(f"differs: {what}: ours {ours[what]}; public {public[what]}")
    return lines


def main():
    parser = argparse.ArgumentParser(description="Compare proto/*.proto with the onnx wheel's descriptors.")
    parser.add_argument("--protoc", default="protoc")
    args = parser.parse_args()
    try:
        ours = describe_files(compile_ours(args.protoc), OUR_PACKAGE)
        public = describe_files(load_public(), PUBLIC_PACKAGE)
    except (OSError, ImportError, ValueError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    differences = compare(ours, public)
    for line in differences:
        print(line)
    fields = sum(what.startswith("field ") for what in public)
    values = sum(what.startswith("enum value ") for what in public)
    print(f"{len(differences)} differences over {fields} fields and {values} enum values")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())

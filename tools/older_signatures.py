#!/usr/bin/env python3
"""Writes src/ops/older_signatures.cpp from the operator definitions in the onnx wheel; with --check only says whether it is up to date."""
import argparse
import collections
import pathlib
import sys

import onnx
from onnx import defs

FILE = pathlib.Path(__file__).resolve().parent.parent / "src/ops/older_signatures.cpp"
DOMAINS = ("", "ai.onnx.ml")
NAMES = {"float": "float32", "double": "float64"}
FLOATS = {"float16", "bfloat16", "float32", "float64"}
INTS = {"int8", "int16", "int32", "int64"}
UINTS = {"uint8", "uint16", "uint32", "uint64"}
# Groups of ir::OpSignature, larger ones first.
GROUPS = [
    ("classic", (FLOATS - {"bfloat16"}) | INTS | UINTS | {"bool", "string", "complex64", "complex128"}),
    ("numeric", FLOATS | INTS | UINTS),
    ("integers", INTS | UINTS),
    ("floats", FLOATS),
    ("ints", INTS),
    ("uints", UINTS),
    ("float8s", {"float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz"}),
    ("complex", {"complex64", "complex128"}),
]
KINDS = {"SPARSE_TENSOR": "tensor", "TYPE_PROTO": "type"}


def type_name(text):
    for prefix, name in (("seq(", "seq"), ("optional(", "opt"), ("map(", "map"), ("sparse_tensor(", "sparse")):
        if text.startswith(prefix):
            return name
    name = text.removeprefix("tensor(").rstrip(")")
    return NAMES.get(name, name)


def type_list(texts):
    left = {type_name(text) for text in texts}
    words = []
    for name, members in GROUPS:
        if members <= left:
            words.append(name)
            left -= members
    return " ".join(words + sorted(left))


def parameters(formal):
    items = []
    for p in formal:
        mark = ""
        if p.option == defs.OpSchema.FormalParameterOption.Optional:
            mark = "?"
        elif p.option == defs.OpSchema.FormalParameterOption.Variadic:
            mark = ("*" if p.min_arity > 0 else "**") + ("" if p.is_homogeneous else "~")
        kind = p.type_str if "(" not in p.type_str else type_name(p.type_str)
        items.append(f"{p.name.removesuffix('...')}{mark}:{kind}")
    return ", ".join(items)


def attributes(schema):
    items = []
    for name, a in sorted(schema.attributes.items()):
        kind = KINDS.get(a.type.name, a.type.name.lower())
        items.append(f"{name}:{kind}{'!' if a.required else ''}")
    return ", ".join(items)


def default_text(attribute):
    value = attribute.default_value
    if value.type == onnx.AttributeProto.INT:
        return str(value.i)
    if value.type == onnx.AttributeProto.STRING:
        return value.s.decode()
    return None


def newer_defaults(schema, newest):
    """The attributes of the newest version that this one lacks and whose default means what this one always does."""
    items = []
    for name, a in sorted(newest.attributes.items()):
        if name not in schema.attributes and default_text(a) is not None:
            items.append(f"{name}={default_text(a)}")
    return ", ".join(items)


def rows():
    versions = collections.defaultdict(list)
    for schema in defs.get_all_schemas_with_history():
        if schema.domain in DOMAINS:
            versions[schema.domain, schema.name].append(schema)
    for (domain, name), schemas in sorted(versions.items()):
        schemas.sort(key=lambda s: s.since_version)
        for schema in schemas[:-1]:
            types = " | ".join(f"{t.type_param_str}: {type_list(t.allowed_type_strs)}" for t in sorted(schema.type_constraints, key=lambda t: t.type_param_str))
            yield [domain, name, schema.since_version, parameters(schema.inputs), parameters(schema.outputs), types, attributes(schema), newer_defaults(schema, schemas[-1])]


def text():
    lines = []
    for domain, name, since, *parts in rows():
        quoted = [f'"{part}"' for part in parts]
        lines.append(f'    {{"{domain}", "{name}", {since}, {{{", ".join(quoted[:4])}}}, {quoted[4]}}},')
    table = "\n".join(lines)
    return f"""// What each operator took before its newest version, by ONNX {onnx.__version__}'s definitions. Written by tools/older_signatures.py; do not edit.
#include "ops/older_signatures.h"

#include <algorithm>
#include <tuple>

// clang-format off
namespace onnxrun::ops {{
namespace {{

struct Row {{
  const char* domain;
  const char* name;
  int since;
  ir::OpSignature signature;
  const char* newer_defaults;
}};

// Sorted by domain, name and version.
constexpr Row kRows[] = {{
{table}
}};

}}  // namespace

std::optional<OlderSignature> older_signature(std::string_view domain, std::string_view name, int since) {{
  const auto key = std::tuple(domain, name, since);
  const auto key_of = [](const Row& row) {{ return std::tuple(std::string_view(row.domain), std::string_view(row.name), row.since); }};
  const Row* found = std::lower_bound(std::begin(kRows), std::end(kRows), key, [&](const Row& row, const auto& wanted) {{ return key_of(row) < wanted; }});
  if (found == std::end(kRows) || key_of(*found) != key) return std::nullopt;
  return OlderSignature{{found->signature, found->newer_defaults}};
}}

}}  // namespace onnxrun::ops
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        if FILE.read_text() != text():
            sys.exit(f"{FILE} is not what onnx {onnx.__version__} defines: run tools/older_signatures.py")
        return
    FILE.write_text(text())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes a C file that compiles only with C headers whose structures, function types and constants are those of today.

    abi_layout.py > layout.c

For each structure of include/onnxrun: the place and type of each field; for each constant its value. Fields after those, and further constants, do not matter: what is
frozen may grow at its end. `tools/abi.sh` calls it. CC names the compiler.
"""

import os
import re
import subprocess
import tempfile
from pathlib import Path

INCLUDE = Path(__file__).resolve().parents[1] / "include"
HEADERS = ("types.h", "provider.h", "custom_op.h", "onnxrun.h")

# Structures of which arrays are handed over, or that travel as a whole: these may not even grow.
FIXED = {"onnxrun_tensor", "onnxrun_attribute", "onnxrun_text", "onnxrun_port", "onnxrun_op", "onnxrun_op_kernel", "onnxrun_sink"}

HEAD = """/* The place and type of each field and the value of each constant of the C interfaces, version 1. Written by tools/abi.sh --write, which first holds the headers
 * against what is here: a change with which this file does not compile breaks programs and plug-ins that exist. */
/* clang-format off */
#include <onnxrun/custom_op.h>
#include <onnxrun/onnxrun.h>
#include <onnxrun/provider.h>

#define FIELD(type, field, place, ...)                                                                          \\
  _Static_assert(offsetof(type, field) == (place), #type "." #field " has moved");                              \\
  _Static_assert(__builtin_types_compatible_p(__typeof__(((type*)0)->field), __VA_ARGS__), #type "." #field " has another type");
#define PLACE(type, field, place) _Static_assert(offsetof(type, field) == (place), #type "." #field " has moved");
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " has another size");
#define VALUE(name, number) _Static_assert((name) == (number), #name " has another value");
"""


def split(body):
    """The declarations of a structure's body."""
    depth, start = 0, 0
    for at, character in enumerate(body):
        depth += (character in "{(") - (character in "})")
        if character == ";" and depth == 0:
            yield " ".join(body[start:at].split())
            start = at + 1


def field_of(declaration):
    """(name, type), the type None where it is a structure without a name."""
    if "{" in declaration:
        return re.search(r"(\w+)\s*(\[\w+\])?$", declaration)[1], None
    if match := re.search(r"\(\*(\w+)\)\s*\(", declaration):
        return match[1], declaration[: match.start(1)] + declaration[match.end(1) :]
    match = re.search(r"(\w+)\s*((?:\[\w+\])*)$", declaration)
    return match[1], declaration[: match.start(1)].strip() + match[2]


def read():
    structures, constants = {}, []
    for header in HEADERS:
        text = re.sub(r"/\*.*?\*/", " ", (INCLUDE / "onnxrun" / header).read_text(), flags=re.S)
        for match in re.finditer(r"\bstruct (onnxrun_\w+) \{", text):
            at = depth = match.end() - 1
            depth = 0
            while True:
                depth += (text[at] == "{") - (text[at] == "}")
                at += 1
                if depth == 0:
                    break
            structures[match[1]] = [field_of(d) for d in split(text[match.end() : at - 1])]
        for match in re.finditer(r"\benum(?: \w+)? \{(.*?)\}", text, flags=re.S):
            constants += re.findall(r"\b(ONNXRUN_\w+)\s*=", match[1])
        constants += re.findall(r"#define (ONNXRUN_(?:ALIGNMENT|MAX_ALIASES|\w+_VERSION))\s", text)
    return structures, constants


def main():
    structures, constants = read()
    lines = []
    for name, fields in sorted(structures.items()):
        for field, kind in fields:
            what = f"FIELD({name}, {field}, %zu, {kind})" if kind else f"PLACE({name}, {field}, %zu)"
            lines.append(f'  printf("{what}\\n", offsetof({name}, {field}));')
        if name in FIXED:
            lines.append(f'  printf("SIZE({name}, %zu)\\n", sizeof({name}));')
        lines.append('  puts("");')
    lines += [f'  printf("VALUE({name}, %ld)\\n", (long)({name}));' for name in constants]
    program = HEAD.split("#define")[0] + "#include <stddef.h>\n#include <stdio.h>\nint main(void) {\n" + "\n".join(lines) + "\n}\n"
    with tempfile.TemporaryDirectory() as folder:
        source, binary = Path(folder, "layout.c"), Path(folder, "layout")
        source.write_text(program)
        subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-w", "-I", str(INCLUDE), str(source), "-o", str(binary)], check=True)
        print(HEAD)
        print(subprocess.run([str(binary)], capture_output=True, text=True, check=True).stdout.rstrip())


if __name__ == "__main__":
    main()

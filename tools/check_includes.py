#!/usr/bin/env python3
"""Fails on an include between the parts of the source tree that the architecture does not allow.

    check_includes.py [ROOT]

Every part may include its own headers and those named in ALLOWED. Prints one line for each violation.
"""

import re
import sys
from pathlib import Path

ALLOWED = {
    "base": [],
    "ir": ["base"],
    "ops/attributes": ["base"],
    "ops": ["base", "ir", "ops/attributes"],
    "import": ["base", "ir", "ops", "ops/attributes"],
    "optimize": ["base", "ir", "ops", "ops/attributes"],
    "quantise": ["base", "ir", "ops", "ops/attributes", "optimize"],
    "edit": ["base", "ir", "ops", "ops/attributes"],
    "plan": ["base", "ir", "ops", "ops/attributes"],
    "run": ["base", "ir", "ops", "ops/attributes", "plan"],
    "api": ["base", "ir", "ops", "ops/attributes", "import", "optimize", "quantise", "edit", "plan", "run", "cpu"],
    "cpu": ["base", "ops/attributes"],
    "cuda": ["base", "ops/attributes"],
}
# Headers of the wire format, which only import reads and writes.
WIRE = re.compile(r"^(protozero|google/protobuf)/")
FOLDERS = ["src", "providers", "include", "tools", "examples", "python"]
SUFFIXES = {".h", ".hpp", ".cpp", ".cu", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def part_of(path):
    """The part that a source file or an included header (relative to an include root) belongs to, or None."""
    pieces = path.split("/")
    if pieces[:2] == ["ops", "attributes"]:
        return "ops/attributes"
    return pieces[0] if pieces[0] in ALLOWED and len(pieces) > 1 else None


def source_part(file):
    if file.startswith("src/"):
        return part_of(file[len("src/"):])
    if file.startswith("providers/"):
        return part_of(file[len("providers/"):])
    if file.startswith(("tools/", "examples/", "python/", "include/")):
        return "outside"
    return None


def violations(root, file):
    part = source_part(file)
    if part is None:
        return
    for number, line in enumerate((root / file).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match[2]
        # A file name without a folder is beside the file that includes it.
        if included.startswith("../"):
            yield f"{file}:{number}: includes {included}; name headers from the include root"
            continue
        target = part_of(included)
        if target and part == "outside":
            yield f"{file}:{number}: includes {included}; only the public headers <onnxrun/...> may be used here"
        elif target and target != part and target not in ALLOWED[part]:
            allowed = ", ".join(ALLOWED[part]) or "nothing"
            yield f"{file}:{number}: {part} includes {included}; {part} may use {allowed}"
        elif WIRE.match(included) and part not in ("import", "outside"):
            yield f"{file}:{number}: {part} includes {included}; the wire format belongs to import"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1])
    files = sorted(f for folder in FOLDERS for f in (root / folder).rglob("*") if f.suffix in SUFFIXES)
    found = [v for file in files for v in violations(root, file.relative_to(root).as_posix())]
    for violation in found:
        print(violation)
    if found:
        print(f"{len(found)} includes that are not allowed", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

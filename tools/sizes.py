#!/usr/bin/env python3
"""Prints the size of everything that builds install, by component and by section, beside ONNX Runtime's wheel.

    sizes.py NAME=BUILD... [--peers PYTHON] [--json FILE]

NAME is what a build is called in the table, BUILD its folder. Files are as installed with --strip. --peers is an interpreter that has onnxruntime.
"""

import argparse
import json
import struct
import subprocess
import tempfile
from pathlib import Path

COMPONENTS = ("runtime", "tools", "dev")
# The parts of a program by the names of its sections.
SECTIONS = {
    "code": (".text", ".plt", ".init", ".fini"),
    "constants": (".rodata", ".data.rel.ro", ".data", ".got", ".tdata", ".init_array", ".fini_array"),
    "unwinding": (".eh_frame", ".eh_frame_hdr", ".gcc_except_table"),
    "linking": (".dynsym", ".dynstr", ".rela", ".hash", ".gnu", ".dynamic"),
}


def sections(path):
    """Bytes in the file of each section of a 64-bit ELF file, by the parts above; empty for other files."""
    data = path.read_bytes()
    if data[:5] != b"\x7fELF\x02":
        return {}
    start, = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, start + i * size) for i in range(count)]
    result = {}
    for name, kind, _, _, _, length in headers:
        text = data[headers[names][4] + name:].split(b"\0", 1)[0].decode() if count else ""
        if kind == 8 or not text:  # takes no room in the file
            continue
        part = next((p for p, prefixes in SECTIONS.items() if any(text == s or text.startswith(s + ".") for s in prefixes)), "other")
        result[part] = result.get(part, 0) + length
    return result


def installed(build):
    """Of each component its files, as path: (bytes, sections)."""
    result = {}
    for component in COMPONENTS:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cmake", "--install", build, "--prefix", folder, "--component", component, "--strip"], check=True, stdout=subprocess.DEVNULL)
            files = [f for f in sorted(Path(folder).rglob("*")) if f.is_file() and not f.is_symlink()]
            result[component] = {str(f.relative_to(folder)): (f.stat().st_size, sections(f)) for f in files}
    return result


def wheel(python):
    """Bytes of the installed onnxruntime package, and of its libraries alone."""
    code = "import importlib.util, pathlib; print(pathlib.Path(importlib.util.find_spec('onnxruntime').origin).parent)"
    folder = Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip())
    files = [f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    return sum(f.stat().st_size for f in files), sum(f.stat().st_size for f in files if ".so" in f.name)


def mb(size):
    return f"{size / 1e6:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("builds", nargs="+", metavar="NAME=BUILD")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    report = {}
    for each in options.builds:
        name, _, build = each.partition("=")
        report[name] = installed(build)

    print("MB installed    |" + "".join(f"{name:>14} |" for name in report))
    rows = [("libonnxrun.so", lambda c: [v for p, v in c["runtime"].items() if "libonnxrun.so" in p]),
            ("oneDNN", lambda c: [v for p, v in c["runtime"].items() if "libonnxrun_dnnl" in p]),
            ("onnx-run", lambda c: [v for p, v in c["tools"].items() if p.startswith("bin/")]),
            ("runtime + tools", lambda c: [*c["runtime"].values(), *c["tools"].values()]),
            ("headers etc.", lambda c: [v for p, v in c["dev"].items() if not p.endswith(".a")]),
            ("static library", lambda c: [v for p, v in c["dev"].items() if p.endswith(".a")])]
    for title, files in rows:
        print(f"{title:<15} |" + "".join(f"{mb(sum(size for size, _ in files(c))):>14} |" for c in report.values()))
    print("of libonnxrun.so")
    library = {name: next((s for p, (_, s) in c["runtime"].items() if "libonnxrun.so" in p), {}) for name, c in report.items()}
    for part in (*SECTIONS, "other"):
        print(f"  {part:<13} |" + "".join(f"{mb(parts.get(part, 0)):>14} |" for parts in library.values()))
    if options.peers:
        whole, libraries = wheel(options.peers)
        report["onnxruntime"] = {"installed": whole, "libraries": libraries}
        print(f"ONNX Runtime's wheel: {mb(whole)} installed, of which libraries {mb(libraries)}")
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()

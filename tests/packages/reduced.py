#!/usr/bin/env python3
"""Builds the library reduced to the operators of the digit model and of a few nodes more, and checks it: its size, that it computes what the whole library
does, and that it refuses other models by name.

    reduced.py --whole ONNX_RUN --build DIR [--jobs N] [--most MB] [--model FILE]...

--whole is an onnx-run with all operators and no oneDNN, DIR the folder to build in, --most the size that headers and library may have.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
DIGITS = SOURCE / "examples/digits/digits.onnx"
HEAD = "onnxrun text 1\nir_version 8\nopset ai.onnx 17\ngraph other(x: float32[2,3]) -> (y) {\n"
REFUSED = HEAD + "  y = Cosh(x)\n}\n"
# Operators of the digit model in another order: passes would make operators of them that are not in the list.
TURNED = HEAD + "  a = Relu(x)\n  b = Relu(a)\n  c = Softmax(b)\n  d = Relu(c)\n  e = Flatten(d)\n  y = Softmax(e, axis=0)\n}\n"


def run(*command, code=0, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode != code:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}, not {code}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout + done.stderr


def outputs(tool, model, folder):
    folder.mkdir()
    run(tool, "run", model, "--seed", "1", "--batch", "3", "--quiet", "--output-dir", folder)
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--jobs", default=str(len(os.sched_getaffinity(0))))
    parser.add_argument("--most", type=float, default=4.0)
    parser.add_argument("--model", type=Path, action="append", default=[])
    options = parser.parse_args()
    models = options.model or [DIGITS]

    options.build.mkdir(parents=True, exist_ok=True)
    listed = options.build / "operators.txt"
    lines = [line for model in models for line in run(options.whole, "inspect", model, "--build-list").splitlines()]
    text = "\n".join(dict.fromkeys(lines)) + "\n"
    if not listed.exists() or listed.read_text() != text:
        listed.write_text(text)
    run("cmake", "-S", SOURCE, "--preset", "no-onednn", "-B", options.build, f"-DONNXRUN_OPERATORS={listed}", "-DONNXRUN_TESTS=OFF", "-DONNXRUN_STATIC=OFF",
        cwd=SOURCE)
    run("cmake", "--build", options.build, "--parallel", options.jobs)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for component in ("runtime", "dev", "tools"):
            run("cmake", "--install", options.build, "--prefix", folder / component, "--component", component, "--strip")
        size = sum(f.stat().st_size for c in ("runtime", "dev") for f in (folder / c).rglob("*") if f.is_file() and not f.is_symlink())
        print(f"library and headers: {size / 1e6:.2f} MB")
        if size > options.most * 1e6:
            sys.exit(f"that is more than {options.most} MB")
        # What was installed, together.
        run("cmake", "--install", options.build, "--prefix", folder / "all", "--strip")
        tool = folder / "all/bin/onnx-run"
        for i, model in enumerate(models):
            expected, got = outputs(options.whole, model, folder / f"whole{i}"), outputs(tool, model, folder / f"reduced{i}")
            if not expected or expected != got:
                sys.exit(f"{model} gives other results in the reduced build")
        if not options.model:
            turned = folder / "turned.txt"
            turned.write_text(TURNED)
            if outputs(options.whole, turned, folder / "whole turned") != outputs(tool, turned, folder / "reduced turned"):
                sys.exit("operators of the list in another order give other results")
        other = folder / "other.txt"
        other.write_text(REFUSED)
        run(options.whole, "run", other, "--quiet")
        message = run(tool, "run", other, code=3)
        for part in ("'Cosh'", "not in this build", "reduced to those of operators.txt"):
            if part not in message:
                sys.exit(f"{part} is not in: {message}")
        print(message.strip())
    print(f"{len(models)} models give the same, another one is refused")


if __name__ == "__main__":
    main()

"""Runs what the README says: its onnx-run lines as they stand, and its C++ example compiled against an installed tree.

Usage: readme_test.py SOURCE_DIR BINARY_DIR CXX
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile


def run(command, **options):
    print("$", command if isinstance(command, str) else " ".join(command), flush=True)
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, **options)
    print(done.stdout, flush=True)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode}")
    return done.stdout


def main():
    source, binary, compiler = sys.argv[1:]
    with open(os.path.join(source, "README.md"), encoding="utf-8") as file:
        text = file.read()
    shell = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
    tool = [line for line in shell if line.startswith("build/release/bin/onnx-run ")]
    assert len(tool) >= 4, "the README shows no onnx-run commands"
    for line in tool:
        run([os.path.join(binary, "bin/onnx-run")] + line.split()[1:], cwd=source)
    for line in shell:
        if line.startswith("./dev "):
            assert line.split()[1] in run(["./dev", "--help"], cwd=source), f"./dev does not know {line}"

    install = next(line for line in shell if line.startswith("cmake --install"))
    compile_line = next(line for line in shell if line.startswith("g++"))
    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, "prefix")
        run(install.replace("build/release", binary).replace("/tmp/onnxrun", prefix), shell=True, cwd=source)
        with open(os.path.join(folder, "hello.cpp"), "w", encoding="utf-8") as file:
            file.write(re.search(r"```cpp\n(.*?)```", text, re.S).group(1))
        if not shutil.which("pkg-config"):
            sys.exit("pkg-config is missing")
        run(compile_line.replace("g++", compiler, 1).replace("/tmp/onnxrun", prefix), shell=True, cwd=folder)
        numbers = [float(line) for line in run([os.path.join(folder, "hello")], cwd=source).split()]
        assert len(numbers) == 10 and abs(sum(numbers) - 1) < 0.01, f"no ten probabilities: {numbers}"
    print("1 passed, 0 failed, 0 skipped")


main()

"""Runs every command of the README's sh blocks, and its C++ example compiled against an installed tree.

Usage: readme_test.py SOURCE_DIR BINARY_DIR CXX

Paths are replaced by those of the build under test, nothing else. `./dev test` is what runs this test. `./dev demo` works in
build/release: the test of another build leaves it to that one's and says so. A line of any other kind fails the test.
"""
import os
import re
import subprocess
import sys
import tempfile


def run(command, **options):
    print("$", command if isinstance(command, str) else " ".join(command), flush=True)
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900, **options)
    print(done.stdout, flush=True)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode}")
    return done.stdout


class Readme:
    def __init__(self, source, binary, compiler, folder):
        self.source, self.binary, self.compiler, self.folder = source, binary, compiler, folder
        self.prefix = os.path.join(folder, "prefix")
        self.ran = set()
        with open(os.path.join(source, "README.md"), encoding="utf-8") as file:
            self.text = file.read()

    def dev(self, line):
        with open(os.path.join(self.source, ".ci/run"), encoding="utf-8") as file:
            assert re.search(r"^(exec )?\./dev test\b", file.read(), re.MULTILINE), ".ci/run does not run ./dev test"
        if line == "./dev test":
            return
        assert line == "./dev demo", f"no test runs: {line}"
        if os.path.realpath(self.binary) != os.path.realpath(os.path.join(self.source, "build/release")):
            print(f"left to the test of build/release: {line}")
            return
        shown = run(["./dev", "demo", "--yes", "--offline"], cwd=self.source)
        assert re.search(r"^7 .*█ <-$", shown, re.M), "the demo does not see the digit 7"
        assert "(confidence " in shown or "line of text is left out" in shown, "the demo reads no text and does not say why"

    def tool(self, line):
        run([os.path.join(self.binary, "bin/onnx-run")] + line.split()[1:], cwd=self.source)

    def install(self, line):
        run(line.replace("build/release", self.binary).replace("/tmp/onnxrun", self.prefix), shell=True, cwd=self.source)

    def compile(self, line):
        program = re.findall(r"```cpp\n(.*?)```", self.text, re.S)
        assert len(program) == 1, f"{len(program)} C++ programs for one command"
        with open(os.path.join(self.folder, "hello.cpp"), "w", encoding="utf-8") as file:
            file.write(program[0])
        run(re.sub(r"^g\+\+", self.compiler, line).replace("/tmp/onnxrun", self.prefix), shell=True, cwd=self.folder)
        numbers = [float(word) for word in run([os.path.join(self.folder, "hello")], cwd=self.source).split()]
        assert len(numbers) == 10 and abs(sum(numbers) - 1) < 0.01, f"no ten probabilities: {numbers}"

    def run_all(self):
        kinds = {"./dev ": self.dev, "build/release/bin/onnx-run ": self.tool, "cmake --install ": self.install, "g++ ": self.compile}
        for block in re.findall(r"```sh\n(.*?)```", self.text, re.S):
            for line in block.splitlines():
                kind = next((start for start in kinds if line.startswith(start)), None)
                assert kind, f"no test runs: {line}"
                kinds[kind](line)
                self.ran.add(kind)
        assert self.ran == set(kinds), f"the README shows only {self.ran}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        Readme(*sys.argv[1:4], folder).run_all()


main()

"""Runs every command of the pages in docs/ and compares what it prints with what the page shows.

Usage: docs_test.py SOURCE_DIR BINARY_DIR CXX CC [PAGE...]

The commands of a page run in the root of the repository, each block in a shell of its own, with the build under test as build/release and a folder of the test's own
as /tmp. pages.py says how blocks are marked. Blocks of Python are run by tests/python/docs_test.py, pieces of C and C++ compiled by
tests/examples/docs_test.py; a block that none of them tests is an error.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pages

SOURCE, BINARY = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
COMPILERS = {"g++": sys.argv[3], "gcc": sys.argv[4]}
ELSEWHERE = {("c_api.md", "c"), ("cpp.md", "cpp"), ("migrating-from-onnxruntime.md", "cpp")}  # tests/examples/docs_test.py
OPTIONAL = {"go": r"\bgo build\b", "rustc": r"^rustc "}  # compilers that may be missing, and what calls them


class Page:
    def __init__(self, path, folder):
        self.path, self.folder = path, Path(folder)
        self.text = path.read_text(encoding="utf-8")
        self.problems, self.ran, self.left_out = [], 0, []

    def here(self, text):
        return text.replace("/tmp/", f"{self.folder}/").replace("build/release", str(BINARY))

    def there(self, text):
        return text.replace(str(BINARY), "build/release").replace(f"{self.folder}/", "/tmp/")

    def test(self, block):
        if reason := block.left_out():
            self.left_out.append(f"{block.place} ({reason})")
        elif block.mark == "file":
            assert block.argument.startswith("/tmp/"), f"{block.place}: files are written to /tmp"
            assert f"`{block.argument}`" in self.text, f"{block.place}: the text does not say that this is {block.argument}"
            Path(self.here(block.argument)).write_text(self.here(block.code), encoding="utf-8")
        elif block.mark == "from":
            if not pages.is_part_of(block.code, (SOURCE / block.argument).read_text(encoding="utf-8")):
                self.problems.append(f"{block.place}: this is not in {block.argument}:\n{block.code}")
        elif block.language == "sh":
            self.run(block)
        elif block.language != "python" and (self.path.name, block.language) not in ELSEWHERE:
            self.problems.append(f"{block.place}: no test knows what to do with a block of '{block.language}'")

    def run(self, block):
        missing = [tool for tool, call in OPTIONAL.items() if re.search(call, block.code, re.M) and not shutil.which(tool)]
        if missing:
            self.left_out.append(f"{block.place} ({missing[0]} is not installed)")
            return
        code = self.here(block.code)
        for name, compiler in COMPILERS.items():
            code = re.sub(rf"^{re.escape(name)} ", lambda _, compiler=compiler: compiler + " ", code, flags=re.M)
        environment = {**os.environ, "PATH": f"{BINARY}/bin:{os.environ['PATH']}", "GOCACHE": str(self.folder / "go"), "GOFLAGS": "-mod=mod", "GOPROXY": "off", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", code], cwd=SOURCE, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=600)
        shown = self.there(done.stdout)
        expected = int(block.argument) if block.mark == "exit" else 0
        self.ran += 1
        if done.returncode != expected:
            self.problems.append(f"{block.place}: exit code {done.returncode} instead of {expected}\n{block.code}{shown}")
        elif block.shows is not None and not pages.agrees(block.shows, shown):
            self.problems.append(f"{block.place}: the page shows\n{block.shows}and this came out\n{shown}")


def main():
    assert pages.agrees("a ... c\n...\nd\n", "a b c\n1\n2\nd") and not pages.agrees("a\n", "a b") and not pages.agrees("a ... b\n", "a c")
    assert pages.is_part_of("  x;\n...\n  z;\n", "x;\ny;\nz;\n") and not pages.is_part_of("z;\n...\nx;\n", "x;\ny;\nz;\n")
    paths = sorted((SOURCE / "docs").glob("*.md"))
    if sys.argv[5:]:
        paths = [path for path in paths if path.name in sys.argv[5:]]
    problems, ran, left_out = [], 0, []
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            page = Page(path, os.path.realpath(folder))
            for block in pages.blocks(path):
                page.test(block)
        print(f"{path.name}: {page.ran} blocks of commands", flush=True)
        problems, ran, left_out = problems + page.problems, ran + page.ran, left_out + page.left_out
    print(f"Left out: {', '.join(left_out) or 'nothing'}")
    if problems or (ran < 30 and not sys.argv[5:]):
        sys.exit("\n".join(problems) or f"only {ran} blocks of commands were found")


main()

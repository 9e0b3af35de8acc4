"""Compiles the programs and pieces of docs/c_api.md, docs/cpp.md and docs/migrating-from-onnxruntime.md against the public headers.

Arguments: the source directory, the C++ and the C compiler.
"""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE, CXX, CC = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

# What the pieces take as given.
AROUND = """
#include <onnxrun/onnxrun.hpp>
#include <iostream>
#include <memory_resource>
int report(const onnxrun::Error& error);
int piece(const onnxrun::Session& session, const onnxrun::NamedValues& inputs, const std::vector<onnxrun::Tensor>& pieces);
int piece([[maybe_unused]] const onnxrun::Session& session, [[maybe_unused]] const onnxrun::NamedValues& inputs,
          [[maybe_unused]] const std::vector<onnxrun::Tensor>& pieces) {
  {
%s
  }
  return 0;
}
"""

# Of ONNX Runtime's Python.
THEIRS = {"run_async", "run_with_iobinding", "run_with_ort_values", "run_with_ortvaluevector", "run_options", "model_external_initializers_file_folder_path"}


def blocks(name, language):
    return re.findall(rf"```{language}\n(.*?)```", (SOURCE / "docs" / name).read_text(encoding="utf-8"), re.S)


class Docs(unittest.TestCase):
    def compile(self, compiler, suffix, code):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"piece{suffix}"
            path.write_text(code)
            done = subprocess.run([*compiler, "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-I", str(SOURCE / "include"),
                                   str(path)], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, code + done.stderr)

    def test_c(self):
        found = blocks("c_api.md", "c")
        self.assertEqual(len(found), 2)
        self.compile([CC, "-std=c99"], ".c", found[0] + found[1])

    def test_cpp(self):
        found = blocks("cpp.md", "cpp") + blocks("migrating-from-onnxruntime.md", "cpp")
        self.assertEqual(len(found), 6)
        pieces = ["{\n" + block + "}\n" for block in found]
        self.compile([CXX, "-std=c++20"], ".cpp", AROUND % "\n".join(pieces))

    def test_functions_that_pages_name_exist(self):
        headers = "".join(path.read_text(encoding="utf-8") for path in (SOURCE / "include/onnxrun").iterdir())
        named = set()
        for name in ("c_api", "errors", "memory", "migrating-from-onnxruntime", "providers", "threads"):
            codes = re.findall(r"`([^`\n]+)`", (SOURCE / f"docs/{name}.md").read_text(encoding="utf-8"))
            named |= set(re.findall(r"\b(?:options|model|session|value|run|editor|status|blob|providers)_[a-z_]+\b(?!=)", " ".join(codes)))
        self.assertGreater(len(named), 40)
        self.assertEqual({name for name in named - THEIRS if not re.search(rf"\b{name}\b", headers)}, set())


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

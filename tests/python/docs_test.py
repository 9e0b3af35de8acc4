"""The examples in Python of the pages in docs/, of python/README.md and of the README, as they stand there; and that docs/migrating-from-onnxruntime.md speaks of every name of onnxruntime's."""

import asyncio
import contextlib
import importlib
import io
import os
import re
import sys
import tempfile
import types
import unittest
from pathlib import Path

import numpy as np
import onnxrun.onnxruntime

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/readme"))
import pages  # noqa: E402


def blocks(path):
    return re.findall(r"^```python\n(.*?)^```", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


class Docs(unittest.TestCase):
    def setUp(self):
        here = os.getcwd()
        self.addCleanup(os.chdir, here)
        os.chdir(ROOT)

    def run_page(self, path, folder):
        """Runs the blocks of a page in one namespace, with `folder` as its /tmp, and compares what they print with what the page shows."""
        names, count = {}, 0
        for block in pages.blocks(path):
            if block.language != "python" or block.mark == "from" or block.left_out():
                continue
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(block.code.replace("/tmp/", f"{folder}/"), block.place, "exec"), names)
            shown = printed.getvalue().replace(f"{folder}/", "/tmp/")
            if block.shows is not None:
                self.assertTrue(pages.agrees(block.shows, shown), f"{block.place}: the page shows\n{block.shows}and this came out\n{shown}")
            count += 1
        return names, count

    def test_pages(self):
        ran = {}
        for path in sorted((ROOT / "docs").glob("*.md")):
            with self.subTest(path.name), tempfile.TemporaryDirectory() as folder:
                names, ran[path.name] = self.run_page(path, folder)
                if path.name == "python.md":
                    self.assertEqual(asyncio.run(names["answer"]())["probabilities"].shape, (1, 10))
                    self.assertEqual(names["array"].tolist(), names["target"].tolist())
        self.assertGreater(ran["python.md"], 5)
        self.assertGreater(sum(ran.values()), ran["python.md"] + 5)

    def test_the_projects_readme(self):
        (block,) = blocks("README.md")
        exec(compile(block, "README.md", "exec"), {})

    def test_readme(self):
        for block in blocks("python/README.md"):
            exec(compile(block.replace('"model.onnx"', '"examples/digits/digits.onnx"'), "python/README.md", "exec"),
                 {"image": np.zeros((1, 1, 8, 8), np.float32)})

    def test_every_name_is_spoken_of(self):
        """Every public name of onnxruntime's package and of its main classes, and every one of ours, stands in the page."""
        text = (ROOT / "docs/migrating-from-onnxruntime.md").read_text(encoding="utf-8")
        modules = [onnxrun.onnxruntime]
        with contextlib.suppress(ImportError):
            modules.append(importlib.import_module("onnxruntime"))
        names = set()
        for module in modules:
            kinds = (module, module.InferenceSession, module.SessionOptions, module.RunOptions, module.OrtValue, module.IOBinding, module.ModelMetadata, module.NodeArg)
            names |= {name for kind in kinds for name in dir(kind) if not name.startswith("_") and not isinstance(getattr(kind, name), types.ModuleType)}
        names -= {"annotations", "cuda_version", "package_name", "VERSION", "import_capi_exception", "Session", "count", "index"}  # by-products of files and of named tuples
        self.assertEqual({name for name in names if not re.search(rf"\b{name}\b", text)}, set())


if __name__ == "__main__":
    unittest.main()

"""The wheel that `pip install ./python` builds, from a clean copy of the sources: what is in it, that it works elsewhere, and what a machine without the
compiler or a package is told.

Builds without a network, with the interpreter's own packages in place of those that pip would fetch.
"""

import os
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def sources_to(folder):
    """Copies what git knows, or where that is not a checkout, everything but what was built."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if path.is_file() and "build" not in path.relative_to(ROOT).parts[:1]]
    for name in names:
        target = folder / name
        if (ROOT / name).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.source = Path(cls.folder.name) / "clone"
        sources_to(cls.source)

    def build(self, *arguments, **environment):
        output = Path(self.folder.name) / "wheels"
        if not os.environ.get("ONNXRUN_ONEDNN_ROOT"):
            environment["ONNXRUN_ONEDNN_ROOT"] = ""
        return output, subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation", "-w", output,
             *arguments, "./python"], cwd=self.source, capture_output=True, text=True, env={**os.environ, **environment})

    def test_builds_and_works(self):
        output, done = self.build()
        self.assertEqual(done.returncode, 0, done.stdout[-5000:] + done.stderr[-5000:])
        wheel, = output.glob("onnxrun-*.whl")
        with zipfile.ZipFile(wheel) as file:
            names = set(file.namelist())
        for name in ("onnxrun/__init__.py", "onnxrun/py.typed", "onnxrun/_native.pyi", "onnxrun/onnxruntime/__init__.py", "onnxrun/libonnxrun.so.0",
                     "onnxrun/licences/LICENSE"):
            self.assertIn(name, names)
        self.assertEqual([name for name in names if name.endswith((".a", ".h", ".hpp", ".cmake"))], [])
        if "onnxrun/libonnxrun_dnnl.so.3" in names:
            self.assertTrue(any(name.startswith("onnxrun/licences/onednn/") for name in names))
        # Elsewhere, where neither the sources nor what they were built into can be found.
        elsewhere = Path(self.folder.name) / "elsewhere"
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", elsewhere, wheel],
                       check=True)
        self.source.rename(self.source.with_name("gone"))
        self.addCleanup(self.source.with_name("gone").rename, self.source)
        code = f"""
import numpy as np, onnxrun
assert onnxrun.__file__.startswith({str(elsewhere)!r}), onnxrun.__file__
print(onnxrun.Session({str(ROOT / "examples/digits/digits.onnx")!r}).run([np.zeros((1, 1, 8, 8), np.float32)])[0].shape)
maps = open("/proc/self/maps").read()
assert {str(elsewhere)!r} + "/onnxrun/libonnxrun.so.0" in maps and "/lib/libonnxrun.so" not in maps, maps
"""
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "LD_LIBRARY_PATH")}
        ran = subprocess.run([sys.executable, "-c", code], cwd=elsewhere, capture_output=True, text=True, env=dict(environment, PYTHONPATH=str(elsewhere)))
        self.assertEqual((ran.returncode, ran.stdout.strip()), (0, "(1, 10)"), ran.stderr)

    def test_a_missing_compiler_is_named(self):
        _, done = self.build(CXX="no-such-compiler")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("there is no 'no-such-compiler'", done.stdout + done.stderr)
        self.assertIn("apt-get install --no-install-recommends g++", done.stdout + done.stderr)

    def test_missing_packages_are_named_together(self):
        _, done = self.build("-Ccmake.define.CMAKE_DISABLE_FIND_PACKAGE_fmt=ON", "-Ccmake.define.CMAKE_DISABLE_FIND_PACKAGE_Protozero=ON",
                             "-Cbuild-dir=" + os.path.join(self.folder.name, "missing"))
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("apt-get install --no-install-recommends libfmt-dev libprotozero-dev", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()

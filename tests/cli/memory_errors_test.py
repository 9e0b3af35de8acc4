"""The main paths of onnx-run under valgrind: no read or write outside of memory, no use of what was never set, no leak."""

import shutil
import subprocess
import unittest

import onnx_bytes as ob
from cli_case import CLI, MODEL, OK, ROOT, RUN, CliCase

VALGRIND = shutil.which("valgrind")
FOUND = 99


@unittest.skipUnless(VALGRIND, "no valgrind here")
class MemoryErrors(CliCase):
    def watched(self, *args, code=OK):
        command = [VALGRIND, "-q", f"--error-exitcode={FOUND}", "--leak-check=full", "--errors-for-leak-kinds=definite,possible", CLI]
        done = subprocess.run([*command, *map(str, args)], capture_output=True, text=True, errors="replace", timeout=1200)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)

    def test_running(self):
        self.watched("run", ROOT / "examples/digits/digits.onnx", "--input", f"image={ROOT / 'examples/digits/7.png'}", "--threads", 2, "--output-dir", self.dir)

    def test_reading_and_writing(self):
        digits = ROOT / "examples/digits/digits.onnx"
        self.watched("inspect", digits, "--explain", "--shapes", "--json")
        self.watched("optimize", digits, "-o", self.dir / "o.onnx")
        self.watched("check", digits, "--untrusted")

    def test_failing(self):
        self.watched("check", self.write("bad.onnx", (ROOT / "examples/digits/digits.onnx").read_bytes()[:3000]), code=MODEL)
        self.watched("run", self.write("loop.onnx", ob.endless()), "--timeout", 1, code=RUN)


if __name__ == "__main__":
    unittest.main()

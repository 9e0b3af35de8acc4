"""How a test of onnx-run calls it: exit codes, first lines of errors, files in a folder of its own."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

CLI = os.environ["ONNX_RUN"]
ROOT = Path(__file__).resolve().parents[2]
OK, MISMATCH, USAGE, MODEL, RUN = range(5)


class CliCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)

    def write(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    def call(self, *args, code=OK, says=()):
        done = subprocess.run([CLI, *map(str, args)], capture_output=True, text=True, errors="replace", timeout=120)
        self.assertEqual(done.returncode, code, f"{args}\n{done.stdout}\n{done.stderr}")
        # What is slow tells of its progress before.
        first = next((line for line in done.stderr.splitlines() if not line.startswith("calibration: sample")), "")
        if code > MISMATCH:
            self.assertTrue(first, f"{args} says nothing")
        for part in [says] if isinstance(says, str) else says:
            self.assertIn(part, first)
        return done.stdout

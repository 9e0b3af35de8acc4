"""validate: agreement, timings, and what it says where a model is not what it was exported from."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnxrun

import models

EXPORTS = os.environ.get("ONNXRUN_EXPORTS_PYTHON", "")
X = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
WEIGHTS = "<float[3,3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9}>"
MODEL = models.parse(f"g (float[n,3] x) => (float[n,3] y) {WEIGHTS} {{ a = MatMul(x, w) y = Relu(a) }}")
W = np.arange(1, 10, dtype=np.float32).reshape(3, 3)


def reference(x):
    return np.maximum(x @ W, 0)


class Validating(unittest.TestCase):
    def test_agreement(self):
        result = onnxrun.validate(reference, MODEL, X, batches=[1, 4, 16], repeat=3)
        self.assertTrue(result, str(result))
        self.assertEqual([row.batch for row in result.rows], [1, 4, 16])
        self.assertTrue(all(row.reference_ms > 0 and row.onnxrun_ms > 0 for row in result.rows))
        self.assertIn("batch 16: agrees", str(result))
        for outputs in (reference(X), [reference(X)], {"y": reference(X)}):
            self.assertTrue(onnxrun.validate(outputs, onnxrun.Model(MODEL), {"x": X}, repeat=0))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "outputs.npz"
            np.savez(path, y=reference(X))
            self.assertTrue(onnxrun.validate(path, MODEL, [X], repeat=0))
        with self.assertRaises(onnxrun.InvalidArgument):
            onnxrun.validate(reference(X), MODEL, X, batches=[1])

    def test_differences(self):
        result = onnxrun.validate(lambda x: reference(x) + 5 * (x > 0.5), MODEL, X, repeat=0)
        self.assertFalse(result)
        row = result.rows[0]
        self.assertAlmostEqual(row.outputs[0].max_abs, 5, places=4)
        self.assertAlmostEqual(row.outputs[0].wrong, 2 / 6)
        self.assertIn("differs", str(result))
        shape = onnxrun.validate(lambda x: reference(x)[:, :2], MODEL, X, repeat=0)
        self.assertIn("the shape is [2, 3], the reference's [2, 2]", str(shape))
        small = onnxrun.validate(lambda x: reference(x) * 1.002, MODEL, X, repeat=0)
        self.assertIn("precision", small.causes[0])

    def test_causes(self):
        fixed = models.parse(f"g (float[2,3] x) => (float[2,3] y) {WEIGHTS} {{ a = MatMul(x, w) y = Relu(a) }}")
        result = onnxrun.validate(reference, fixed, X, batches=[2, 5], repeat=0)
        self.assertEqual([row.agrees for row in result.rows], [True, False])
        self.assertTrue(any("fixed dimension" in cause for cause in result.causes), result.causes)
        missing = onnxrun.validate(reference, models.parse("g (float[n,3] x) => (float[n,3] y) { y = NoSuchOne(x) }"), X)
        self.assertIn("missing operator", missing.causes[0])
        self.assertFalse(missing)
        self.assertFalse(onnxrun.validate(reference, b"junk", X))
        training = models.parse("g (float[n,3] x) => (float[n,3] y) <float[3] o = {1, 1, 1}, float[3] z = {0, 0, 0}> { y, m, v = BatchNormalization <training_mode = 1> (x, o, z, z, o) }")
        told = onnxrun.validate(lambda x: x, training, X, repeat=0)
        self.assertTrue(any("training mode" in cause for cause in told.causes), told.causes)

    @unittest.skipUnless(EXPORTS and os.access(EXPORTS, os.X_OK), "torch is not here: ./dev fetch exports")
    def test_torch_modules(self):
        code = """
import json, sys, tempfile, warnings
warnings.simplefilter("ignore")
import torch, onnxrun
torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2)).eval()
x = torch.randn(3, 4)
with tempfile.TemporaryDirectory() as folder:
    path = folder + "/net.onnx"
    torch.onnx.export(net, (x,), path, dynamic_axes={"input": {0: "batch"}}, input_names=["input"], dynamo=False)
    good = onnxrun.validate(net, path, x, batches=[1, 8], repeat=1)
    with torch.no_grad():
        net[2].weight.mul_(2)
    bad = onnxrun.validate(net, path, x, repeat=0)
print(json.dumps([bool(good), bool(bad), bad.first_difference]))
"""
        done = subprocess.run([EXPORTS, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        good, bad, where = json.loads(done.stdout.splitlines()[-1])
        self.assertTrue(good)
        self.assertFalse(bad)
        self.assertIn("module '2' (Linear)", where)


if __name__ == "__main__":
    unittest.main()

"""Tensors of torch, in and out without copies. Run by the Python that ONNXRUN_EXPORTS_PYTHON names, which has torch (`./dev fetch exports`)."""

import os
import subprocess
import unittest

EXPORTS = os.environ.get("ONNXRUN_EXPORTS_PYTHON", "")

CODE = """
import gc, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, onnxrun, torch
import models

session = onnxrun.Session(models.ADD)
x = torch.arange(6, dtype=torch.float32).reshape(2, 3)
value, = session.run({"x": x, "y": x}, as_values=True).values()
result = torch.from_dlpack(value)
assert result.data_ptr() == value.address and result.tolist() == (2 * x).tolist()
del value
gc.collect()
result += 1
assert result.tolist() == (2 * x + 1).tolist()

for dtype in ("bfloat16", "float16", "float64", "int8", "uint8", "int64", "bool", "complex64"):
    name = {"float64": "double"}.get(dtype, dtype)
    given = torch.tensor([0, 1, 1, 0]).to(getattr(torch, dtype))
    value, = onnxrun.Session(models.identity(name)).run([given], as_values=True)
    back = torch.from_dlpack(value)
    assert back.dtype == given.dtype and torch.equal(back, given), dtype

shared = onnxrun.Value(x)
assert shared.address == x.data_ptr()
scalar, = onnxrun.Session(models.identity("float", "")).run([torch.tensor(3.0)])
assert scalar == 3
for bad in (x.t(), x.clone().requires_grad_(), x.to(torch.float64)):
    try:
        session.run({"x": bad, "y": x})
    except (onnxrun.InvalidArgument, BufferError) as error:
        print(type(error).__name__)
print(x.tolist() == torch.arange(6, dtype=torch.float32).reshape(2, 3).tolist())
"""


@unittest.skipUnless(EXPORTS and os.access(EXPORTS, os.X_OK), "torch is not here: ./dev fetch exports")
class Torch(unittest.TestCase):
    def test_tensors(self):
        done = subprocess.run([EXPORTS, "-W", "ignore", "-c", CODE, os.path.dirname(os.path.abspath(__file__))],
                              capture_output=True, text=True, timeout=600)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split(), ["InvalidArgument", "BufferError", "InvalidArgument", "True"])


if __name__ == "__main__":
    unittest.main()

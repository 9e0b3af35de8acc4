"""One process that loads onnxrun, another oneDNN, protobuf, ONNX Runtime and PyTorch: in each order of loading, with symbols local or global, each gives
what it gives alone.

ONNXRUN_EXTENSION is the folder of the Python package, ONNXRUN_OTHER_ONEDNN a shared oneDNN. The processes are those of the interpreters ONNXRUN_PEERS_PYTHON
(which has ONNX Runtime and protobuf) and ONNXRUN_EXPORTS_PYTHON (PyTorch as well), which ./dev fetch makes; a part that is missing there is left out by name.
"""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

DIGITS = Path(__file__).resolve().parents[2] / "examples/digits/digits.onnx"

CHILD = r'''
import ctypes, hashlib, json, os, sys
order, symbols, digits = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
if symbols == "global":
    sys.setdlopenflags(os.RTLD_NOW | os.RTLD_GLOBAL)
import numpy as np
image = (np.arange(64, dtype=np.float32) * 7 % 16 / 16).reshape(1, 1, 8, 8)
def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()

def load_onnxrun():
    import onnxrun
    session = onnxrun.Session(digits, threads=1)
    return lambda: digest(session.run({"image": image})["probabilities"])
def load_onnxruntime():
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(digits, options, providers=["CPUExecutionProvider"])
    return lambda: digest(session.run(None, {"image": image})[0])
def load_protobuf():
    import onnx
    return lambda: hashlib.sha256(onnx.load(digits).SerializeToString(deterministic=True)).hexdigest()
def load_torch():
    import torch
    torch.set_num_threads(1)
    torch.manual_seed(1)
    x, w = torch.randn(2, 16, 20, 20), torch.randn(32, 16, 3, 3)
    return lambda: digest(torch.relu(torch.nn.functional.conv2d(x, w, padding=1)).numpy())
def load_onednn():
    library = ctypes.CDLL(os.environ["ONNXRUN_OTHER_ONEDNN"], mode=ctypes.RTLD_GLOBAL if symbols == "global" else ctypes.RTLD_LOCAL)
    n = 64
    a, b = ((np.arange(n * n, dtype=np.float32) * k % 17).reshape(n, n) for k in (3, 5))
    def multiply():
        c = np.zeros((n, n), np.float32)
        size, one, zero = ctypes.c_int64(n), ctypes.c_float(1), ctypes.c_float(0)
        status = library.dnnl_sgemm(ctypes.c_char(b"N"), ctypes.c_char(b"N"), size, size, size, one, a.ctypes.data_as(ctypes.c_void_p), size,
                                    b.ctypes.data_as(ctypes.c_void_p), size, zero, c.ctypes.data_as(ctypes.c_void_p), size)
        assert status == 0, status
        assert (c == a @ b).all()
        return digest(c)
    return multiply

runs = {name: globals()["load_" + name]() for name in order}
first = {name: runs[name]() for name in order}
second = {name: runs[name]() for name in reversed(order)}
assert first == second, (first, second)
print(json.dumps(first))
'''


def results(python, order, symbols):
    environment = {**os.environ, "PYTHONPATH": os.environ["ONNXRUN_EXTENSION"], "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([python, "-W", "ignore", "-c", CHILD, json.dumps(order), symbols, DIGITS], env=environment, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{', '.join(order)} with {symbols} symbols ended with {done.returncode}\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def has(python, module):
    return subprocess.run([python, "-c", f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{module}') is None)"]).returncode == 0


class Coexistence(unittest.TestCase):
    def everybody(self, python, parts):
        """Each is loaded first once and last once, before and after each of the others."""
        alone = {part: results(python, [part], "local")[part] for part in parts}
        for turn in range(len(parts)):
            rotated = parts[turn:] + parts[:turn]
            for order in (rotated, rotated[::-1]):
                for symbols in ("local", "global"):
                    with self.subTest(order=order, symbols=symbols):
                        self.assertEqual(results(python, order, symbols), alone)

    def parts_of(self, python, wanted):
        modules = {"onnxruntime": "onnxruntime", "protobuf": "onnx", "torch": "torch"}
        missing = [part for part in wanted if part in modules and not has(python, modules[part])]
        if "onednn" in wanted and not os.environ.get("ONNXRUN_OTHER_ONEDNN"):
            missing.append("onednn")
        if missing:
            print(f"left out, as {python} has no", *missing, file=sys.stderr)
        return [part for part in wanted if part not in missing]

    def interpreter(self, variable):
        python = os.environ.get(variable, "")
        if not python or not Path(python).exists():
            self.skipTest(f"{variable} names no interpreter: ./dev fetch makes one")
        return python

    def test_with_onnxruntime_protobuf_and_another_onednn(self):
        python = self.interpreter("ONNXRUN_PEERS_PYTHON")
        self.everybody(python, self.parts_of(python, ["onnxrun", "onednn", "onnxruntime", "protobuf"]))

    def test_with_pytorch_too(self):
        python = self.interpreter("ONNXRUN_EXPORTS_PYTHON")
        if not has(python, "torch"):
            self.skipTest(f"{python} has no PyTorch")
        self.everybody(python, self.parts_of(python, ["onnxrun", "torch", "onednn", "onnxruntime", "protobuf"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)

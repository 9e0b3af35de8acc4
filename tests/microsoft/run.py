"""Runs the differential tests of this folder with the Python that ONNXRUN_PEERS_PYTHON names, which has ONNX Runtime; 77 without one.

    run.py LIBRARY
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

if __name__ == "__main__":
    python = os.environ.get("ONNXRUN_PEERS_PYTHON")
    if not python:
        print("ONNXRUN_PEERS_PYTHON is not set")
        sys.exit(77)
    codes = [subprocess.run([python, HERE / script, sys.argv[1]]).returncode for script in ("differential.py", "llama.py")]
    sys.exit(next((code for code in codes if code not in (0, 77)), codes[0]))

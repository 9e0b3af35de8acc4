#!/usr/bin/env python3
"""Compares ai.onnx.ml's operators on single nodes with ONNX Runtime, and with NumPy where that has no kernel or another convention.

    compare.py [--cli FILE] [--filter REGEX] [--seed N] [--keep DIR] [--jobs N]

Each operator runs over its versions, types, shapes (vectors, empty, several dimensions), attributes and conventions. The last line says how many
passed and failed; exit code 1 if any failed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import node_case
import elements
import models
import trees

ROOT = Path(__file__).resolve().parents[3]


def main():
    parser = argparse.ArgumentParser(description="Compare single ai.onnx.ml operators with ONNX Runtime and NumPy.")
    parser.add_argument("--cli", type=Path, default=ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="write the cases here and keep them")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = options.keep or Path(folder)
        count, bad = 0, 0
        for part in (elements, models, trees):
            for case in part.cases(options.seed):
                if not re.search(options.filter, case.name):
                    continue
                count += 1
                try:
                    node_case.write(case, folder / case.op / case.name)
                except Exception as error:  # the peer refuses the model: the case is wrong
                    bad += 1
                    print(f"FAILED {case.name}: {type(error).__name__}: {str(error)[:300]}", flush=True)
        if count == 0:
            parser.error(f"no case matches {options.filter!r}")
        done = subprocess.run([str(options.cli), "test", str(folder), "--threads=2", f"--jobs={options.jobs}"], text=True, check=False)
        found = len(list(folder.glob("*/*/model.onnx")))
        if found + bad != count:
            print(f"FAILED: {count} cases, but {found} folders: two have one name")
            return 1
    return 1 if done.returncode != 0 or bad else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Builds small models of Keras and of JAX, exports each with the exporters that people use, and writes them as test folders with the frameworks' own outputs.

    frameworks.py OUT_DIR [--only NAME…] [--list]

Result: OUT_DIR/<model>_<exporter>/model.onnx, data.json with "rtol" and "atol", and a test_data_set_N for batch 1 and for batch 3 where the model is free in it, as
`onnx-run test` takes them. Weights are random with a fixed seed. Folders that are there are kept, so that a second call makes what is missing. Needs the packages of
third_party/python/frameworks.txt.
"""

import argparse
import importlib
import os
import shutil
import sys
import warnings
from pathlib import Path

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", TF_ENABLE_ONEDNN_OPTS="0", JAX_PLATFORMS="cpu", KERAS_BACKEND="tensorflow")

GROUPS = ("jax_models", "keras_models")


def main():
    parser = argparse.ArgumentParser(description="Write models of Keras and JAX as test folders.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these models")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    from trained_models.case import write
    made = 0
    for group in GROUPS:
        for name, export in importlib.import_module(f"framework_models.{group}").cases():
            if options.list:
                print(name)
            elif not (options.out / name).exists() and (not options.only or name in options.only):
                new = options.out / f"{name}.new"
                shutil.rmtree(new, ignore_errors=True)
                write(export(), new)
                new.rename(options.out / name)
                made += 1
    if not options.list:
        print(f"{made} models made in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

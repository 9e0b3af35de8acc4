#!/usr/bin/env python3
"""Trains small models of scikit-learn, XGBoost and LightGBM, converts them, and writes them as test folders with the libraries' own predictions.

    trained.py OUT_DIR [--only NAME…] [--list]

Result: OUT_DIR/<group>/<model>/model.onnx, data.json with "rtol" and "atol", and test_data_set_0/{input_I,output_I}.pb, as `onnx-run test` takes them.
Data are those that scikit-learn ships and a few made with a fixed seed. OUT_DIR appears whole or not at all; a complete one of the same packages and scripts is
kept. Needs the packages of third_party/python/sklearn.txt.
"""

import argparse
import hashlib
import os
import shutil
import sys
import warnings
from pathlib import Path

# One thread each: the models are small.
os.environ.setdefault("OMP_NUM_THREADS", "1")

HERE = Path(__file__).resolve().parent
STAMP = ".complete"
GROUPS = ("trees", "boosting", "linear", "others", "pipelines")


def stamp():
    """Changes with the scripts and the pinned packages."""
    digest = hashlib.sha256()
    for file in [Path(__file__).resolve(), *sorted((HERE / "trained_models").glob("*.py")), HERE.parents[1] / "third_party/python/sklearn.txt"]:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def all_cases():
    import importlib

    for group in GROUPS:
        for case in importlib.import_module(f"trained_models.{group}").cases():
            yield group, case


def main():
    parser = argparse.ArgumentParser(description="Write models of scikit-learn and its kin as test folders.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="write these models into OUT_DIR, which may exist")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if not (options.only or options.list) and (options.out / STAMP).is_file() and (options.out / STAMP).read_text() == stamp():
        return 0
    warnings.simplefilter("ignore")
    from trained_models import case as writer
    target = options.out if options.only else options.out.with_name(options.out.name + ".new")
    if not options.only and not options.list:
        shutil.rmtree(target, ignore_errors=True)
    count = 0
    for group, case in all_cases():
        if options.list:
            print(f"{group}/{case.name}")
        elif not options.only or case.name in options.only:
            shutil.rmtree(target / group / case.name, ignore_errors=True)
            writer.write(case, target / group / case.name)
            count += 1
    if options.list:
        return 0
    if not options.only:
        (target / STAMP).write_text(stamp())
        shutil.rmtree(options.out, ignore_errors=True)
        target.rename(options.out)
    print(f"{count} models in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

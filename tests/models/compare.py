#!/usr/bin/env python3
"""Runs real models with onnx-run and compares the outputs with ONNX Runtime's on the same inputs.

    compare.py PATH… [--cli FILE] [--cache DIR] [--filter REGEX] [--threads N] [--timeout SECONDS] [--argument ARG]…

PATH is a folder of <name>/model.onnx or one .onnx file. Each model runs at all sizes of its description (inputs.py) on two
sets of seeded inputs. A row of the table is one model at one size:

    error    largest |a − b| over both sets and all outputs, in units of 1e-4 + 1e-4·|b|; integers and strings are exact
    allowed  1; or, where ONNX Runtime with and without optimisation differ by more than 1 unit, twice that difference. Where a
             description names float64 as judge, a larger error counts against a float64 run instead, by the same measure
    moved    how far the least moving output goes between the two sets: more than 100, except in light_* models, whose weights
             are constant, and in outputs that a description lists as "still"

A last row, "one session", runs all sizes twice in one session: outputs must be the same to the last bit as those of single runs.

Last line: N passed, N failed, N skipped (by rows; skipped: ONNX Runtime does not run the model). Exit code 1 if any failed.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import exact
import inputs
import one_session
import reference

ROOT = Path(__file__).resolve().parents[2]
MUST_MOVE = 100.0
CONSTANT_WEIGHTS = re.compile(r"light_.*")


class CaseFailed(Exception):
    pass


def find_models(paths):
    for path in paths:
        if path.is_file():
            yield path.stem, path
        elif path.is_dir():
            found = sorted(path.glob("*/model.onnx"))
            if not found:
                raise FileNotFoundError(f"{path} holds no <name>/model.onnx")
            for model in found:
                yield model.parent.name, model
        else:
            raise FileNotFoundError(f"{path} does not exist")


def read_output(folder, name):
    """An output's array; a name with characters that a file name cannot hold has them replaced by '_'."""
    for stem in (name, re.sub(r"[^A-Za-z0-9._-]", "_", name)):
        file = folder / f"{stem}.npy"
        if file.exists():
            return np.load(file, allow_pickle=False)
    raise CaseFailed(f"no file for output {name}; written: {', '.join(sorted(p.name for p in folder.iterdir())) or 'nothing'}")


def run_ours(options, path, feeds, outputs):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        command = [str(options.cli), "run", str(path), "--quiet", f"--threads={options.threads}"]
        for i, (name, array) in enumerate(feeds.items()):
            np.save(folder / f"{i}.npy", array)
            command += ["--input", f"{name}={folder / f'{i}.npy'}"]
        results = folder / "results"
        results.mkdir()
        command += ["--output-dir", str(results), *options.argument]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=options.timeout)
        except subprocess.TimeoutExpired:
            raise CaseFailed(f"no result after {options.timeout} s") from None
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or ["(nothing on standard error)"]
            how = f"exit code {done.returncode}" if done.returncode >= 0 else f"killed by signal {-done.returncode}"
            raise CaseFailed(f"{how}: {lines[0]}")
        return [read_output(results, name) for name in outputs]


def run_plainly(options, path, feeds, outputs):
    """As the file is written, by the plainest kernels."""
    return run_ours(argparse.Namespace(**{**vars(options), "argument": ["--level=0", "--kernels=reference"]}), path, feeds, outputs)


def compare_size(options, name, path, ref, k):
    """Returns error, allowance, movement and one (inputs, outputs) at size number k; raises CaseFailed with the reason of a failure."""
    size = ref.description["sizes"][k]
    ours = {seed: run_ours(options, path, inputs.draw(ref.description, size, seed), ref.outputs) for seed in ref.values[k]}
    worst, allowed, moved = 0.0, 1.0, float("inf")
    reasons = []
    for i, output in enumerate(ref.outputs):
        own = ref.agreement[k][i]
        allowance = 1.0 if own <= 1.0 else 2 * own
        allowed = max(allowed, allowance)
        for seed, theirs in ref.values[k].items():
            a, b = ours[seed][i], theirs[i]
            if a.shape != b.shape or (a.dtype != b.dtype and not a.dtype.kind == b.dtype.kind == "U"):
                reasons.append(f"{output} is {a.dtype}{list(a.shape)}, expected {b.dtype}{list(b.shape)}")
                continue
            error = reference.distance(a, b)
            if error > allowance and ref.description.get("judge") == "float64":
                error = reference.distance(a, exact.run(path, inputs.draw(ref.description, size, seed))[i])
            worst = max(worst, error)
            if not error <= allowance:
                reasons.append(f"{output} is off by {error:.3g} units on set {seed}")
        if not CONSTANT_WEIGHTS.fullmatch(name) and output not in ref.description.get("still", {}):
            step = reference.distance(ours[reference.CHANGED_SEED][i], ours[reference.BASE_SEED][i])
            moved = min(moved, step)
            if not step > MUST_MOVE:
                reasons.append(f"{output} moves by {step:.3g} units only")
    if reasons:
        raise CaseFailed("; ".join(reasons))
    return worst, allowed, moved, (inputs.draw(ref.description, size, reference.BASE_SEED), ours[reference.BASE_SEED])


def compare_one_session(options, path, runs):
    with tempfile.TemporaryDirectory() as folder:
        if what := one_session.check(options, path, runs, Path(folder)):
            raise CaseFailed(what)


def row(name, size, *cells):
    symbols = size if isinstance(size, str) else " ".join(f"{key}={value}" for key, value in size.items())
    return f"{name:28} {symbols:38} " + " ".join(f"{cell:>8}" for cell in cells)


def check_model(options, name, path, counts):
    try:
        ref = reference.get(name, path, options.cache)
    except Exception as error:  # any failure of the peer's, whatever its type, means that there is nothing to compare with
        counts["skipped"] += 1
        print(f"{name:28} skipped: ONNX Runtime: {str(error).splitlines()[0][:200]}", flush=True)
        return
    runs = []

    def count_row(size, compare):
        start = time.monotonic()
        try:
            cells = compare()
        except CaseFailed as failure:
            counts["failed"] += 1
            print(row(name, size, "FAILED"), f" {failure}", flush=True)
            return
        counts["passed"] += 1
        print(row(name, size, *cells, f"{time.monotonic() - start:.2f}"), flush=True)

    def one_size(k):
        worst, allowed, moved, single = compare_size(options, name, path, ref, k)
        runs.append(single)
        return f"{worst:.3f}", f"{allowed:.3g}", "-" if moved == float("inf") else f"{moved:.0f}"

    def all_sizes():
        compare_one_session(options, path, runs)
        return "-", "-", "-"

    for k, size in enumerate(ref.description["sizes"]):
        count_row(size, lambda k=k: one_size(k))
    if len(runs) > 1:
        count_row("one session", all_sizes)


def main():
    parser = argparse.ArgumentParser(description="Compare real models with ONNX Runtime.")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--cli", type=Path, default=ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--cache", type=Path, default=ROOT / "build/model-references", help="of ONNX Runtime's outputs")
    parser.add_argument("--filter", default="", metavar="REGEX", help="only models whose name matches")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("--argument", action="append", default=[], help="passed on to onnx-run, as --argument=--level=0")
    options = parser.parse_args()
    if not options.cli.exists():
        parser.error(f"{options.cli} does not exist; build it or name it by --cli")
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    try:
        models = [(name, path) for name, path in find_models(options.paths) if re.search(options.filter, name)]
    except FileNotFoundError as error:
        parser.error(str(error))
    if not models:
        parser.error(f"no model matches {options.filter!r}")
    print(row("model", "size", "error", "allowed", "moved", "s"))
    for name, path in models:
        check_model(options, name, path, counts)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

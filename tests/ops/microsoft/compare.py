#!/usr/bin/env python3
"""Compares com.microsoft's quantised operators with ONNX Runtime on single nodes, and with NumPy where it has no kernel.

    compare.py [--cli FILE] [--part NAME] [--filter REGEX] [--seed N] [--argument ARGUMENT]... [--list]

Each operator runs over types, shapes (broadcast, empty, rank 0), optional inputs, attributes, and constant and fed weights; those with kernels for
instruction sets also at every level that the machine has. Where rounding is deterministic, results are equal; a quantised result may differ
from ONNX Runtime's by one step where that computes in another order or precision (its fixed-point sums, its approximate logistic function). The
last line says how many passed and failed; exit code 1 if any failed. Arguments go to `onnx-run run`, as those that choose a provider: what it
refuses to run is counted, too.
"""

import argparse
import re
import sys
from pathlib import Path

import cases
import elementwise
import float8
import layers
import products
import weights

ROOT = Path(__file__).resolve().parents[3]
PARTS = {"elementwise": elementwise, "products": products, "float8": float8, "weights": weights, "layers": layers}
LEVELS = ("v2", "v3", "v4", "vnni")


def check(case, cli, arguments):
    """Why the case fails, empty when it passes."""
    try:
        model, outputs = cases.build(case)
        theirs = case.expected if case.expected is not None else cases.run_peer(model, case)
        for level in (None, *(LEVELS if case.levels else ())):
            ours = cases.run_ours(cli, model, outputs, case, level, arguments)
            for name, a, b in zip(outputs, ours, theirs):
                wrong = cases.difference(case, a, b)
                if wrong:
                    return f"{name} {wrong}" + (f" at level {level}" if level else "")
    except Exception as error:  # whatever goes wrong, here or in the peer, is a failure of the case
        return f"{type(error).__name__}: {str(error)[:500]}"
    return ""


def main():
    parser = argparse.ArgumentParser(description="Compare single com.microsoft operators with ONNX Runtime.")
    parser.add_argument("--cli", type=Path, default=ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--part", choices=PARTS, help="the cases of one file only; those of float8 do without ONNX Runtime")
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--argument", action="append", default=[])
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args()
    parts = [PARTS[options.part]] if options.part else PARTS.values()
    chosen = [case for part in parts for case in part.cases(options.seed) if re.search(options.filter, case.name)]
    if options.list:
        print("\n".join(case.name for case in chosen))
        return 0
    if not chosen:
        parser.error(f"no case matches {options.filter!r}")
    failed = refused = 0
    for case in chosen:
        wrong = check(case, options.cli, options.argument)
        if options.argument and "no provider runs" in wrong:
            refused += 1
        elif wrong:
            failed += 1
            print(f"FAILED {case.name}: {wrong}", flush=True)
    operators = len({case.op for case in chosen})
    print(f"{len(chosen) - failed - refused} passed, {failed} failed ({operators} operators)" + (f", {refused} refused" if refused else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

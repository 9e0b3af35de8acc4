#!/usr/bin/env python3
"""Runs random models of com.microsoft's operators here and in ONNX Runtime and compares the results.

    differential.py LIBRARY [--filter REGEX] [--count N] [--seed N] [--level 0..3] [--provider NAME --provider-library FILE[,OPTION=VALUE]...]
                    [--verbose]

LIBRARY is libonnxrun.so. Each module of random_cases/ yields families: an operator with a function that draws one case. A family is
drawn --count times (default: 12). Where ONNX Runtime's CPU has no kernel for a case's type, the case states it and the float32 model is the
reference, fed the same rounded values. A case that ONNX Runtime refuses for another reason counts as refused; a family all of whose cases are refused
fails, as does one with any disagreement. With a provider the models run on it alone; what it does not run counts as refused and fails nothing.

Last line: N agree, N disagree, N refused. Exit code 1 where a family failed, 77 without ONNX Runtime.
"""

import argparse
import importlib
import re
import sys
from pathlib import Path

try:
    import numpy as np
    import onnxruntime  # noqa: F401
except ImportError:
    sys.exit(77)

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "operators")]
import case  # noqa: E402
import native  # noqa: E402
import peer  # noqa: E402

ALL = sorted(p.stem for p in (HERE / "random_cases").glob("*.py"))


def lacks_kernel(error):
    return "NOT_IMPLEMENTED" in str(error) and "Could not find an implementation" in str(error) or "NOT_IMPLEMENTED : Failed to find kernel" in str(error)


def reference(drawn):
    """Outputs of ONNX Runtime; for a narrow type without kernels, of the float32 model on the same values."""
    if drawn.expected:
        return drawn.expected()
    drawn = drawn.for_peer()
    try:
        if drawn.dtype != "bfloat16":  # which its Python cannot be fed
            return peer.run(drawn)
        return peer.run(drawn.as_float32())
    except Exception as error:  # onnxruntime raises many kinds
        if not lacks_kernel(error) or drawn.dtype == "float32":
            raise
        return peer.run(drawn.as_float32())


def difference(drawn, ours, theirs):
    """What is wrong with an output, or None."""
    ours, theirs = drawn.align(ours, theirs)
    for index, (a, b) in enumerate(zip(ours, theirs)):
        a, b = drawn.select(index, np.asarray(a)), drawn.select(index, np.asarray(b))
        if a.shape != b.shape:
            return f"output {index}: shape {a.shape}, expected {b.shape}"
        if a.dtype.kind in "OU" or a.dtype.kind in "iub":
            if not np.array_equal(a.astype(b.dtype), b):
                return f"output {index}: {a.reshape(-1)[:40]} expected {b.reshape(-1)[:40]}"
            continue
        wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
        bound = drawn.tolerance
        bad = ~((np.abs(wide_a - wide_b) <= bound + bound * np.abs(wide_b)) | (wide_a == wide_b) | (np.isnan(wide_a) & np.isnan(wide_b)))
        if bad.any():
            where = tuple(int(i[0]) for i in np.nonzero(bad))
            return f"output {index}: {int(bad.sum())} of {bad.size} differ, at {where} {a[where]} expected {b[where]} (bound {bound:g})"
    if len(ours) != len(theirs):
        return f"{len(ours)} outputs, expected {len(theirs)}"
    return None


def check(ours, drawn, level, provider):
    """'agree', or ('refused' | 'disagree', why)."""
    try:
        expected = reference(drawn)
    except Exception as error:
        return "refused", str(error).replace("\n", " ")[:300]
    try:
        chosen = {"providers": provider} if provider else {}
        got = ours.run(drawn.model().SerializeToString(), drawn.feeds(), {"level": level, "threads": 2} | chosen)
    except native.RunError as error:
        if provider and "no provider runs" in str(error):
            return "refused", str(error)
        return "disagree", "failed: " + str(error)
    wrong = difference(drawn, got, expected)
    return ("disagree", wrong) if wrong else ("agree", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--filter", default="")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--level", type=int, choices=range(4), help="optimisation level, by default each case its own")
    parser.add_argument("--provider", metavar="NAME")
    parser.add_argument("--provider-library", metavar="FILE[,OPTION=VALUE]...")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    ours = native.Library(options.library)
    ours.plugin = options.provider_library
    totals = {"agree": 0, "disagree": 0, "refused": 0}
    failed = []
    for name in ALL:
        for family, draw in importlib.import_module(f"random_cases.{name}").FAMILIES.items():
            if not re.search(options.filter, family):
                continue
            counts = {"agree": 0, "disagree": 0, "refused": 0}
            shown = 0
            for i in range(options.count):
                drawn = draw(case.Random(family, options.seed, i))
                outcome, why = check(ours, drawn, i % 4 if options.level is None else options.level, options.provider)
                counts[outcome] += 1
                if (outcome == "disagree" or options.verbose and outcome == "refused") and shown < 3 + 20 * options.verbose:
                    shown += 1
                    print(f"  {family} #{i} {outcome}: {drawn.describe()}\n    {why}")
            bad = counts["disagree"] or not counts["agree"] and not options.provider
            if bad:
                failed.append(family)
            print(f"{'FAIL' if bad else 'ok  '} {family}: {counts['agree']} agree, {counts['disagree']} disagree, {counts['refused']} refused")
            for key in totals:
                totals[key] += counts[key]
    if failed:
        print("failed: " + ", ".join(failed))
    print(", ".join(f"{totals[key]} {key}" for key in totals))
    return 1 if failed or not totals["agree"] else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Runs the official suite on the CUDA provider and the double, or on a device.

    run.py SUITE_DIR --cli FILE --provider-library FILE[,OPTION=VALUE]... [--jobs N] [--filter REGEX] [--slow] [--write]

Each case runs with the provider cuda alone: what passes ran on the device, but for strings, shapes and control flow, which always are the
host's. A case counts as skipped when the reason is an operator, at these types, that not_on_device.txt lists; any other failure is one.
Entries of the list that no case needs fail the run, so that the list only shrinks; --write brings it up to date.

Last line: N passed, N failed, N skipped. Exit code 0 without failures, 1 with, 2 the suite could not be run.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIST = HERE / "not_on_device.txt"
HEAD = """# Operators of the official suite without a CUDA kernel, or with none for some types: the reason is what the provider says.
# tests/cuda_double/run.py fails when another operator is missing and when one of these is not: the list only shrinks.
"""
# Results that no other generator can give, and the training operators that are out of scope.
LEFT_OUT = re.compile(r"test_(bernoulli|random|gradient_of)")
# Networks that take the double's plain loops minutes.
SLOW = re.compile(r"^test_(vgg19|resnet50|densenet121|inception_v[12])$")
REFUSED = re.compile(r"no provider runs .*?\(([\w.]+)\)")
REASON = re.compile(r"^\s*cuda(?:/\w+)?: (.*)$", re.M)


def refusal(message):
    """What a case lacks, as a line of the list, or None for another failure."""
    operator = REFUSED.search(message.split("\n")[0])
    if not operator:
        return None
    reasons = sorted(set(REASON.findall(message)))
    return f"{operator[1]}  {'; '.join(reasons)}"


def run(options):
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        paths = [str(case) for kind in sorted(options.suite.iterdir()) if kind.is_dir()
                 for case in (sorted(kind.iterdir()) if kind.name == "real" else [kind]) if options.slow or not SLOW.match(case.name)]
        command = [str(options.cli), "test", *paths, "-j", str(options.jobs), "--json", str(report), "--provider", "cuda",
                   "--provider-library", options.provider_library]
        if options.filter:
            command += ["--filter", options.filter]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if done.returncode not in (0, 1) or not report.exists():
            print(f"{' '.join(command)} ended with {done.returncode}\n{done.stdout[-2000:]}")
            sys.exit(2)
        return json.loads(report.read_text())["cases"]


def main():
    parser = argparse.ArgumentParser(description="Run the official suite on the CUDA provider.")
    parser.add_argument("suite", type=Path)
    parser.add_argument("--cli", type=Path, required=True)
    parser.add_argument("--provider-library", required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--filter", default="")
    parser.add_argument("--slow", action="store_true", help="networks, too, that take the double minutes")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    listed = {line for line in LIST.read_text().splitlines() if line and not line.startswith("#")} if LIST.exists() else set()
    passed, failed, skipped, used = 0, [], 0, set()
    for case in run(options):
        if LEFT_OUT.search(case["name"]):
            continue
        lack = refusal(case.get("message", "")) if case["status"] == "failed" else None
        if case["status"] == "passed":
            passed += 1
        elif lack and (lack in listed or options.write):
            skipped += 1
            used.add(lack)
        else:
            failed.append(f"{case['name']}: {lack or ' '.join(case.get('message', case['status']).split())[:300]}")
    if options.write:
        LIST.write_text(HEAD + "\n" + "".join(f"{line}\n" for line in sorted(used)))
    elif not options.filter:
        failed += [f"not_on_device.txt lists what no case lacks: {line}" for line in sorted(listed - used)]
    for line in failed[:60]:
        print(line)
    print(f"{passed} passed, {len(failed)} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

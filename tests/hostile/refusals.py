#!/usr/bin/env python3
"""Models that have broken runtimes: each must end in a clear error, in time and without taking memory, or run.

    refusals.py [--library FILE] [--filter REGEX] [--unlimited]

Every case is tried with its values as graph inputs, all as constants, and all but the first as constants, at the lowest and the highest optimisation level, in a child
process that may take some seconds; refusal_cases/ holds them. An expected error must name the operator and match what the case expects. It may cost at most 64 MiB.

Last line: counts. Exit code 1 when any case did something else."""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests/operators")]

from refusal_cases import all_cases  # noqa: E402
from native import Library, RunError  # noqa: E402
from sandbox import Sandbox  # noqa: E402

MEMORY = 1 << 30


def prepare(path):
    def make():
        library = Library(path)

        def work(case):
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            before = memory("VmRSS")
            try:
                settings = {"max_memory": MEMORY, "threads": 2, "level": case["level"]} | case["settings"]
                library.run(case["model"], case["feeds"], settings, timeout=case["seconds"])
                message = None
            except RunError as error:
                message = str(error)
            except MemoryError:
                message = "out of memory in Python"
            return message, memory("VmHWM") - before

        return work

    return make


def memory(key):
    for line in open("/proc/self/status"):
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    return 0


def wrong(case, message, grown):
    """What is not as expected, or None."""
    if not case.expect:
        if message is None and 0 < case.most < grown:
            return f"takes {grown >> 20} MiB"
        return message and f"must run: {message}"
    if message is None:
        return "ran"
    text = " ".join(message.split())
    if "internal error" in text:
        return text
    if case.op not in text and "deadline" not in text:
        return f"does not name {case.op}: {text}"
    if not re.search(case.expect, text):
        return f"does not say {case.expect!r}: {text}"
    patient = case.name.startswith(("76", "77", "78", "79", "88"))  # these take memory before they stop
    return f"costs {grown >> 20} MiB: {text}" if grown > 64 << 20 and not patient else None


def main():
    arguments = argparse.ArgumentParser(description="Try models that must be refused.")
    arguments.add_argument("--library", type=Path, default=ROOT / "build/release/lib/libonnxrun.so")
    arguments.add_argument("--filter", default="", metavar="REGEX")
    arguments.add_argument("--unlimited", action="store_true", help="no limit of addresses and cost, as sanitizers need it")
    options = arguments.parse_args()
    cases = all_cases()
    sandbox = Sandbox(prepare(options.library), 0 if options.unlimited else 6 << 30, 60 if options.unlimited else 20)
    failed = count = 0
    for case in cases:
        if not re.search(options.filter, case.name) or (options.unlimited and not case.checked):
            continue
        for level in (0, 3):
            count += 1
            job = {"model": case.model.SerializeToString(), "feeds": case.feeds, "settings": case.settings, "seconds": case.seconds, "level": level}
            if case.most:
                sandbox.stop()  # a new child has no memory of earlier runs to use
            problem, result = sandbox(job)
            if problem is None:
                problem = wrong(case, result[0], 0 if options.unlimited else result[1])
            if problem:
                failed += 1
                print(f"{case.name} ({case.op}, level {level}): {problem[:400]}", flush=True)
    sandbox.stop()
    print(f"{count} runs of {len(cases)} cases, {failed} failed")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main())

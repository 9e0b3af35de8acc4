#!/usr/bin/env python3
"""Runs the official suite with `onnx-run test` and holds the result against the list of expected failures.

    run.py SUITE_DIR [--cli FILE] [--jobs N] [--filter REGEX] [--every N] [--without-random] [--at-least N] [--base REVISION] [--write] [--json FILE]

SUITE_DIR is what tools/fetch/conformance.py writes. Cases of random operators, whose expected values no other generator can give, are judged by
distribution.py instead. Fails when a case fails that is not in expected_failures.txt, when a listed
one passes, when any is skipped or not reported, when fewer than --at-least pass, and when the list has entries that
the list of --base (a git revision) has not. --write brings the list up to date instead: it drops entries that pass, keeps the
reasons of the others, and adds new failures only where there is no list yet or with --grow.

Last line: N passed, N failed, N skipped. Exit code 0 as expected, 1 not, 2 the suite could not be run.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import distribution

ROOT = Path(__file__).resolve().parents[2]
LIST = "tests/conformance/expected_failures.txt"
SHOWN = 40


class CannotRun(Exception):
    pass


def parse_list(text):
    """Entries as {case: reason}, and the comment lines before the first."""
    entries, head = {}, []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            if not entries:
                head.append(line)
            continue
        case, _, reason = line.partition("  ")
        if case in entries:
            raise CannotRun(f"{LIST}: {case} is listed twice")
        entries[case] = reason.strip()
    return entries, head


def read_base(revision):
    """The list's entries at a git revision, or None where it had none."""
    done = subprocess.run(["git", "-C", str(ROOT), "show", f"{revision}:{LIST}"], capture_output=True, text=True)
    return parse_list(done.stdout)[0] if done.returncode == 0 else None


def find_cases(suite, pattern, every):
    names = sorted(f"{m.parent.parent.name}/{m.parent.name}" for m in suite.glob("*/*/model.onnx"))
    if not names:
        raise CannotRun(f"{suite} holds no <kind>/<case>/model.onnx; tools/fetch/conformance.py writes it")
    return {name for name in names if re.search(pattern, name)}.intersection(names[::every])


def judge_random(options, cases):
    """Replaces the judgement of random operators, or leaves them out."""
    library = options.cli.resolve().parents[1] / "lib/libonnxrun.so"
    for name in [name for name in cases if distribution.is_random(name)]:
        if options.without_random:
            del cases[name]
            continue
        try:
            problem = distribution.judge(library, options.suite / name, options.argument)
        except OSError as error:
            raise CannotRun(str(error)) from None
        cases[name] = ("failed", problem) if problem else ("passed", "")


def run_suite(options, wanted):
    """Runs onnx-run and returns its report: {case: (status, message)}."""
    with tempfile.TemporaryDirectory() as folder:
        report = options.json or Path(folder) / "report.json"
        report.unlink(missing_ok=True)
        paths = [options.suite] if options.every == 1 else [options.suite / name for name in sorted(wanted)]
        command = [str(options.cli), "test", *map(str, paths), "-j", str(options.jobs), "--json", str(report)]
        if options.filter:
            command += ["--filter", options.filter]
        command += options.argument
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                                  timeout=options.timeout)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotRun(str(error)) from None
        if done.returncode not in (0, 1) or not report.exists():
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-10:])
            raise CannotRun(f"{' '.join(command)} ended with {done.returncode}\n{tail}")
        data = json.loads(report.read_text())
    cases = {case["name"]: (case["status"], case.get("message", "")) for case in data["cases"]}
    for status in ("passed", "failed", "skipped"):
        if data[status] != sum(s == status for s, _ in cases.values()):
            raise CannotRun(f"the report counts {data[status]} {status}, its cases say otherwise")
    judge_random(options, cases)
    return cases


def show(title, lines):
    if lines:
        print(f"{title}: {len(lines)}")
        for line in lines[:SHOWN]:
            print(f"  {line}")
        if len(lines) > SHOWN:
            print(f"  … and {len(lines) - SHOWN} more")


def shorten(message):
    return " ".join(message.split())[:160]


def judge(options, results, wanted, expected):
    """Prints every deviation; returns whether there was none."""
    passed = {name for name, (status, _) in results.items() if status == "passed"}
    failed = {name for name, (status, _) in results.items() if status == "failed"}
    problems = {
        "failed, not expected to": [f"{n}  {shorten(results[n][1])}" for n in sorted(failed - expected.keys())],
        f"passed, but listed in {LIST}: remove them (--write)": sorted(passed & expected.keys()),
        "skipped": [f"{n}  {shorten(m)}" for n, (status, m) in sorted(results.items()) if status == "skipped"],
        "not reported": sorted(wanted - results.keys()),
    }
    if not options.filter and options.every == 1:
        problems["listed, but not in the suite"] = sorted(expected.keys() - wanted)
    if len(passed) < options.at_least:
        problems["too few passed"] = [f"{len(passed)}, expected at least {options.at_least}"]
    if options.base:
        base = read_base(options.base)
        problems[f"new in the list since {options.base}"] = sorted(expected.keys() - base.keys()) if base is not None else []
    for title, lines in problems.items():
        show(title, lines)
    return not any(problems.values())


def write_list(options, results, expected, head, exists):
    failed = {name: message for name, (status, message) in results.items() if status == "failed"}
    kept = {name: reason for name, reason in expected.items() if name in failed or name not in results}
    if options.grow or not exists:
        for name in failed.keys() - kept.keys():
            kept[name] = shorten(failed[name])
    lines = [f"{name}  {reason}".rstrip() for name, reason in sorted(kept.items())]
    (ROOT / LIST).write_text("\n".join([*head, *lines]) + "\n")
    print(f"{LIST}: {len(expected)} entries before, {len(kept)} now")


def main():
    parser = argparse.ArgumentParser(description="Run the official suite against the list of expected failures.")
    parser.add_argument("suite", type=Path, metavar="SUITE_DIR")
    parser.add_argument("--cli", type=Path, default=ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--jobs", "-j", type=int, default=2)
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth case of the suite, by name")
    parser.add_argument("--without-random", action="store_true",
                        help="leave out the cases of random operators, for a library that Python cannot load: one built with a sanitizer")
    parser.add_argument("--at-least", type=int, default=0, metavar="N")
    parser.add_argument("--base", metavar="REVISION")
    parser.add_argument("--write", action="store_true", help="bring the list up to date")
    parser.add_argument("--grow", action="store_true", help="let --write add entries")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep onnx-run's report")
    parser.add_argument("--timeout", type=float, default=1800, metavar="SECONDS")
    parser.add_argument("--argument", action="append", default=[], help="passed on to onnx-run, as --argument=--level=0")
    options = parser.parse_args()
    try:
        exists = (ROOT / LIST).exists()
        expected, head = parse_list((ROOT / LIST).read_text()) if exists else ({}, [])
        wanted = find_cases(options.suite, options.filter, options.every)
        if options.without_random:
            wanted = {name for name in wanted if not distribution.is_random(name)}
        results = run_suite(options, wanted)
        if options.write:
            write_list(options, results, expected, head, exists)
            expected, _ = parse_list((ROOT / LIST).read_text())
        good = judge(options, results, wanted, expected)
    except CannotRun as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    counts = {status: sum(s == status for s, _ in results.values()) for status in ("passed", "failed", "skipped")}
    print(", ".join(f"{count} {status}" for status, count in counts.items()))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

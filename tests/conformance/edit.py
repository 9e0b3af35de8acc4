#!/usr/bin/env python3
"""Edits the models of the official suite and real ones, and holds the results against ONNX's checker and the originals.

    edit.py SUITE_DIR [--models DIR]... [--cli FILE] [--sample N] [--filter REGEX] [--jobs N]

  - each case: outputs renamed, a node's result made an output too; the file passes the checker and gives the expected results
  - each case and model with a value in its middle that all of its outputs come from: cut there in two, both halves pass the checker, joined again they compute
    what the original does
--sample takes every so-manieth case so that about N remain. Prints each deviation; exit code 0 without any, 1 otherwise.
"""

import argparse
import concurrent.futures
import json
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/conformance"))
import run as suite_run  # noqa: E402, and before what has a run of its own
import distribution  # noqa: E402
from roundtrip import call, check_file, link_data  # noqa: E402


def intermediates(report):
    """Values of the main graph that nodes make for other nodes."""
    return [value["name"] for value in report["values"] if "graph" not in value and value["role"] == "intermediate"]


def is_broken(source, target):
    """What the checker says of a file that it does not say of the one it came from."""
    problem = check_file(target)
    return problem if problem and not (problem.startswith("onnx.checker") and problem == check_file(source)) else None


def rename(cli, source, folder, name, report):
    """Writes the case anew with other names of outputs."""
    target = folder / "renamed" / name / "model.onnx"
    target.parent.mkdir(parents=True)
    edits = [part for k, port in enumerate(report["outputs"]) for part in ("--rename", f"{port['name']}=renamed {k}")]
    edits += [part for value in intermediates(report)[:1] for part in ("--add-output", value)]
    done = call(cli, "edit", source, "-o", target, *edits)
    if done.returncode != 0:
        return [f"{name}: edit {edits}: {done.stderr.splitlines()[0][:300]}"]
    link_data(source.parent, target.parent)
    problem = is_broken(source, target)
    return [f"{name}: renamed: {problem}"] if problem else []


def halves(cli, source, folder, report):
    """The two files of a model cut at a value near its middle, and that value; nothing where no value will do."""
    values = intermediates(report)
    middle = len(values) // 2
    for k in sorted(range(len(values)), key=lambda k: abs(k - middle))[:8]:
        first, second = folder / "first.onnx", folder / "second.onnx"
        if call(cli, "edit", source, "-o", second, "--from", values[k]).returncode == 0 and call(cli, "edit", source, "-o", first, "--to", values[k]).returncode == 0:
            return first, second, values[k]
    return None


def cut(cli, source, report, joined):
    """Deviations of a model cut and joined again, and whether it could be cut. `joined` is where the whole is written."""
    with tempfile.TemporaryDirectory() as temporary:
        found = halves(cli, source, Path(temporary), report)
        if not found:
            return [], False
        first, second, value = found
        problems = [f"{source}: half at '{value}': {problem}" for half in (first, second) if (problem := is_broken(source, half))]
        done = call(cli, "edit", first, "-o", joined, "--merge", second, "--link", f"{value}={value}")
        if done.returncode != 0:
            return problems + [f"{source}: joining at '{value}': {done.stderr.splitlines()[0][:300]}"], True
        problem = is_broken(source, joined)
        return problems + ([f"{source}: joined at '{value}': {problem}"] if problem else []), True


def read_report(cli, path):
    done = call(cli, "inspect", path, "--json", "--shapes")
    return json.loads(done.stdout) if done.returncode == 0 else None


def edit_case(job):
    cli, source, folder, name = job
    report = read_report(cli, source)
    if report is None:
        return [f"{name}: cannot be read"], False
    problems = rename(cli, source, folder, name, report)
    target = folder / "joined" / name / "model.onnx"
    target.parent.mkdir(parents=True)
    found, was_cut = cut(cli, source, report, target)
    if target.exists():
        link_data(source.parent, target.parent)
    else:
        shutil.rmtree(target.parent)
    return problems + found, was_cut


def edit_model(job):
    """A real model cut and joined, run unoptimised on inputs made up: every output is the same to the bit."""
    cli, source = job
    report = read_report(cli, source)
    if report is None:
        return [], False
    with tempfile.TemporaryDirectory() as temporary:
        joined = Path(temporary) / "joined.onnx"
        problems, was_cut = cut(cli, source, report, joined)
        if joined.exists():
            shown = []
            for path, name in ((source, "a"), (joined, "b")):
                done = call(cli, "run", path, "--level", "0", "--threads", "2", "--output-dir", Path(temporary) / name)
                files = sorted((Path(temporary) / name).glob("*")) if done.returncode == 0 else []
                shown.append({file.name: file.read_bytes() for file in files} or done.stderr.splitlines()[0])
            if shown[0] != shown[1] and isinstance(shown[0], dict):
                problems.append(f"{source}: joined again it computes something else: {shown[1] if isinstance(shown[1], str) else ''}")
        return problems, was_cut


def run_cases(cli, folder, jobs):
    if not any(folder.rglob('model.onnx')):
        return []
    report = folder.parent / f"{folder.name}.json"
    done = call(cli, "test", folder, "-j", jobs, "--json", report)
    if not report.exists():
        return [f"onnx-run test {folder}: {done.stderr[-300:]}"]
    return [f"{c['name']}: {folder.name}: {c.get('message', '')[:200]}" for c in json.loads(report.read_text())["cases"]
            if c["status"] != "passed" and not distribution.is_random(c["name"])]


def main():
    parser = argparse.ArgumentParser(description="Edit models and check what comes out.")
    parser.add_argument("suite", type=Path, metavar="SUITE_DIR")
    parser.add_argument("--models", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--cli", type=Path, default=ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--sample", type=int, default=0, metavar="N")
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--jobs", "-j", type=int, default=2)
    options = parser.parse_args()
    expected, _ = suite_run.parse_list((ROOT / suite_run.LIST).read_text())
    cases = sorted(suite_run.find_cases(options.suite, options.filter, 1) - expected.keys())
    if options.sample:
        cases = cases[:: max(1, len(cases) // options.sample)]
    models = sorted(path for folder in options.models for path in folder.rglob("*.onnx"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
            done = list(pool.map(edit_case, [(options.cli, (options.suite / name / "model.onnx").resolve(), folder, name) for name in cases], chunksize=8))
            real = list(pool.map(edit_model, [(options.cli, path) for path in models]))
        problems = [problem for found, _ in done + real for problem in found]
        for kind in ("renamed", "joined"):
            problems += run_cases(options.cli, folder / kind, options.jobs)
    for problem in problems[:60]:
        print(problem)
    print(f"{len(cases)} cases, {sum(was_cut for _, was_cut in done)} of them cut; {len(models)} models, {sum(was_cut for _, was_cut in real)} of them cut; {len(problems)} deviations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

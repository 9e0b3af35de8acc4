#!/usr/bin/env python3
"""Edits the models of the official suite and real ones, and holds the results against ONNX's checker and the originals.

    edit.py SUITE_DIR [--models DIR]... [--cli FILE] [--sample N] [--filter REGEX] [--jobs N]

  - each case in protobuf's text and JSON forms: onnx reads those as the same model, onnx-run reads those that onnx writes
  - each case: outputs renamed, the file passes the checker and gives the expected results; so does one in which a node's result is an output too pass the checker
  - each case and model with a value in its middle that all of its outputs come from: cut there in two, both halves pass the checker, joined again they compute
    what the original does
  - exercises on models of --models: Dropouts put into a BERT are taken out again, its weights go to .safetensors and come back, an embedding model ends at a hidden layer, a MatMul
    and an Add become a Gemm
--sample takes every so-manieth case so that about N remain. Prints each deviation; exit code 0 without any, 1 otherwise.
"""

import argparse
import concurrent.futures
import io
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/conformance"))
from roundtrip import call, check_file, chosen_cases, link_data  # noqa: E402, and before what has a run of its own
import distribution  # noqa: E402


def intermediates(report):
    """Values of the main graph that nodes make for other nodes."""
    return [value["name"] for value in report["values"] if "graph" not in value and value["role"] == "intermediate"]


def is_broken(source, target):
    """What the checker says of a file that it does not say of the one it came from."""
    problem = check_file(target)
    return problem if problem and not (problem.startswith("onnx.checker") and problem == check_file(source)) else None


def rename(cli, source, folder, name, report):
    """Writes the case anew with other names of outputs, and once more with one output more, which no file expects."""
    target = folder / "renamed" / name / "model.onnx"
    target.parent.mkdir(parents=True)
    edits = [part for k, port in enumerate(report["outputs"]) for part in ("--rename", f"{port['name']}=renamed {k}")]
    more = [part for value in intermediates(report)[:1] for part in ("--add-output", value)]
    for file, given in ((target, edits), (target.with_name("more.onnx"), edits + more)):
        done = call(cli, "edit", source, "-o", file, *given)
        if done.returncode != 0:
            return [f"{name}: edit {given}: {done.stderr.splitlines()[0][:300]}"]
        if problem := is_broken(source, file):
            return [f"{name}: renamed: {problem}"]
    link_data(source.parent, target.parent)
    return []


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


def forms(cli, source, folder):
    """Deviations of a file in protobuf's forms."""
    import onnx

    model = onnx.load(source, load_external_data=False)
    if any(path.suffix == ".bin" for path in source.parent.iterdir()) or b"location" in source.read_bytes():
        return []  # weights in other files are taken in: no longer the same fields
    problems = []
    with tempfile.TemporaryDirectory() as temporary:
        for end in ("textproto", "json"):
            form, back = Path(temporary) / f"m.{end}", Path(temporary) / f"{end}.onnx"
            for writer in ("onnx-run", "onnx"):
                if writer == "onnx":
                    onnx.save(model, form)
                done = call(cli, "convert", source, "-o", form) if writer == "onnx-run" else None
                if done is not None and done.returncode != 0:
                    problems.append(f"{source}: to {end}: {done.stderr.splitlines()[0][:300]}")
                    break
                done = call(cli, "convert", form, "-o", back)
                if done.returncode != 0:
                    problems.append(f"{source}: from {writer}'s {end}: {done.stderr.splitlines()[0][:300]}")
                elif onnx.load(form).SerializeToString() != model.SerializeToString() or onnx.load(back, load_external_data=False).SerializeToString() != model.SerializeToString():
                    problems.append(f"{source}: {writer}'s {end} is another model")
    return problems


def results(cli, path, folder, *arguments):
    done = call(cli, "run", path, "--level", "0", "--threads", "2", "--output-dir", folder, *arguments)
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*"))} if done.returncode == 0 else done.stderr.splitlines()[0]


class Exercise:
    """A sequence of edits of one model in a folder of its own; `problems` says what went wrong."""

    def __init__(self, cli, source, folder):
        self.cli, self.source, self.folder, self.problems = cli, source, folder, []

    def edit(self, source, target, *edits):
        done = call(self.cli, "edit", source, "-o", self.folder / target, *edits)
        if done.returncode != 0:
            self.problems.append(f"{self.source}: {' '.join(map(str, edits))[:200]}: {done.stderr.splitlines()[0][:300]}")
        else:
            self.expect(not (problem := check_file(self.folder / target)), f"{target}: {problem}")
        return self.folder / target

    def expect(self, holds, what):
        if not holds:
            self.problems.append(f"{self.source}: {what}")

    def same(self, a, b, tolerance=0.0):
        found = [results(self.cli, path, self.folder / f"{k}.out") for k, path in enumerate((a, b))]
        good = isinstance(found[0], dict) and isinstance(found[1], dict) and found[0].keys() == found[1].keys()
        if good and found[0] != found[1]:
            arrays = [{name: np.load(io.BytesIO(data)) for name, data in one.items()} for one in found]
            good = tolerance > 0 and all(np.allclose(arrays[1][name], array, tolerance, tolerance) for name, array in arrays[0].items())
        self.expect(good, f"{a.name} and {b.name} differ: {[f for f in found if isinstance(f, str)]}")
        for k in range(2):
            shutil.rmtree(self.folder / f"{k}.out", ignore_errors=True)


def take_out_dropouts(e):
    """A Dropout after every LayerNormalization's scale and every product, as training leaves them: gone again, with nothing else changed."""
    import onnx

    model = onnx.load(e.source)
    nodes, count = list(model.graph.node), 0
    outputs = {port.name for port in model.graph.output}
    del model.graph.node[:]
    for node in nodes:
        model.graph.node.append(node)
        if node.op_type == "MatMul" and node.output[0] not in outputs:
            name = node.output[0]
            model.graph.node[-1].output[0] = name + "/kept"
            model.graph.node.append(onnx.helper.make_node("Dropout", [name + "/kept"], [name], f"dropout_{count}"))
            count += 1
    e.expect(count > 10, "few places for a Dropout")
    trained, bare = e.folder / "trained.onnx", e.folder / "bare.onnx"
    onnx.save(model, trained)
    e.edit(trained, "bare.onnx", "--bypass-op", "Dropout")
    e.expect("Dropout" not in call(e.cli, "inspect", bare, "--ops").stdout.split(), "a Dropout is left")
    e.same(e.source, bare)
    refused = call(e.cli, "edit", trained, "-o", e.folder / "no.onnx", "--bypass-op", "Gather")
    e.expect(refused.returncode == 2 and "int64[" in refused.stderr and "float32[" in refused.stderr, f"bypassing a Gather: {refused.stderr[:200]}")


def move_weights(e):
    weights = e.folder / "weights.safetensors"
    bare = e.edit(e.source, "bare.onnx", "--save-weights", weights, "--strip-weights")
    full = e.edit(bare, "full.onnx", "--load-weights", weights)
    e.expect(bare.stat().st_size < e.source.stat().st_size / 20, "the stripped model is large")
    e.same(e.source, full)


def end_at_hidden_layer(e):
    report = read_report(e.cli, e.source)
    hidden = [v["name"] for v in report["values"] if "graph" not in v and v["role"] == "intermediate" and v["type"].startswith("float32[batch,sequence,384]")]
    e.expect(len(hidden) > 10, "no hidden layers")
    if hidden:
        cut = e.edit(e.source, "cut.onnx", "--to", hidden[len(hidden) // 2])
        both = e.edit(e.source, "both.onnx", "--add-output", hidden[len(hidden) // 2], *[a for port in report["outputs"] for a in ("--remove-output", port["name"])])
        e.expect(len(read_report(e.cli, cut)["outputs"]) == 1, "another number of outputs")
        e.same(cut, both)


def make_gemm(e):
    import onnx

    model = onnx.load(e.source)
    makers = {node.output[0]: node for node in model.graph.node if node.op_type == "MatMul"}
    found = [(makers[name], node) for node in model.graph.node if node.op_type == "Add" for name in node.input if name in makers]
    e.expect(found, "no MatMul and Add")
    edits = []
    for product, add in found:
        bias = next(name for name in add.input if name != product.output[0])
        edits += ["--remove", product.name, "--remove", add.name, "--insert", f"'{add.output[0]}' = Gemm('{product.input[0]}', '{product.input[1]}', '{bias}')"]
    fused = e.edit(e.source, "fused.onnx", *edits)
    e.expect("Gemm" in call(e.cli, "inspect", fused, "--ops").stdout.split(), "no Gemm")
    e.same(e.source, fused, 1e-5)


EXERCISES = (("minilm_l6_v2", take_out_dropouts), ("minilm_l6_v2", move_weights), ("minilm_l6_v2", end_at_hidden_layer), ("ppocrv5_cls", make_gemm))


def exercise(job):
    cli, source, number = job
    with tempfile.TemporaryDirectory() as temporary:
        e = Exercise(cli, source, Path(temporary))
        EXERCISES[number][1](e)
        return e.problems


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
    return problems + found + forms(cli, source, folder), was_cut


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
    cases = chosen_cases(options)
    models = sorted(path for folder in options.models for path in folder.rglob("*.onnx"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with concurrent.futures.ProcessPoolExecutor(options.jobs) as pool:
            done = list(pool.map(edit_case, [(options.cli, (options.suite / name / "model.onnx").resolve(), folder, name) for name in cases], chunksize=8))
            real = list(pool.map(edit_model, [(options.cli, path) for path in models]))
            by_name = {path.parent.name: path for path in models}
            jobs = [(options.cli, by_name[name], number) for number, (name, _) in enumerate(EXERCISES) if name in by_name]
            exercises = list(pool.map(exercise, jobs))
        problems = [problem for found, _ in done + real for problem in found] + [problem for found in exercises for problem in found]
        for kind in ("renamed", "joined"):
            problems += run_cases(options.cli, folder / kind, options.jobs)
    for problem in problems[:60]:
        print(problem)
    print(f"{len(cases)} cases, {sum(was_cut for _, was_cut in done)} of them cut; {len(models)} models, {sum(was_cut for _, was_cut in real)} of them cut; {len(exercises)} exercises; {len(problems)} deviations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

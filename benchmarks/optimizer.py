#!/usr/bin/env python3
"""What optimizers make of models: node counts, and how fast onnxrun runs each result.

    optimizer.py MODELS_DIR… [--filter REGEX] [--rounds N] [--threads N] [--without-time] [--json FILE] [--markdown FILE]

Five forms of each model: the file as it is, what onnxsim and onnxslim make of it, what ONNX Runtime saves at its highest level, and what
`onnx-run optimize` writes. Nodes count those of bodies; Constants are none, as tools write the same constant as a node or as an initializer, nor are
ConstantOfShapes of a constant shape, which are constants in few bytes. Model-local functions count what their calls stand for. Times are onnxrun's own: each file at its default level, and the file as it is at level none; the processes take
turns. A form that its tool cannot make, or that onnxrun cannot run, is listed with the reason. Losses come first: models where another form has
fewer nodes than ours or is faster by more than the measured spread.

Each tool runs in a process of its own that may take ten minutes.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx

sys.path.insert(0, str(Path(__file__).resolve().parent))
import peers  # noqa: E402

OURS = "onnxrun"
TOOLS = ("onnxsim", "onnxslim", "onnxruntime", OURS)
PLAIN, UNOPTIMISED = "as it is", "as it is, level none"
FORMS = (PLAIN, *TOOLS)
MINUTES = 10

MAKE = {
    "onnxsim": """
import onnx, onnxsim
model, valid = onnxsim.simplify({source!r})
assert valid, "onnxsim's own check failed"
onnx.save(model, {target!r}, save_as_external_data=True, location="data", size_threshold=1024)
""",
    "onnxslim": """
import onnx, onnxslim
onnx.save(onnxslim.slim({source!r}), {target!r}, save_as_external_data=True, location="data", size_threshold=1024)
""",
    "onnxruntime": """
import onnxruntime as ort
options = ort.SessionOptions()
options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
options.optimized_model_filepath = {target!r}
options.log_severity_level = 3
options.add_session_config_entry("session.optimized_model_external_initializers_file_name", "data")
options.add_session_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", "1024")
ort.InferenceSession({source!r}, options, providers=["CPUExecutionProvider"])
# Of files whose initializers are inputs, it keeps inputs that it has folded away.
import onnx
def read(graph):
    for node in graph.node:
        yield from node.input
        for a in node.attribute:
            for body in ([a.g] if a.HasField("g") else a.graphs):
                yield from read(body)
model = onnx.load({target!r}, load_external_data=False)
names = set(read(model.graph)) | {{output.name for output in model.graph.output}}
for value in [value for value in model.graph.input if value.name not in names]:
    model.graph.input.remove(value)
onnx.save(model, {target!r})
""",
}


def make(tool, cli, source, target):
    """Writes the tool's form of a model. Returns why it could not, or "" """
    target.parent.mkdir()
    if tool == OURS:
        command = [str(cli), "optimize", str(source), "-o", str(target), "--external-data", "data"]
    else:
        command = [sys.executable, "-c", MAKE[tool].format(source=str(source), target=str(target))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60 * MINUTES)
    except subprocess.TimeoutExpired:
        return f"takes more than {MINUTES} minutes"
    if done.returncode < 0:
        return f"ended by signal {-done.returncode}"
    lines = [line for line in done.stderr.strip().splitlines() if line.strip()]
    return "" if done.returncode == 0 and target.exists() else (lines or ["no file"])[-1][:200]


def count_nodes(graph, functions):
    """Nodes of a graph and its bodies but for constants; a call of a function counts what the function holds."""
    total = 0
    constants = {tensor.name for tensor in getattr(graph, "initializer", ())}
    for node in graph.node:
        called = functions.get((node.domain, node.op_type))
        constant = node.op_type == "Constant" or (node.op_type == "ConstantOfShape" and node.input[0] in constants)
        if constant:
            constants.update(node.output)
        total += count_nodes(called, functions) if called else not constant
        for attribute in node.attribute:
            total += sum(count_nodes(body, functions) for body in ([attribute.g] if attribute.HasField("g") else attribute.graphs))
    return total


def nodes_of(path):
    model = onnx.load(path, load_external_data=False)
    return count_nodes(model.graph, {(f.domain, f.name): f for f in model.functions})


def times(options, files, feeds):
    """{form: {"ms", "spread"} or {"error"}}; the processes take turns."""
    workers, found = {}, {}
    jobs = [(form, path, "highest") for form, path in files.items()] + [(UNOPTIMISED, files[PLAIN], "highest,0")]
    for form, path, precision in jobs:
        try:
            workers[form] = peers.Worker(OURS, options, path, options.threads, feeds, precision)
        except peers.Failed as error:
            found[form] = {"error": str(error)}
    counts = {form: max(1, int(peers.TURN_MS / max(worker.run(1)[0], 0.01))) for form, worker in workers.items()}
    medians = {form: [] for form in workers}
    for _ in range(options.rounds):
        for form, worker in workers.items():
            medians[form].append(statistics.median(worker.run(counts[form])))
    for form, worker in workers.items():
        worker.close()
        found[form] = {"ms": statistics.median(medians[form]), "spread": max(medians[form]) - min(medians[form])}
    return found


def measure(options, name, path):
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files, row = {PLAIN: path}, {"name": name, "nodes": {PLAIN: nodes_of(path)}, "failed": {}}
        for tool in options.tools:
            target = folder / tool / "model.onnx"
            reason = make(tool, options.cli, path, target)
            if reason:
                row["failed"][tool] = reason
                continue
            files[tool] = target
            row["nodes"][tool] = nodes_of(target)
        if not options.without_time:
            (folder / "feeds").mkdir()
            drawn = peers.write_inputs(folder / "feeds", name, path)
            if drawn is None:
                row["failed"]["times"] = "benchmarks/peers.py has no size for it"
            else:
                row["size"], feeds = drawn
                row["times"] = times(options, files, feeds)
        row["lost"] = losses(row)
    return row


def losses(row):
    """Where another form is better than ours."""
    ours, lost = row["nodes"].get(OURS), []
    if ours is None:
        return [f"onnxrun: {row['failed'].get(OURS)}"]
    lost += [f"{form} has {count} nodes, ours {ours}" for form, count in row["nodes"].items() if count < ours]
    own = row.get("times", {}).get(OURS, {})
    for form, time in row.get("times", {}).items():
        if "ms" in own and "ms" in time and own["ms"] > time["ms"] * 1.02 + max(own["spread"], time["spread"]):
            lost.append(f"{form} takes {time['ms']:.3g} ms, ours {own['ms']:.3g}")
    return lost


def markdown(rows, options):
    head = ["model", *FORMS] + ([] if options.without_time else [f"ms {form}" for form in (UNOPTIMISED, *FORMS)])
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    for row in rows:
        cells = [str(row["nodes"].get(form, "fails" if form in row["failed"] else "")) for form in FORMS]
        if not options.without_time:
            cells += [peers.cell(row.get("times", {}).get(form, {})) for form in (UNOPTIMISED, *FORMS)]
        lines.append("| " + " | ".join([row["name"], *cells]) + " |")
    lost = [f"- {row['name']}: {'; '.join(row['lost'])}" for row in rows if row["lost"]]
    best = sum(all(row["nodes"].get(OURS, 1 << 60) <= count for count in row["nodes"].values()) for row in rows)
    lines = ["Losses:", *lost, ""] * bool(lost) + [f"Ours has the fewest nodes, or as few, of {best} of {len(rows)} models.", ""] + lines
    failed = [f"- {row['name']}: {tool}: {reason}" for row in rows for tool, reason in row["failed"].items()]
    failed += [f"- {row['name']}: onnxrun on {form}: {time['error']}" for row in rows for form, time in row.get("times", {}).items() if "error" in time]
    return "\n".join(lines + (["", "Failures:", *failed] if failed else [])) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="MODELS_DIR", help="holds <name>/model.onnx")
    parser.add_argument("--cli", type=Path, default=peers.ROOT / "build/release/bin/onnx-run")
    parser.add_argument("--worker", type=Path, default=peers.ROOT / "build/release/bin/onnxrun_worker")
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clock", choices=("wall", "cpu"), default="cpu")
    parser.add_argument("--without-time", action="store_true", help="count nodes only")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    found = {path.parent.name: path for folder in options.folders for path in sorted(folder.glob("*/model.onnx")) if re.search(options.filter, path.parent.name)}
    if not found:
        parser.error("no model matches")
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    rows = []
    for name, path in found.items():
        rows.append(measure(options, name, path))
        print(name, rows[-1]["nodes"], *rows[-1]["lost"], sep="  ", file=sys.stderr, flush=True)
    rows.sort(key=lambda row: (not row["lost"], row["name"]))
    text = markdown(rows, options)
    print(text, end="")
    if options.json:
        options.json.write_text(json.dumps({"version": 1, "machine": peers.instruction_set(), "models": rows}, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

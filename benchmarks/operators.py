#!/usr/bin/env python3
"""Single operators in onnxrun and ONNX Runtime, taking turns on the same inputs.

    operators.py [--filter REGEX] [--rounds N] [--threads N] [--worst N] [--json FILE] [--markdown FILE]

The models of one node are those of benchmarks/operators/, at sizes that fit the cache and at such that do not. A time is the least of all runs', in
microseconds: ours around onnxrun::Run::execute (in a process of its own), theirs around InferenceSession.run_with_iobinding, whose Python costs
them about one or two. Both write results to memory that is there already. Losses come first; what ONNX Runtime has no kernel for stands at the end.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import onnxruntime
from onnx import numpy_helper

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "benchmarks/peers"), str(ROOT / "benchmarks/operators")]
import elementwise  # noqa: E402
import movement  # noqa: E402
import networks  # noqa: E402
import reductions  # noqa: E402
from case import save  # noqa: E402
from machine import instruction_set  # noqa: E402
from processes import OURS, Worker  # noqa: E402
from report import geometric_mean, table  # noqa: E402

WARM_US, TURN_US = 40000.0, 8000.0
GROUPS = (elementwise, reductions, movement, networks)


class Ours:
    def __init__(self, options, path, feeds):
        arguments = []
        for name, array in feeds.items():
            file = path.parent / f"{name}.pb"
            file.write_bytes(numpy_helper.from_array(array).SerializeToString())
            arguments.append(f"{name}={file}")
        self.worker = Worker(OURS, options, path, options.threads, arguments)

    def run(self, count):
        return [ms * 1e3 for ms in self.worker.run(count)]

    def close(self):
        self.worker.close()


class Theirs:
    def __init__(self, options, path, feeds):
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = options.threads
        settings.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        self.binding = self.session.io_binding()
        for name, array in feeds.items():
            self.binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
        names = [output.name for output in self.session.get_outputs()]
        for name in names:
            self.binding.bind_output(name)
        self.session.run_with_iobinding(self.binding)
        self.outputs = self.binding.get_outputs()
        self.binding.clear_binding_outputs()
        for name, value in zip(names, self.outputs):
            self.binding.bind_ortvalue_output(name, value)

    def run(self, count):
        times = []
        for _ in range(count):
            begin = time.perf_counter()
            self.session.run_with_iobinding(self.binding)
            times.append((time.perf_counter() - begin) * 1e6)
        return times

    def close(self):
        pass


def count_for(runtime):
    """Runs a turn, after some that memory and processor get warm in."""
    took = statistics.median(runtime.run(3))
    runtime.run(max(1, min(20, int(WARM_US / took))))
    return max(1, min(300, int(TURN_US / max(min(runtime.run(2)), 1))))


def measure(options, case):
    """{"name", "ours", "theirs"} with microseconds, or why there are none under "ours_error", "theirs_error"."""
    row, runtimes, times = {"name": case.name}, {}, {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        feeds = save(case, path)
        for key, kind in (("ours", Ours), ("theirs", Theirs)):
            try:
                runtimes[key] = kind(options, path, feeds)
            except Exception as error:  # a failure of a runtime's, whatever its type, is a row of the table
                row[f"{key}_error"] = (str(error).strip().splitlines() or [type(error).__name__])[-1][:200]
        counts = {key: count_for(runtime) for key, runtime in runtimes.items()}
        for _ in range(options.rounds):
            for key, runtime in runtimes.items():
                times[key] += runtime.run(counts[key])
        for key, runtime in runtimes.items():
            row[key] = min(times[key])
            row[f"{key}_median"] = statistics.median(times[key])
            runtime.close()
    return row


def ratio(row):
    return row["ours"] / row["theirs"] if "ours" in row and "theirs" in row else None


def markdown(rows, worst):
    timed = sorted((row for row in rows if ratio(row)), key=ratio, reverse=True)
    lines = []
    if timed:
        ratios = [ratio(row) for row in timed]
        lines += [f"{len(timed)} operators, faster on {sum(r < 1 for r in ratios)}, geometric mean of the ratios {geometric_mean(ratios):.2f}", ""]
        lines += table(["operator", "onnxrun µs", "ONNX Runtime µs", "ratio"],
                       [[row["name"], f"{row['ours']:.1f}", f"{row['theirs']:.1f}", f"{ratio(row):.2f}"] for row in timed[:worst]])
    for key, title in (("ours", "onnxrun could not run"), ("theirs", "ONNX Runtime could not run")):
        failed = [row for row in rows if f"{key}_error" in row]
        if failed:
            lines += ["", f"{title}:", "", *(f"- {row['name']}: {row[f'{key}_error']}" for row in failed)]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", type=Path, default=ROOT / "build/release/bin/onnxrun_worker")
    parser.add_argument("--filter", default="", metavar="REGEX", help="only operators whose row's name matches")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--worst", type=int, metavar="N", help="only so many rows of the table")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    options.clock = "wall,kept"
    if not options.worker.exists():
        parser.error(f"{options.worker} does not exist; build the target benchmarks")
    wanted = {case.name: case for group in GROUPS for case in group.cases() if re.search(options.filter, case.name)}
    if not wanted:
        parser.error("no operator matches")
    rows = []
    for case in wanted.values():
        rows.append(measure(options, case))
        found = ratio(rows[-1])
        print(f"{found:6.2f}" if found else "     -", case.name, file=sys.stderr, flush=True)
    text = markdown(rows, options.worst)
    print(text, end="")
    report = {"version": 1, "machine": instruction_set(), "threads": options.threads, "rounds": options.rounds, "operators": rows}
    for path, content in ((options.json, json.dumps(report, indent=1) + "\n"), (options.markdown, text)):
        if path:
            path.write_text(content)


if __name__ == "__main__":
    main()

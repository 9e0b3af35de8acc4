#!/usr/bin/env python3
"""Whole runs of real models on a GPU: onnxrun's CUDA provider beside ONNX Runtime's CUDA and TensorRT providers, where onnxruntime-gpu is installed.

    gpu.py MODELS_DIR… --provider-library FILE[,OPTION=VALUE]… [--filter REGEX] [--dim NAME=SIZE]… [--rounds N] [--seconds S] [--json FILE] [--markdown FILE]

Inputs come from host memory and results go there. The runtimes take turns on each model (`rounds` times), the median over all turns counts. `highest` is
float32 without TF32, `medium` with it; models of other types have one column of either. `first` is loading and the first run. `difference` is the largest of
‖ours − theirs‖ / ‖theirs‖ over the outputs. Sizes are those of peers.py, but for --dim. ONNXRUN's graphs (graphs=1) are on unless the library's options say otherwise.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import onnxrun

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/models"), str(ROOT / "benchmarks/peers")]
import inputs  # noqa: E402
from sizes import size_of  # noqa: E402

WARM = 4  # runs before; in the second, graphs are recorded


class Ours:
    def __init__(self, path, options, medium):
        precision = "medium" if medium else "highest"
        name, *given = options.provider_library.split(",")
        self.session = onnxrun.Session(str(path), providers=["cuda", "cpu"], float32_matmul_precision=precision,
                                       provider_libraries=[(name, dict(setting.split("=", 1) for setting in given))])

    def run(self, feeds):
        return list(self.session.run(feeds).values())


class Theirs:
    def __init__(self, path, provider, medium):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        settings = {"use_tf32": "1" if medium else "0"} if provider.startswith("CUDA") else {}
        self.session = onnxruntime.InferenceSession(str(path), options, providers=[(provider, settings), "CPUExecutionProvider"])
        if self.session.get_providers()[0] != provider:
            raise RuntimeError(f"{provider} is not available here")

    def run(self, feeds):
        return self.session.run(None, feeds)


def peers():
    """{name: ONNX Runtime's provider} of what is installed."""
    try:
        import onnxruntime
    except ImportError:
        return {}
    known = {"onnxruntime cuda": "CUDAExecutionProvider", "onnxruntime tensorrt": "TensorrtExecutionProvider"}
    return {name: provider for name, provider in known.items() if provider in onnxruntime.get_available_providers()}


def time_turn(runtime, feeds, seconds):
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        runtime.run(feeds)
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def distance(a, b):
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-30)) if a.shape == b.shape else float("inf")


def measure(path, feeds, options):
    """{"onnxrun highest": {"ms", "first_ms"}, ...}, each of the peers with its "difference"; {"error"} where one fails."""
    results, runtimes, outputs = {}, {}, {}
    precisions = (False, True) if all(a.dtype != np.float16 for a in feeds.values()) and "16" not in path.parent.name else (False,)
    for medium in precisions:
        word = "medium" if medium else "highest"
        makers = {"onnxrun": lambda: Ours(path, options, medium),
                  **{name: lambda provider=provider: Theirs(path, provider, medium) for name, provider in peers().items()}}
        for name, make in makers.items():
            key = f"{name} {word}"
            try:
                begin = time.perf_counter()
                runtimes[key] = make()
                outputs[key] = runtimes[key].run(feeds)
                results[key] = {"first_ms": (time.perf_counter() - begin) * 1e3}
                for _ in range(WARM):
                    runtimes[key].run(feeds)
            except Exception as error:  # noqa: BLE001: whatever a runtime throws is its result
                runtimes.pop(key, None)
                results[key] = {"error": " ".join(str(error).split())[:300]}
                continue
            ours = outputs.get(f"onnxrun {word}")
            if name != "onnxrun" and ours is not None:
                numbers = [(a, b) for a, b in zip(ours, outputs[key]) if isinstance(a, np.ndarray) and isinstance(b, np.ndarray)]
                results[key]["difference"] = max((distance(a, b) for a, b in numbers), default=0.0)
    times = {key: [] for key in runtimes}
    for _ in range(options.rounds):
        for key, runtime in runtimes.items():
            times[key] += time_turn(runtime, feeds, options.seconds)
    for key, measured in times.items():
        results[key].update(ms=statistics.median(measured), runs=len(measured))
    return results


def device():
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def markdown(report):
    columns = sorted({key for row in report["models"] for key in row["results"]}, key=lambda key: (not key.startswith("onnxrun "), key))
    lines = [f"{report['device']}, {report['date']}; milliseconds, host to host", "", "| model | size | " + " | ".join(columns) + " |",
             "|---|---|" + "---|" * len(columns)]
    for row in report["models"]:
        size = ", ".join(f"{name} {value}" for name, value in row["size"].items())
        cells = [f"{row['results'][key]['ms']:.3f}" if "ms" in row["results"].get(key, {}) else "error" if key in row["results"] else "" for key in columns]
        lines.append(f"| {row['name']} | {size} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="MODELS_DIR", help="holds <name>/model.onnx")
    parser.add_argument("--provider-library", required=True)
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=SIZE")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.1, help="of a turn")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    dims = {name: int(size) for name, size in (dim.split("=", 1) for dim in options.dim)}
    report = {"version": 1, "device": device(), "date": time.strftime("%F"), "models": []}
    for path in sorted(path for folder in options.folders for path in folder.glob("*/model.onnx") if re.search(options.filter, path.parent.name)):
        name = path.parent.name
        description = inputs.known_description(name, path)
        size = size_of(name, description) if description else None
        if size is None:
            continue
        size = {key: dims.get(key, value) for key, value in size.items()}
        if {"past", "sequence", "total"} <= set(size):
            size["total"] = size["past"] + size["sequence"]
        row = {"name": name, "size": size, "results": measure(path, inputs.draw(description, size, 1), options)}
        report["models"].append(row)
        print(name, size, {key: result.get("ms", result.get("error")) for key, result in row["results"].items()}, file=sys.stderr, flush=True)
        if options.json:
            options.json.write_text(json.dumps(report, indent=1) + "\n")
    text = markdown(report)
    print(text, end="")
    if options.markdown:
        options.markdown.write_text(text)
    return 0 if report["models"] else 2


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Kernels beside what the machine can do at most.

    roofline.py BIN_DIR [--filter REGEX] [--seconds S] [--json FILE] [--markdown FILE]

Runs bench_peak (multiply-adds in registers, reading of memory and of each cache) and bench_kernels, both on one thread. A kernel's roof is the time that its
arithmetic takes at the peak of its type, or that reading and writing its operands once takes at the speed of the level of memory which holds them, whichever is
longer; the share of the roof is that time by the kernel's. Furthest from its roof first.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))
from machine import instruction_set  # noqa: E402
from report import table  # noqa: E402

# Levels of memory with the bytes that one holds for good.
HOLDS = (("read/first_level", 32 << 10), ("read/second_level", 768 << 10), ("read/third_level", 12 << 20), ("read/memory", None))


def run(program, pattern, seconds):
    command = [str(program), f"--benchmark_filter={pattern}", f"--benchmark_min_time={seconds}", "--benchmark_format=json"]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)
    return [one for one in found["benchmarks"] if not one.get("error_occurred")]


def kind_of(name):
    return "bfloat16" if "bfloat16" in name else "float32"


def rows_of(kernels, peaks):
    rows = []
    for one in kernels:
        seconds, gflop, gigabytes = one["cpu_time"] * 1e-9, one.get("GFLOP", 0.0), one["GB"]
        level = next(name for name, holds in HOLDS if holds is None or gigabytes * 1e9 <= holds)
        peak = peaks.get("peak/" + kind_of(one["name"]))
        computing = gflop / peak if peak else 0.0
        reading = gigabytes / peaks[level]
        bound = "arithmetic" if computing >= reading else level.removeprefix("read/").replace("_", " ")
        rows.append({"name": one["name"], "us": seconds * 1e6, "gflops": gflop / seconds, "gbs": gigabytes / seconds, "bound": bound,
                     "share": max(computing, reading) / seconds})
    return sorted(rows, key=lambda row: row["share"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin", type=Path, metavar="BIN_DIR")
    parser.add_argument("--filter", default=".", metavar="REGEX", help="of kernels")
    parser.add_argument("--seconds", type=float, default=0.2, help="for each at least; default 0.2")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    peaks = {one["name"]: one.get("GFLOP/s", one.get("GB/s")) for one in run(options.bin / "bench_peak", ".", options.seconds)}
    rows = rows_of([one for one in run(options.bin / "bench_kernels", options.filter, options.seconds) if "threads:2" not in one["name"]], peaks)
    machine = instruction_set()
    lines = [f"{machine['processor']}: {', '.join(machine['features'])}; onnxrun's level: {machine['onnxrun_simd_level']}. One thread, processor time.", "",
             *table(["peak", "GFLOP/s or GB/s"], [[name, f"{value:.4g}"] for name, value in peaks.items()]), "",
             *table(["kernel", "of the roof", "roof", "GFLOP/s", "GB/s", "us"],
                    [[row["name"], f"{row['share']:.0%}", row["bound"], f"{row['gflops']:.4g}", f"{row['gbs']:.4g}", f"{row['us']:.4g}"] for row in rows])]
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.json:
        options.json.write_text(json.dumps({"version": 1, "machine": machine, "peaks": peaks, "kernels": rows}, indent=1) + "\n")
    if options.markdown:
        options.markdown.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

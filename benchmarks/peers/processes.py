"""The processes that peers.py measures in: one runtime with one model each."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = "onnxrun"
PEERS = ("onnxruntime", "openvino")
MEDIUM = "onnxrun-medium"
MEDIUM_PEER = "openvino-default"
RUNTIMES = (OURS, *PEERS, MEDIUM, MEDIUM_PEER)

# Instruction set levels by onnxrun's names, and what oneDNN, which OpenVINO computes with, calls them. ONNX Runtime cannot be held below what the machine has.
BEST = "best"
LEVELS = {"v2": "SSE41", "v3": "AVX2", "v4": "AVX512_CORE", "vnni": "AVX512_CORE_VNNI", "bf16": "AVX512_CORE_BF16", BEST: None}


def can_be_held(runtime, level):
    """OpenVINO's default looks at the processor, not at oneDNN's level, and then finds no kernels."""
    return level == BEST or runtime not in ("onnxruntime", MEDIUM_PEER)


class Failed(Exception):
    pass


class Worker:
    """One runtime with one model in a process of its own, after its first run. `loaded` has {"load_ms", "first_ms", "peak_bytes"}."""

    def __init__(self, runtime, options, path, threads, feeds, precision=None, level=BEST):
        if runtime in (OURS, MEDIUM):
            command = [str(options.worker), precision or ("medium" if runtime == MEDIUM else "highest")]
        else:
            command = [sys.executable, str(ROOT / "benchmarks/peers/peer_worker.py"), runtime]
        self.errors = tempfile.TemporaryFile("w+")
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        if level != BEST:
            environment |= {"ONNXRUN_SIMD_LEVEL": level, "ONEDNN_MAX_CPU_ISA": LEVELS[level]}
        self.process = subprocess.Popen([*command, str(path), str(threads), options.clock, *feeds], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True, env=environment)
        self.times = []
        self.loaded = self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        raise Failed(said[0] if said else f"ended with code {self.process.returncode}")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def run(self, count):
        return self.ask(str(count))

    def throughput(self, streams, seconds):
        return self.ask(f"{streams} {seconds}")["per_second"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()

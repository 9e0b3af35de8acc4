"""The machine that benchmarks run on."""

import os
import platform
import re
from pathlib import Path


def instruction_set():
    """The processor's name and those of its features that decide about speed."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = re.search(r"^model name\s*:\s*(.*)$", info, re.M)
    flags = re.search(r"^flags\s*:\s*(.*)$", info, re.M)
    have = set(flags.group(1).split()) if flags else set()
    wanted = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "amx_int8")
    return {"processor": name.group(1) if name else platform.processor(), "features": [f for f in wanted if f in have],
            "absent": [f for f in wanted if f not in have], "onnxrun_simd_level": os.environ.get("ONNXRUN_SIMD_LEVEL", "best")}

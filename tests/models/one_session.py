"""All sizes of a model through one session, back and forth: what a session keeps for one size must not change another."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx


def check(options, path, runs, folder):
    """`runs` are (inputs by name, outputs) of single runs, one a size. Each size is run twice, and outputs must be the same to the last
    bit. Returns what went wrong, or ''."""
    graph = onnx.load(path, load_external_data=False).graph
    weights = {tensor.name for tensor in graph.initializer}
    order = [value.name for value in graph.input if value.name not in weights]
    for file in [path] if path.name != "model.onnx" else [p for p in path.parent.iterdir() if p.is_file()]:
        shutil.copyfile(file, folder / ("model.onnx" if file == path else file.name))
    (folder / "data.json").write_text(json.dumps({"rtol": 0, "atol": 0}))
    for number, (feeds, outputs) in enumerate([*runs, *runs]):
        data_set = Path(folder / f"test_data_set_{number:02}")
        data_set.mkdir()
        for stem, arrays in (("input", [feeds[name] for name in order]), ("output", outputs)):
            for i, array in enumerate(arrays):
                np.save(data_set / f"{stem}_{i}.npy", array)
    command = [str(options.cli), "test", str(folder), f"--threads={options.threads}", f"--timeout={options.timeout}", *options.argument]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode == 0:
        return ""
    lines = [line for line in (done.stdout + done.stderr).splitlines() if re.search("FAILED|error|Error", line)]
    return lines[0] if lines else f"exit code {done.returncode}"

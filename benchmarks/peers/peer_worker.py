#!/usr/bin/env python3
"""Times one other runtime on one model for peers.py.

    peer_worker.py RUNTIME MODEL THREADS CLOCK [NAME=FILE.pb]…

Loads the model, runs it once, prints {"load_ms": …}. Then, for each line N of standard input, runs it N times and prints the
milliseconds of each as a list, by the clock `wall` or `cpu` (processor time of the process). What goes wrong is said on standard error, with exit code 1.
"""

import json
import sys
import time

import onnx
from onnx import numpy_helper


def read_tensor(path):
    with open(path, "rb") as stream:
        return numpy_helper.to_array(onnx.TensorProto.FromString(stream.read()))


def load_onnxruntime(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda feeds: session.run(None, feeds)


def load_openvino(path, threads, settings):
    import openvino

    core = openvino.Core()
    compiled = core.compile_model(path, "CPU", {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, **settings})
    request = compiled.create_infer_request()
    return lambda feeds: request.infer(feeds, share_inputs=True, share_outputs=True)


# By default OpenVINO rounds activations to 8 bits before products with 4- and 8-bit weights, whatever the precision hint says.
FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
RUNTIMES = {
    "onnxruntime": load_onnxruntime,
    "openvino": lambda path, threads: load_openvino(path, threads, FLOAT32),
    "openvino-default": lambda path, threads: load_openvino(path, threads, {}),
}


def main():
    runtime, path, threads, clock, *inputs = sys.argv[1:]
    now = time.process_time if clock == "cpu" else time.perf_counter
    feeds = {}
    for item in inputs:
        name, _, file = item.rpartition("=")
        feeds[name] = read_tensor(file)
    begin = time.perf_counter()
    run = RUNTIMES[runtime](path, int(threads))
    loaded = time.perf_counter() - begin
    run(feeds)
    print(json.dumps({"load_ms": loaded * 1e3}), flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            begin = now()
            run(feeds)
            times.append((now() - begin) * 1e3)
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # any failure of a peer's, whatever its type, is a cell of the table
        lines = str(error).strip().splitlines() or [type(error).__name__]
        print(lines[-1][:300], file=sys.stderr)
        sys.exit(1)

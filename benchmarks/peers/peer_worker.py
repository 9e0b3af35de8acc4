#!/usr/bin/env python3
"""Times one other runtime on one model for peers.py.

    peer_worker.py RUNTIME MODEL THREADS CLOCK [NAME=FILE.pb]…

Reads the inputs, loads the model, runs it once and prints {"load_ms", "first_ms" (loading and that run), "peak_bytes" (of memory above what the process
held before)}. Then, for each line N of standard input, runs it N times and prints the milliseconds of each as a list, by the clock `wall` or `cpu`
(processor time of the process); for a line STREAMS SECONDS it prints {"per_second"}: how many runs as many callers get out of as many streams of one thread.
What goes wrong is said on standard error, with exit code 1.
"""

import json
import sys
import threading
import time
from pathlib import Path

import onnx
from onnx import numpy_helper


def read_tensor(path):
    with open(path, "rb") as stream:
        return numpy_helper.to_array(onnx.TensorProto.FromString(stream.read()))


def memory_status(field):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


class OnnxRuntime:
    def __init__(self, settings):
        import onnxruntime

        self.module = onnxruntime

    def load(self, path, threads, streams=1):
        """A list of `streams` functions of the feeds, which may be called at the same time."""
        options = self.module.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        session = self.module.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return [lambda feeds: session.run(None, feeds)] * streams


class OpenVino:
    def __init__(self, settings):
        import openvino

        self.module, self.settings = openvino, settings

    def load(self, path, threads, streams=1):
        hints = {"PERFORMANCE_HINT": "LATENCY"} if streams == 1 else {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": streams}
        compiled = self.module.Core().compile_model(path, "CPU", {**hints, "INFERENCE_NUM_THREADS": threads * streams, **self.settings})

        def runner():
            request = compiled.create_infer_request()
            return lambda feeds: request.infer(feeds, share_inputs=True, share_outputs=True)

        return [runner() for _ in range(streams)]


# By default OpenVINO rounds activations to 8 bits before products with 4- and 8-bit weights, whatever the precision hint says.
FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
RUNTIMES = {"onnxruntime": (OnnxRuntime, {}), "openvino": (OpenVino, FLOAT32), "openvino-default": (OpenVino, {})}


def throughput(runtime, path, feeds, streams, seconds):
    """Runs a second of `streams` callers at the same time."""
    runners = runtime.load(path, 1, streams)
    for run in runners:
        run(feeds)
    counts, failures, stop = [0] * streams, [], threading.Event()

    def call(i):
        try:
            while not stop.is_set():
                runners[i](feeds)
                counts[i] += 1
        except Exception as error:  # told below
            failures.append(error)

    callers = [threading.Thread(target=call, args=(i,)) for i in range(streams)]
    for caller in callers:
        caller.start()
    time.sleep(seconds / 4)
    before, begin = sum(counts), time.perf_counter()
    time.sleep(seconds)
    done, took = sum(counts) - before, time.perf_counter() - begin
    stop.set()
    for caller in callers:
        caller.join()
    if failures:
        raise failures[0]
    return done / took


def main():
    name, path, threads, clock, *inputs = sys.argv[1:]
    now = time.process_time if clock == "cpu" else time.perf_counter
    feeds = {}
    for item in inputs:
        name_of_input, _, file = item.rpartition("=")
        feeds[name_of_input] = read_tensor(file)
    kind, settings = RUNTIMES[name]
    runtime = kind(settings)
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    start = memory_status("VmRSS")
    begin = time.perf_counter()
    (run,) = runtime.load(path, int(threads))
    loaded = time.perf_counter() - begin
    run(feeds)
    first = time.perf_counter() - begin
    print(json.dumps({"load_ms": loaded * 1e3, "first_ms": first * 1e3, "peak_bytes": memory_status("VmHWM") - start}), flush=True)
    for line in sys.stdin:
        numbers = line.split()
        if len(numbers) == 2:
            print(json.dumps({"per_second": throughput(runtime, path, feeds, int(numbers[0]), float(numbers[1]))}), flush=True)
            continue
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

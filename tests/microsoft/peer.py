"""ONNX Runtime on a case."""

import numpy as np
import onnxruntime


def run(drawn):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(drawn.model().SerializeToString(), options, providers=["CPUExecutionProvider"])
    if not drawn.shared:
        return session.run(None, drawn.feeds())
    values = {name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in drawn.feeds().items()}
    binding = session.io_binding()
    for name, value in values.items():
        binding.bind_ortvalue_input(name, value)
    for index, there in enumerate(drawn.outputs):
        buffer = next((f"in{i}" for i, output in drawn.shared.items() if output == index), None)
        if buffer:
            binding.bind_ortvalue_output(f"out{index}", values[buffer])
        elif there:
            binding.bind_output(f"out{index}")
    session.run_with_iobinding(binding)
    return [np.array(value.numpy(), copy=True) for value in binding.get_outputs()]

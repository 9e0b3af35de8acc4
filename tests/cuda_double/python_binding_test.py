"""Values on a device from Python, on the double of CUDA or a GPU: DLPack, ONNX Runtime's IOBinding and OrtValue.

Arguments: the provider library; cuBLASLt and cuDNN lie in the same folder, as the double's do, or where the system looks.
"""

import os
import sys
import unittest

import numpy as np

import onnxrun
import onnxrun.onnxruntime as ort

LIBRARY = sys.argv.pop(1)
FOLDER = {"libraries": os.path.dirname(LIBRARY)} if os.path.exists(os.path.join(os.path.dirname(LIBRARY), "libcublasLt.so.13")) else {}
MODEL = """onnxrun text 1
ir_version 8
opset ai.onnx 17
graph g(x: float32[n]) -> (y, z) {
  y = Neg(x)
  z = Abs(y)
}
"""
X = np.arange(5, dtype=np.float32) - 2


def setUpModule():
    ort.register_execution_provider_library("double", LIBRARY)


def session():
    model = onnxrun.Model.from_text(MODEL)
    return ort.InferenceSession(model.to_bytes(), providers=["CUDAExecutionProvider"],
                                provider_options=[{"device_id": 0, **FOLDER}])


class Binding(unittest.TestCase):
    def test_what_is_there(self):
        self.assertEqual(ort.get_device(), "GPU")
        self.assertEqual(ort.get_available_providers(), ["CUDAExecutionProvider", "CPUExecutionProvider"])
        with self.assertRaisesRegex(Exception, "registered under the name 'double' already"):
            ort.register_execution_provider_library("double", LIBRARY)

    def test_ort_values(self):
        value = ort.OrtValue.ortvalue_from_numpy(X, "cuda", 0)
        self.assertEqual((value.device_name(), value.shape(), value.tensor_size_in_bytes()), ("cuda", [5], 20))
        self.assertEqual(value.__dlpack_device__(), (2, 0))
        np.testing.assert_array_equal(value.numpy(), X)
        value.update_inplace(X * 3)
        np.testing.assert_array_equal(value.numpy(), X * 3)
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "memory of a device"):
            value._value.numpy()
        empty = ort.OrtValue.ortvalue_from_shape_and_type([2, 3], np.float32, "cuda", 0)
        self.assertEqual((empty.device_name(), empty.shape()), ("cuda", [2, 3]))

    def test_binding_of_values_and_addresses(self):
        made = session()
        binding = made.io_binding()
        x = ort.OrtValue.ortvalue_from_numpy(X, "cuda", 0)
        y = ort.OrtValue.ortvalue_from_shape_and_type([5], np.float32, "cuda", 0)
        binding.bind_input("x", "cuda", 0, np.float32, [5], x.data_ptr())
        binding.bind_output("y", "cuda", 0, np.float32, [5], y.data_ptr())
        binding.bind_output("z", "cuda", 0)
        made.run_with_iobinding(binding)
        results = binding.get_outputs()
        self.assertEqual([result.device_name() for result in results], ["cuda", "cuda"])
        self.assertEqual(results[0].data_ptr(), y.data_ptr())
        np.testing.assert_array_equal(y.numpy(), -X)
        np.testing.assert_array_equal(binding.copy_outputs_to_cpu()[1], np.abs(X))
        binding.bind_output("z")
        made.run_with_iobinding(binding)
        self.assertEqual(binding.get_outputs()[1].device_name(), "cpu")
        np.testing.assert_array_equal(binding.get_outputs()[1].numpy(), np.abs(X))

    def test_dlpack(self):
        made = session()
        value = ort.OrtValue.ortvalue_from_numpy(X, "cuda", 0)
        asked = []

        class Other:  # another library's tensor
            def __dlpack_device__(self):
                return value.__dlpack_device__()

            def __dlpack__(self, stream=None):
                asked.append(stream)
                return value.__dlpack__()

        taken = ort.OrtValue.from_dlpack(Other()) if hasattr(ort.OrtValue, "from_dlpack") else None
        self.assertEqual((taken.data_ptr(), taken.device_name(), asked), (value.data_ptr(), "cuda", [1]))
        (y, z) = made.run_with_ort_values(None, {"x": taken})
        self.assertEqual((y.device_name(), y.numpy().tolist()), ("cpu", (-X).tolist()))
        direct = made.run(["y"], {"x": Other()})
        self.assertEqual(direct[0].tolist(), (-X).tolist())

    def test_what_is_refused(self):
        with self.assertRaisesRegex(Exception, "no memory of device 'npu'"):
            ort.OrtValue.ortvalue_from_numpy(X, "npu", 0)
        with self.assertRaisesRegex(Exception, "none of the session's providers works"):
            onnxrun.Session(onnxrun.Model.from_text(MODEL)).run({"x": ort.OrtValue.ortvalue_from_numpy(X, "cuda", 0)._value})
        with self.assertRaisesRegex(Exception, "no library is registered"):
            ort.unregister_execution_provider_library("another")


if __name__ == "__main__":
    unittest.main()

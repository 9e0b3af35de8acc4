"""onnxrun.onnxruntime beside ONNX Runtime itself: the same calls, the same results, the same refusals."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings
from pathlib import Path

import ml_dtypes
import numpy as np
import onnxruntime as real
from onnxruntime.capi import onnxruntime_pybind11_state as real_state

import onnxrun
import onnxrun.onnxruntime as ours
from onnxrun.onnxruntime import exceptions

import models

ROOT = Path(__file__).resolve().parents[2]
DIGITS = str(ROOT / "examples/digits/digits.onnx")
IMAGE = np.random.default_rng(0).random((2, 1, 8, 8), np.float32)
BOTH = (real, ours)

real.set_default_logger_severity(4)


def quiet(runtime, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return runtime.InferenceSession(*args, **kwargs)


class Declared(unittest.TestCase):
    GRAPHS = {
        "tensors": "g (bfloat16[a,?,3] x, float8e4m3fn[1] f, int4[2] i, string[] s) => (bfloat16[a,?,3] y) { y = Identity(x) }",
        "a sequence": "g (seq(float[n]) s) => (seq(float[n]) t) { t = Identity(s) }",
        "an optional": "g (optional(float[n,2]) s) => (optional(float[n,2]) t) { t = Identity(s) }",
        "maps": 'g (float[n,3] x) => (seq(map(string, float)) y) { y = ai.onnx.ml.ZipMap <classlabels_strings = ["a", "b", "c"]> (x) }',
        "defaults": "g (float[2] x, float[2] w) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) }",
        "a scalar": "g (double x) => (double y) { y = Identity(x) }",
    }

    def test_inputs_and_outputs(self):
        for what, graph in self.GRAPHS.items():
            model = models.parse(graph)
            told = []
            for runtime in BOTH:
                session = runtime.InferenceSession(model)
                told.append([[(arg.name, arg.type, list(arg.shape)) for arg in args]
                             for args in (session.get_inputs(), session.get_outputs(), session.get_overridable_initializers())])
            with self.subTest(what):
                self.assertEqual(told[1], told[0])
        self.assertEqual(str(ours.InferenceSession(DIGITS).get_inputs()[0]), str(real.InferenceSession(DIGITS).get_inputs()[0]))

    def test_metadata(self):
        told = []
        for runtime in BOTH:
            about = runtime.InferenceSession(DIGITS).get_modelmeta()
            told.append({name: getattr(about, name) for name in ("producer_name", "graph_name", "domain", "description", "graph_description",
                                                                 "version", "custom_metadata_map")})
        self.assertEqual(told[1], told[0])
        self.assertTrue(told[1]["graph_description"])

    def test_names(self):
        missing = {name for name in dir(real) if not name.startswith("_")} - set(dir(ours))
        # What belongs to parts of ONNX Runtime that are not here: plug-in devices, compiled models, adapters, CUDA arenas; and its own modules.
        self.assertEqual(missing, {
            "AdapterFormat", "LoraAdapter", "ModelCompiler", "OrtArenaCfg", "OrtCompileApiFlags", "OrtDeviceVendorId", "OrtEpAssignedNode",
            "OrtEpAssignedSubgraph", "OrtEpContextData", "OrtEpContextDataBuffer", "OrtEpDevice", "OrtExecutionProviderDevicePolicy",
            "OrtExternalInitializerInfo", "OrtHardwareDevice", "OrtHardwareDeviceType", "OrtMemoryInfoDeviceType", "OrtSparseFormat", "OrtSyncStream",
            "capi", "contextlib", "copy_tensors", "create_and_register_allocator", "create_and_register_allocator_v2", "cuda_version",
            "import_capi_exception", "onnxruntime_validation", "package_name", "register_execution_provider_library",
            "unregister_execution_provider_library", "version"} - set(dir(ours)))
        for kind in ("InferenceSession", "OrtValue", "IOBinding", "NodeArg", "ModelMetadata", "RunOptions"):
            lacking = {name for name in dir(getattr(real, kind)) if not name.startswith("_")} - set(dir(getattr(ours, kind)())
                                                                                                  if kind == "RunOptions" else dir(getattr(ours, kind)))
            if kind == "NodeArg":
                lacking -= {"name", "shape", "type"}
            self.assertEqual(lacking, set(), kind)
        self.assertEqual(real.get_version_string(), ours.get_version_string())
        self.assertEqual((ours.get_device(), ours.get_available_providers()), ("CPU", ["CPUExecutionProvider"]))
        self.assertEqual({kind for kind in dir(real_state) if isinstance(getattr(real_state, kind), type) and issubclass(getattr(real_state, kind), Exception)}
                         - set(dir(exceptions)), set())


class Running(unittest.TestCase):
    def test_results(self):
        for names in (None, [], ["probabilities"]):
            results = [runtime.InferenceSession(DIGITS).run(names, {"image": IMAGE}) for runtime in BOTH]
            self.assertIsInstance(results[1], list)
            np.testing.assert_allclose(results[1][0], results[0][0], rtol=1e-4, atol=1e-6)
            self.assertTrue(results[1][0].flags.writeable)

    def test_other_kinds_of_values(self):
        cases = [
            (Declared.GRAPHS["maps"], {"x": np.arange(6, dtype=np.float32).reshape(2, 3)}),
            ("g (string[n] x) => (string[n] y) { y = Identity(x) }", {"x": np.array(["a", "grüße"])}),
            ("g (string[n] x) => (string[n] y) { y = Identity(x) }", {"x": np.array(["a", "b"], object)}),
            ("g (float[n] x) => (seq(float[k]) y) { y = SplitToSequence(x) }", {"x": np.arange(3, dtype=np.float32)}),
            ("g (seq(float[n]) s) => (int64 k) { k = SequenceLength(s) }", {"s": [np.zeros(1, np.float32), np.zeros(2, np.float32)]}),
            ("g (map(int64, float) m) => (float[1,n] y) { y = ai.onnx.ml.CastMap (m) }", {"m": {1: 2.0, 0: 3.0}}),
            ("g (float[n] x) => (float[n] y) { y = Neg(x) }", {"x": [1.0, 2.0]}),
        ]
        for graph, feed in cases:
            with self.subTest(graph):
                expected, got = (runtime.InferenceSession(models.parse(graph)).run(None, feed)[0] for runtime in BOTH)
                self.assertIs(type(got), type(expected))
                if isinstance(got, np.ndarray):
                    self.assertEqual(got.dtype, expected.dtype)
                    np.testing.assert_array_equal(got, expected)
                elif got and isinstance(got[0], np.ndarray):
                    self.assertEqual([x.tolist() for x in got], [x.tolist() for x in expected])
                else:
                    self.assertEqual(got, expected)

    def test_refusals(self):
        sessions = [runtime.InferenceSession(DIGITS) for runtime in BOTH]
        cases = {
            "a wrong name": (None, {"imag": IMAGE}), "nothing": (None, {}), "a name too many": (None, {"image": IMAGE, "extra": IMAGE}),
            "a wrong rank": (None, {"image": IMAGE[0]}), "a wrong size": (None, {"image": np.zeros((1, 1, 8, 9), np.float32)}),
            "wrong sizes": (None, {"image": np.zeros((1, 2, 8, 9), np.float32)}), "a wrong type": (None, {"image": IMAGE.astype(np.float64)}),
            "a wrong output": (["no"], {"image": IMAGE}), "one name as output": ("probabilities", {"image": IMAGE}), "no dict": (None, IMAGE),
        }
        for what, (names, feed) in cases.items():
            raised = []
            for session in sessions:
                with self.assertRaises(Exception) as caught:
                    session.run(names, feed)
                raised.append(caught.exception)
            with self.subTest(what):
                self.assertEqual(type(raised[1]).__name__, type(raised[0]).__name__)
                if type(raised[0]) not in (TypeError, AttributeError):
                    self.assertEqual(str(raised[1]), str(raised[0]))

    def test_refused_models(self):
        cases = {
            "a missing file": "/no/such.onnx", "junk": b"junk", "an unknown operator": models.parse("g (float[n] x) => (float[n] y) { y = Nope(x) }"),
            "no path": 3,
        }
        for what, source in cases.items():
            kinds = []
            for runtime in BOTH:
                with self.assertRaises(Exception) as caught:
                    runtime.InferenceSession(source)
                kinds.append(type(caught.exception).__name__)
            with self.subTest(what):
                self.assertEqual(kinds[1], kinds[0])
        with self.assertRaises(exceptions.NoSuchFile) as caught:
            ours.InferenceSession("/no/such.onnx")
        self.assertIsInstance(caught.exception.__cause__, onnxrun.FileError)

    def test_failing_runs_leave_a_cause(self):
        session = ours.InferenceSession(models.parse("g (float[3] x, int64[n] i) => (float[n] y) { y = Gather(x, i) }"))
        with self.assertRaisesRegex(exceptions.Fail, r"^\[ONNXRuntimeError\] : 1 : FAIL : Non-zero status code returned while running Gather node") as caught:
            session.run(None, {"x": np.zeros(3, np.float32), "i": np.array([7])})
        self.assertEqual(caught.exception.__cause__.op, "Gather")

    def test_run_async(self):
        for runtime in BOTH:
            options = runtime.SessionOptions()
            options.intra_op_num_threads = 2
            session = runtime.InferenceSession(DIGITS, options)
            done, told = threading.Event(), []

            def callback(results, data, error):
                told.append((results, data, error))
                done.set()

            session.run_async(None, {"image": IMAGE}, callback, "mine")
            self.assertTrue(done.wait(60))
            self.assertEqual((told[0][0][0].shape, told[0][1], told[0][2]), ((2, 10), "mine", ""))
        done.clear()
        session.run_async(["no"], {"image": IMAGE}, callback, 7)
        self.assertTrue(done.wait(60))
        self.assertIn("Invalid output name:no", told[-1][2])

    def test_terminate(self):
        session = ours.InferenceSession(models.LONG)
        forever = {"turns": np.array(2**62), "x": np.ones(1000, np.float32)}
        options = ours.RunOptions()
        timer = threading.Timer(0.1, setattr, [options, "terminate", True])
        timer.start()
        with self.assertRaisesRegex(exceptions.Fail, "Exiting due to terminate flag"):
            session.run(None, forever, options)
        timer.join()
        options.terminate = False
        session.run(None, {"turns": np.array(1), "x": np.ones(1, np.float32)}, options)


class Options(unittest.TestCase):
    def test_attributes(self):
        theirs, mine = real.SessionOptions(), ours.SessionOptions()
        for name in dir(theirs):
            if name.startswith("_"):
                continue
            with self.subTest(name):
                value, own = getattr(theirs, name), getattr(mine, name, None)
                if callable(value) and not hasattr(value, "value"):
                    self.assertTrue(callable(own) or name in ("set_ep_context_data_read_func", "clear_ep_context_data_read_func"))
                    continue
                self.assertEqual(getattr(own, "value", own), getattr(value, "value", value))
                setattr(mine, name, own)
        for name, value in (("intra_op_num_threads", "a"), ("enable_profiling", 3), ("logid", 3)):
            with self.assertRaises(TypeError):
                setattr(mine, name, value)
        with self.assertRaises(AttributeError):
            mine.no_such_thing = 1
        mine.graph_optimization_level = ours.GraphOptimizationLevel.ORT_DISABLE_ALL
        self.assertEqual(mine.graph_optimization_level.name, "ORT_DISABLE_ALL")
        mine.add_session_config_entry("some.key", "1")
        self.assertEqual(mine.get_session_config_entry("some.key"), "1")
        with self.assertRaises(RuntimeError):
            mine.get_session_config_entry("other")
        with self.assertRaises(exceptions.NotImplemented):
            mine.register_custom_ops_library("some.so")

    def test_effects(self):
        with tempfile.TemporaryDirectory() as folder:
            options = ours.SessionOptions()
            options.add_free_dimension_override_by_name("batch", 2)
            options.intra_op_num_threads = 1
            options.optimized_model_filepath = os.path.join(folder, "optimized.onnx")
            options.enable_profiling = True
            options.profile_file_prefix = os.path.join(folder, "profile")
            session = ours.InferenceSession(DIGITS, options)
            self.assertEqual(session.get_inputs()[0].shape, [2, 1, 8, 8])
            expected = session.run(None, {"image": IMAGE})[0]
            path = session.end_profiling()
            events = json.loads(Path(path).read_text())
            self.assertIn("model_run", {event["name"] for event in events})
            self.assertTrue(all(event["ph"] == "X" and event["dur"] >= 0 for event in events))
            self.assertEqual(session.end_profiling(), "")
            session.run(None, {"image": IMAGE})
            np.testing.assert_allclose(real.InferenceSession(options.optimized_model_filepath).run(None, {"image": IMAGE})[0], expected, rtol=1e-4)

    def test_initializers(self):
        model = models.parse("g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) }")
        weights = np.array([10, 20], np.float32)
        for runtime in BOTH:
            options = runtime.SessionOptions()
            value = runtime.OrtValue.ortvalue_from_numpy(weights)
            options.add_initializer("w", value)
            got = runtime.InferenceSession(model, options).run(None, {"x": np.ones(2, np.float32)})[0]
            self.assertEqual(got.tolist(), [11, 21])

    def test_providers(self):
        for providers in (None, [], ["CPUExecutionProvider"], [("CPUExecutionProvider", {"arena": 1})], ["CUDAExecutionProvider", "CPUExecutionProvider"]):
            with self.subTest(providers):
                sessions = [quiet(runtime, DIGITS, providers=providers) for runtime in BOTH]
                self.assertEqual(sessions[1].get_providers(), sessions[0].get_providers())
        with self.assertWarnsRegex(UserWarning, "'CUDAExecutionProvider' is not in available provider names"):
            ours.InferenceSession(DIGITS, providers=["CUDAExecutionProvider"])
        for bad in ([3], [("CPUExecutionProvider",)], "CPUExecutionProvider"):
            with self.assertRaises(ValueError):
                ours.InferenceSession(DIGITS, providers=bad)
        with self.assertRaises(ValueError):
            ours.InferenceSession(DIGITS, providers=["CPUExecutionProvider"], provider_options=[{}, {}])

    def test_other_providers_keep_the_options(self):
        model = models.parse("g (float[1] x) => (float[1] y) <float[1] half = {0.5}> { y = Mul(x, half) }")
        tiny = np.array([1e-39], np.float32)
        for runtime in BOTH:
            session = runtime.InferenceSession(model)
            before = session.run(None, {"x": tiny})[0]
            session.set_providers(["CPUExecutionProvider"])
            self.assertEqual(before.tolist(), session.run(None, {"x": tiny})[0].tolist())
            self.assertNotEqual(before[0], 0)


class Values(unittest.TestCase):
    def test_ort_values(self):
        array = np.arange(6, dtype=np.float32).reshape(2, 3)
        told = []
        for runtime in BOTH:
            value = runtime.OrtValue.ortvalue_from_numpy(array)
            told.append((value.device_name(), list(value.shape()), value.data_type(), value.element_type(), value.is_tensor(), value.has_value(),
                         value.is_tensor_sequence(), value.is_sparse_tensor(), value.tensor_size_in_bytes(), value.data_ptr() == array.ctypes.data,
                         value.numpy().tolist()))
            made = runtime.OrtValue.ortvalue_from_shape_and_type([2, 3], np.float32)
            made.update_inplace(array)
            self.assertEqual(made.numpy().tolist(), array.tolist())
            with self.assertRaises(Exception):
                made.update_inplace(np.zeros(7, np.float32))
            special = runtime.OrtValue.ortvalue_from_numpy_with_onnx_type(np.array([0x3F80, 0x4000], np.uint16), 16)
            self.assertEqual((special.data_type(), special.element_type()), ("tensor(bfloat16)", 16))
            self.assertEqual(runtime.OrtValue.ortvalue_from_shape_and_type([1], 16).data_type(), "tensor(bfloat16)")
        self.assertEqual(told[1], told[0])
        self.assertEqual(special.numpy().astype(ml_dtypes.bfloat16).tolist(), [1, 2])
        with self.assertRaises(exceptions.InvalidArgument):
            ours.OrtValue.ortvalue_from_numpy(array, "cuda", 0)
        self.assertEqual(np.from_dlpack(ours.OrtValue.from_dlpack(array)).tolist(), array.tolist())

    def test_runs_with_values(self):
        session = ours.InferenceSession(DIGITS)
        expected = session.run(None, {"image": IMAGE})[0]
        result = session.run_with_ort_values(["probabilities"], {"image": ours.OrtValue.ortvalue_from_numpy(IMAGE)})[0]
        np.testing.assert_array_equal(result.numpy(), expected)
        fetches = []
        session.run_with_ortvaluevector(None, ["image"], [ours.OrtValue.ortvalue_from_numpy(IMAGE)], ["probabilities"], fetches, [])
        np.testing.assert_array_equal(fetches[0].numpy(), expected)

    def test_binding(self):
        for runtime in BOTH:
            session = runtime.InferenceSession(DIGITS)
            expected = session.run(None, {"image": IMAGE})[0]
            binding = session.io_binding()
            binding.bind_cpu_input("image", IMAGE)
            binding.bind_output("probabilities")
            session.run_with_iobinding(binding)
            np.testing.assert_array_equal(binding.copy_outputs_to_cpu()[0], expected)
            np.testing.assert_array_equal(binding.get_outputs()[0].numpy(), expected)
            target = np.zeros((2, 10), np.float32)
            given = np.ascontiguousarray(IMAGE[::-1])
            binding.bind_input("image", "cpu", 0, np.float32, list(given.shape), given.ctypes.data)
            binding.bind_output("probabilities", "cpu", 0, np.float32, [2, 10], target.ctypes.data)
            session.run_with_iobinding(binding)
            np.testing.assert_array_equal(target, expected[::-1])
            value = runtime.OrtValue.ortvalue_from_shape_and_type([2, 10], np.float32)
            binding.clear_binding_outputs()
            binding.bind_ortvalue_output("probabilities", value)
            binding.bind_ortvalue_input("image", runtime.OrtValue.ortvalue_from_numpy(IMAGE))
            session.run_with_iobinding(binding)
            np.testing.assert_array_equal(value.numpy(), expected)
            for bad in (lambda: binding.bind_cpu_input("no", IMAGE), lambda: binding.bind_output("no"),
                        lambda: binding.bind_output("probabilities", "cuda", 0)):
                with self.assertRaises(Exception):
                    bad()
                    session.run_with_iobinding(binding)
            binding.clear_binding_inputs()
            with self.assertRaises(Exception):
                session.run_with_iobinding(binding)


class Installing(unittest.TestCase):
    def call(self, code):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split()

    def test_import_gives_ours(self):
        told = self.call(f"""
import onnxrun
onnxrun.install_as_onnxruntime()
onnxrun.install_as_onnxruntime()
import onnxruntime, onnxruntime as ort
import onnxruntime.capi.onnxruntime_pybind11_state as state
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument
from onnxruntime.capi import _pybind_state as C
from onnxruntime.capi.onnxruntime_inference_collection import InferenceSession as S
from onnxruntime import InferenceSession
assert S is InferenceSession is C.InferenceSession
try:
    InferenceSession({DIGITS!r}).run(None, {{"image": [[1.0]]}})
except InvalidArgument:
    print(InferenceSession.__module__)
""")
        self.assertEqual(told, ["onnxrun.onnxruntime.session"])

    def test_packages_that_ask_for_the_version(self):
        told = self.call("""
import sys, importlib.metadata, importlib.util
import onnxrun
onnxrun.install_as_onnxruntime()
assert importlib.util.find_spec("onnxruntime") is not None
print(importlib.metadata.version("onnxruntime"))
# As where the real package is not installed.
sys.path = [entry for entry in sys.path if not entry.endswith("-packages")]
importlib.invalidate_caches()
print(importlib.metadata.version("onnxruntime"), importlib.metadata.metadata("onnxruntime")["Name"])
try:
    importlib.metadata.version("no-such-package")
except importlib.metadata.PackageNotFoundError:
    print("right")
""")
        self.assertEqual(told, [real.__version__, ours.__version__, "onnxruntime", "right"])

    def test_not_over_the_real_one(self):
        told = self.call("""
import onnxruntime, onnxrun
try:
    onnxrun.install_as_onnxruntime()
except RuntimeError:
    onnxrun.install_as_onnxruntime(force=True)
    import onnxruntime
    print(onnxruntime.__name__)
""")
        self.assertEqual(told, ["onnxrun.onnxruntime"])


if __name__ == "__main__":
    unittest.main()

"""Calls every function of the C interface through ctypes, and compares what the library exports with what the header declares.

Arguments: the shared library, nm.
"""

import ctypes
import json
import re
import subprocess
import sys
import tempfile
import threading
import unittest
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from pathlib import Path

HEADER = Path(__file__).resolve().parents[2] / "include/onnxrun/onnxrun.h"
LIBRARY, NM = sys.argv[1], sys.argv[2]
FLOAT32, TENSOR, INVALID_ARGUMENT, CANCELLED, IO = 1, 1, 1, 6, 8

TEXT = b"""onnxrun text 1
ir_version 8
opset ai.onnx 17
metadata 'key' = 'text'
graph sums(x: float32[n,3], y: float32[n,3]) -> (z) {
  w: float32[3] = {1, 2, 3}
  t = Add(x, y)  # node 'first'
  u = Mul(t, w)  # node 'scale'
  z = Add(u, x)  # node 'second'
}
"""


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Port(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("type", c_char_p), ("kind", c_int32), ("dtype", c_int32), ("rank", c_int32),
                ("has_default", c_int32), ("dims", POINTER(c_int64)), ("symbols", POINTER(c_char_p))]


class Tensor(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("dims", POINTER(c_int64)), ("strides", POINTER(c_int64)), ("rank", c_int32),
                ("dtype", c_int32), ("memory", c_int32), ("layout", c_int32)]


class Node(ctypes.Structure):
    _fields_ = [("domain", c_char_p), ("op_type", c_char_p), ("name", c_char_p), ("attributes", c_void_p),
                ("attribute_count", c_size_t), ("inputs", POINTER(Tensor)), ("input_count", c_size_t)]


class InferCall(ctypes.Structure):
    pass


SetOutput = CFUNCTYPE(c_int32, POINTER(InferCall), c_size_t, c_int32, POINTER(c_int64), c_int32, c_void_p)
InferCall._fields_ = [("node", POINTER(Node)), ("set_output", SetOutput)]
Infer = CFUNCTYPE(c_int32, c_void_p, POINTER(InferCall), c_void_p)


class RunContext(ctypes.Structure):
    _fields_ = [("host", c_void_p), ("inputs", POINTER(POINTER(Tensor))), ("outputs", POINTER(POINTER(Tensor)))]


RunKernel = CFUNCTYPE(c_int32, c_void_p, POINTER(RunContext), c_void_p)


class Kernel(ctypes.Structure):
    _fields_ = [("domain", c_char_p), ("op_type", c_char_p), ("name", c_char_p), ("accepts", c_void_p), ("pack", c_void_p),
                ("bind", c_void_p), ("run", RunKernel), ("release", c_void_p), ("state_bytes", c_void_p)]


class OpKernel(ctypes.Structure):
    _fields_ = [("provider", c_char_p), ("kernel", Kernel)]


class Op(ctypes.Structure):
    _fields_ = [("domain", c_char_p), ("name", c_char_p), ("since_version", c_int32), ("flags", c_uint32),
                ("inputs", c_char_p), ("outputs", c_char_p), ("types", c_char_p), ("attributes", c_char_p),
                ("value_inputs", c_uint64), ("infer", Infer), ("self", c_void_p), ("kernels", POINTER(OpKernel)),
                ("kernel_count", c_size_t)]


Release = CFUNCTYPE(None, c_void_p)


class OpLibrary(ctypes.Structure):
    _fields_ = [("abi_version", c_uint32), ("abi_revision", c_uint32), ("name", c_char_p), ("ops", POINTER(Op)), ("op_count", c_size_t),
                ("self", c_void_p), ("destroy", Release)]


def declared_functions():
    """The table's functions in order, as the header declares them."""
    text = HEADER.read_text()
    text = re.sub(r"/\*.*?\*/", " ", text[text.index("typedef struct onnxrun_api {"):text.index("} onnxrun_api;")], flags=re.S)
    return [piece.split("(*", 1)[1].split(")", 1)[0] for piece in text.split(";") if "(*" in piece]


class Api:
    """The table: `api.name(...)` calls a function, and notes that it was called."""

    PLAIN = {"library_version": c_char_p, "status_code": c_int32, "status_message": c_char_p, "blob_data": c_char_p,
             "blob_size": c_size_t}

    def __init__(self):
        library = ctypes.CDLL(LIBRARY)
        library.onnxrun_get_api.restype = c_void_p
        assert library.onnxrun_get_api(2) is None
        table = library.onnxrun_get_api(1)
        names = declared_functions()
        size = c_size_t.from_address(table + 8).value
        assert size == 16 + 8 * len(names), "the header declares other functions than the library has"
        self.addresses = dict(zip(names, (c_void_p * len(names)).from_address(table + 16)))
        self.called = set()

    def __getattr__(self, name):
        if name not in self.addresses:
            raise AttributeError(name)
        result = self.PLAIN.get(name, None if name.endswith("_free") else c_void_p)

        def call(*arguments):
            self.called.add(name)
            kinds = [type(a) if isinstance(a, (c_double, ctypes._CFuncPtr)) else c_void_p for a in arguments]
            plain = [ctypes.addressof(a) if isinstance(a, (ctypes.Array, ctypes.Structure)) else a for a in arguments]
            value = CFUNCTYPE(result, *kinds)(self.addresses[name])(*plain)
            if result is not c_void_p or value is None:
                return value
            code, message = self.status_code(value), self.status_message(value).decode()
            self.status_free(value)
            raise Failure(code, message)
        return call

    def made(self, name, *arguments, kind=c_void_p):
        """Calls a function whose last argument receives what it makes."""
        out = kind()
        getattr(self, name)(*arguments, ctypes.addressof(out))
        return out.value

    def text(self, name, *arguments):
        blob = self.made(name, *arguments)
        try:
            assert self.blob_size(blob) > 0
            return self.blob_data(blob).decode()
        finally:
            self.blob_free(blob)

    def bytes(self, name, *arguments):
        blob = self.made(name, *arguments)
        address = CFUNCTYPE(c_void_p, c_void_p)(self.addresses["blob_data"])(blob)
        result = ctypes.string_at(address, self.blob_size(blob))
        self.blob_free(blob)
        return result


def texts(*words):
    return (c_char_p * len(words))(*words)


class EveryFunction(unittest.TestCase):
    """One test, as it counts what was called at its end."""

    def model(self, options=None):
        return self.api.made("model_from_text", TEXT, len(TEXT), options)

    def floats(self, *numbers):
        dims = (c_int64 * 2)(1, len(numbers))
        value = self.api.made("value_create_tensor", FLOAT32, ctypes.addressof(dims), 2)
        self.api.value_from_doubles(value, (c_double * len(numbers))(*numbers), len(numbers))
        return value

    def numbers(self, value):
        count = c_int64()
        self.api.value_tensor_info(value, None, None, None, ctypes.addressof(count))
        out = (c_double * count.value)()
        self.api.value_to_doubles(value, ctypes.addressof(out), count.value)
        return list(out)

    def refused(self, code, call, *arguments):
        with self.assertRaises(Failure) as caught:
            call(*arguments)
        self.assertEqual(caught.exception.code, code, str(caught.exception))

    def test_every_function(self):
        self.api = Api()
        self.assertTrue(self.api.library_version())
        with tempfile.TemporaryDirectory() as folder:
            for part in (self.values, lambda: self.models(Path(folder)), self.quantising, self.editing, self.sessions, self.operators):
                part()
        self.assertEqual(set(self.api.addresses) - self.api.called, set())

    def values(self):
        api = self.api
        memory = (ctypes.c_float * 2)(1.5, 2.5)
        two = (c_int64 * 1)(2)
        released = []
        release = Release(released.append)
        wrapped = api.made("value_wrap_tensor", FLOAT32, ctypes.addressof(two), 1, ctypes.addressof(memory),
                           ctypes.sizeof(memory), 1, release, None)
        self.assertEqual(api.made("value_kind", wrapped, kind=c_int32), TENSOR)
        self.assertIn("float32", api.text("value_describe", wrapped))
        data, size = c_void_p(), c_size_t()
        for name in ("value_data", "value_mutable_data"):
            getattr(api, name)(wrapped, ctypes.addressof(data), ctypes.addressof(size))
            self.assertEqual((data.value, size.value), (ctypes.addressof(memory), 8))
        kind, number = c_int32(), c_int32()
        on_device = api.made("value_wrap_device", FLOAT32, ctypes.addressof(two), 1, ctypes.addressof(memory), ctypes.sizeof(memory), 2, 1, 1, None, None)
        api.value_device(on_device, ctypes.addressof(kind), ctypes.addressof(number), ctypes.addressof(data))
        self.assertEqual((kind.value, number.value, data.value), (2, 1, ctypes.addressof(memory)))
        self.refused(INVALID_ARGUMENT, api.value_data, on_device, ctypes.addressof(data), None)
        fresh = api.made("value_create_on", None, 1, 0, FLOAT32, ctypes.addressof(two), 1)
        api.value_copy(None, wrapped, fresh)
        self.assertEqual(self.numbers(fresh), [1.5, 2.5])
        self.refused(INVALID_ARGUMENT, api.value_copy, None, on_device, fresh)
        for value in (on_device, fresh):
            api.value_free(value)
        proto = api.bytes("value_to_proto", wrapped, b"w")
        copy = api.made("value_from_proto", proto, len(proto), TENSOR)
        self.assertEqual(self.numbers(copy), [1.5, 2.5])
        strings = api.made("value_create_strings", ctypes.addressof(two), 1, texts(b"one", b"two"), None, 2)
        api.value_string(strings, 1, ctypes.addressof(data), ctypes.addressof(size))
        self.assertEqual(ctypes.string_at(data.value, size.value), b"two")
        sequence = api.made("value_create_sequence", (c_void_p * 2)(wrapped, strings), 2)
        self.assertEqual(api.made("value_sequence_length", sequence, kind=c_size_t), 2)
        mapping = api.made("value_create_map", strings, wrapped)
        others = [api.made("value_sequence_element", sequence, 1), api.made("value_map_keys", mapping),
                  api.made("value_map_values", mapping), api.made("value_create_absent"), api.made("value_share", wrapped)]
        shared = api.made("value_to_dlpack", wrapped, 0)
        for value in [copy, strings, sequence, mapping, wrapped, *others]:
            api.value_free(value)
        self.assertEqual(released, [])
        back = api.made("value_from_dlpack", shared, 0)
        self.assertEqual(self.numbers(back), [1.5, 2.5])
        api.value_free(back)
        self.assertEqual(released, [None])

    def models(self, folder):
        api = self.api
        model = self.model()
        self.assertEqual(api.made("model_input_count", model, kind=c_size_t), 2)
        self.assertEqual(api.made("model_output_count", model, kind=c_size_t), 1)
        for name, index, expected in (("model_input", 1, b"y"), ("model_output", 0, b"z")):
            self.assertEqual(Port.from_address(api.made(name, model, index)).name, expected)
        self.assertEqual(api.made("model_metadata", model, b"key", kind=c_char_p), b"text")
        self.assertEqual(api.made("model_metadata_count", model, kind=c_size_t), 1)
        key, value = c_char_p(), c_char_p()
        api.model_metadata_entry(model, 0, ctypes.addressof(key), ctypes.addressof(value))
        self.assertEqual((key.value, value.value), (b"key", b"text"))
        self.assertEqual(json.loads(api.text("model_inspect", model, None, 0))["version"], 1)
        self.assertIn("onnxrun text 1", api.text("model_to_text", model))
        others = [api.made("model_optimize", model, None)]
        path = str(folder / "sums.onnx").encode()
        api.model_save(model, path, None)
        others.append(api.made("model_load", path, None))
        self.assertEqual(json.loads(api.text("model_check", path, None))["errors"], 0)
        data = api.bytes("model_save_bytes", model, None)
        self.assertEqual(data, Path(path.decode()).read_bytes())
        others.append(api.made("model_load_bytes", data, len(data), None))
        self.assertEqual(json.loads(api.text("model_check_bytes", data, len(data), None))["errors"], 0)
        at = 0

        @CFUNCTYPE(c_int64, c_void_p, c_void_p, c_size_t)
        def read(_, to, capacity):
            nonlocal at
            piece = data[at:at + min(capacity, 5)]
            ctypes.memmove(to, piece, len(piece))
            at += len(piece)
            return len(piece)
        others.append(api.made("model_load_stream", read, None, None))
        for other in [model, *others]:
            api.model_free(other)

    def quantising(self):
        api = self.api
        model = self.model()
        given = []

        @CFUNCTYPE(c_int32, c_void_p, c_size_t, c_void_p)
        def sample(_, index, run):
            if index >= 2:
                return 0
            for name in (b"x", b"y"):
                value = self.floats(1, 2, 3)
                api.run_set_input(run, name, value)
                api.value_free(value)
            given.append(index)
            return 1
        smaller, report = c_void_p(), c_void_p()
        api.model_quantize(model, None, texts(b"mode=float"), 1, sample, None, ctypes.addressof(smaller), ctypes.addressof(report))
        self.assertIn('"mode":"float"', api.blob_data(report.value).decode())
        self.assertLessEqual({0, 1}, set(given))
        api.blob_free(report.value)
        api.model_free(smaller.value)
        api.model_free(model)

    def editing(self):
        api = self.api
        model = self.model()
        editor = api.made("editor_create", model)
        node, count = c_int64(), c_size_t()

        def select(op, name):
            api.editor_select(editor, op, name, ctypes.addressof(node), 1, ctypes.addressof(count))
            self.assertEqual(count.value, 1)
            return node.value
        last = select(b"Add", b"second")
        self.assertIn("second", api.text("editor_node", editor, last))
        api.editor_rename_value(editor, b"z", b"sum")
        api.editor_rename_node(editor, last, b"last")
        api.editor_set_node_input(editor, last, 1, b"y")
        api.editor_replace_uses(editor, b"t", b"x")
        constant = api.made("editor_constant", editor, b"w")
        api.editor_set_constant(editor, b"w", constant)
        api.value_free(constant)
        api.editor_set_metadata(editor, b"key", None)
        api.editor_strip_weights(editor, 1 << 20, ctypes.addressof(count))
        api.editor_insert(editor, b"r = Relu(u)")
        api.editor_add_output(editor, b"r")
        api.editor_remove_output(editor, b"r")
        api.editor_add_output(editor, b"u")
        api.editor_bypass_node(editor, select(b"Mul", None))
        api.editor_set_input(editor, b"x", 0, texts(b"batch", b"3"), 2)
        api.editor_merge(editor, model, texts(b"sum"), texts(b"x"), 1, b"more_")
        api.model_free(api.made("editor_finish", editor))
        api.editor_add_input(editor, b"more_t")
        api.editor_remove_node(editor, select(b"Add", b"more_first"))
        api.editor_extract(editor, None, 0, None, 0)
        api.editor_free(editor)
        api.model_free(model)

    def sessions(self):
        api = self.api
        options = api.made("options_create")
        for key, value in (("statistics", "tensors"), ("statistics_values", "u"), ("level", "0")):
            api.options_set(options, key.encode(), value.encode())
        messages = []
        log = CFUNCTYPE(None, c_void_p, c_int32, c_char_p)(lambda _, level, message: messages.append((level, message)))
        api.options_set_log(options, 3, log, None, None)
        libc = ctypes.CDLL(None)
        libc.aligned_alloc.restype = c_void_p
        held = []

        @CFUNCTYPE(c_void_p, c_void_p, c_size_t, c_size_t)
        def allocate(_, size, alignment):
            held.append(libc.aligned_alloc(c_size_t(alignment), c_size_t(size)))
            return held[-1]

        @CFUNCTYPE(None, c_void_p, c_void_p, c_size_t)
        def deallocate(_, block, size):
            held.remove(block)
            libc.free(c_void_p(block))
        api.options_set_allocator(options, allocate, deallocate, None, None)
        self.refused(IO, api.options_add_provider_library, options, b"/nowhere/provider.so", None, 0)
        self.refused(IO, api.options_add_op_library, options, b"/nowhere/ops.so", None, 0)
        self.assertIn("cpu", api.text("providers_report", options))
        model = self.model(options)
        session = api.made("session_create", model, options)
        api.options_free(options)
        api.model_free(model)
        self.assertEqual(api.made("session_input_count", session, kind=c_size_t), 2)
        self.assertEqual(api.made("session_output_count", session, kind=c_size_t), 1)
        self.assertEqual(Port.from_address(api.made("session_input", session, 0)).name, b"x")
        self.assertEqual(Port.from_address(api.made("session_output", session, 0)).name, b"z")

        run = api.made("run_create", session)
        x, y, into = self.floats(1, 2, 3), self.floats(10, 11, 12), self.floats(0, 0, 0)
        self.refused(INVALID_ARGUMENT, api.run_execute, run)
        api.run_set_input(run, b"x", x)
        api.run_set_input(run, b"y", y)
        api.run_set_output_device(run, b"z", 2, 0)
        api.run_set_output(run, b"z", into)
        api.run_set_timeout(run, c_double(100))
        taps = []
        tap = CFUNCTYPE(None, c_void_p, c_char_p, c_void_p)(lambda _, name, value: taps.append(name))
        api.run_set_tap(run, b"u", tap, None)
        poll = CFUNCTYPE(c_int32, c_void_p)(lambda _: 0)
        api.run_set_poll(run, poll, None)
        api.run_set_profile(run, 1)
        api.run_execute(run)
        self.assertEqual(taps, [b"u"])
        self.assertEqual(self.numbers(into), [12, 28, 48])
        self.assertEqual(api.made("run_output_count", run, kind=c_size_t), 1)
        self.assertEqual(api.made("run_output_name", run, 0, kind=c_char_p), b"z")
        for name, key in (("run_output", 0), ("run_output_by_name", b"z"), ("run_take_output", 0)):
            api.value_free(api.made(name, run, key))
        self.assertIn("scale", api.text("run_profile", run))
        api.run_cancel(run, 1)
        self.refused(CANCELLED, api.run_execute, run)
        api.run_cancel(run, 0)

        ended, codes = threading.Event(), []

        @CFUNCTYPE(None, c_void_p, c_void_p)
        def done(_, status):
            codes.append(status)
            ended.set()
        api.run_execute_async(run, done, None)
        api.run_wait(run)
        self.assertTrue(ended.wait(60))
        self.assertEqual(codes, [None])
        stats = json.loads(api.text("session_stats", session))
        self.assertEqual((stats["runs"], stats["errors"]), (4, {"invalid_argument": 1, "cancelled": 1}))
        self.assertEqual({tensor["name"]: tensor["mean"] for tensor in stats["tensors"]}["x"], 2)
        self.assertIn('onnxrun_runs_total{session="s"} 4', api.text("session_prometheus", session, b"s"))
        self.assertIn("limit", api.text("session_memory", session))
        api.session_trim(session)
        api.session_free(session)
        api.run_free(run)
        for value in (x, y, into):
            api.value_free(value)
        self.assertEqual(held, [])
        self.assertEqual([level for level, _ in messages], [3, 1, 2])

    def operators(self):
        api = self.api

        @Infer
        def infer(_, call, error):
            fact = call.contents.node.contents.inputs[0]
            return call.contents.set_output(call, 0, fact.dtype, fact.dims, fact.rank, error)

        @RunKernel
        def kernel(_, context, error):
            source, target = context.contents.inputs[0].contents, context.contents.outputs[0].contents
            count = source.dims[0]
            numbers = (ctypes.c_float * count).from_address(source.data)
            (ctypes.c_float * count).from_address(target.data)[:] = [2 * number for number in numbers]
            return 0
        destroyed = []
        destroy = Release(destroyed.append)
        kernels = (OpKernel * 1)(OpKernel(b"cpu", Kernel(run=kernel)))
        ops = (Op * 1)(Op(b"test", b"Double", 1, 0, b"x:T", b"y:T", b"T: float32", None, 0, infer, None, kernels, 1))
        library = OpLibrary(1, 0, b"test", ops, 1, None, destroy)
        options = api.made("options_create")
        api.options_add_ops(options, ctypes.addressof(library))
        text = b"onnxrun text 1\nopset ai.onnx 17\nopset test 1\ngraph g(x: float32[n]) -> (y) {\n  y = test.Double(x)\n}\n"
        model = api.made("model_from_text", text, len(text), options)
        session = api.made("session_create", model, None)
        run = api.made("run_create", session)
        dims = (c_int64 * 1)(3)
        x = api.made("value_create_tensor", FLOAT32, ctypes.addressof(dims), 1)
        api.value_from_doubles(x, (c_double * 3)(1, 2, -3), 3)
        api.run_set_input(run, b"x", x)
        api.run_execute(run)
        y = api.made("run_output", run, 0)
        self.assertEqual(self.numbers(y), [2, 4, -6])
        for free, handle in (("value_free", x), ("value_free", y), ("run_free", run), ("session_free", session),
                             ("model_free", model)):
            getattr(api, free)(handle)
        self.assertEqual(destroyed, [])
        api.options_free(options)
        self.assertEqual(destroyed, [None])


class Exports(unittest.TestCase):
    def test_the_library_exports_what_the_header_declares(self):
        listing = subprocess.run([NM, "-D", "--defined-only", LIBRARY], check=True, capture_output=True, text=True).stdout
        names = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
        self.assertEqual(names, {"onnxrun_get_api"})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

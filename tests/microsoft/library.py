"""The C interface of onnxrun through ctypes: as much of it as differential tests need.

The table's layout is read from include/onnxrun/onnxrun.h, so that functions appended to it need no change here.
"""

import ctypes
import re
from pathlib import Path

import ml_dtypes
import numpy as np

HEADER = Path(__file__).resolve().parents[2] / "include/onnxrun/onnxrun.h"

DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 4: np.uint16, 5: np.int16, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float16,
          11: np.float64, 12: np.uint32, 13: np.uint64, 16: ml_dtypes.bfloat16}
NUMBERS = {np.dtype(t): n for n, t in DTYPES.items()}
STRING = 8


class Failed(Exception):
    pass


def functions():
    """Names of the table's functions in order."""
    text = HEADER.read_text()
    body = text[text.index("typedef struct onnxrun_api {"):text.index("} onnxrun_api;")]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    return re.findall(r"\(\*(\w+)\)\(", body.replace("void (*release)(void* context)", ""))


class Library:
    def __init__(self, path):
        library = ctypes.CDLL(str(path))
        library.onnxrun_get_api.restype = ctypes.c_void_p
        library.onnxrun_get_api.argtypes = [ctypes.c_uint32]
        table = library.onnxrun_get_api(0)
        pointers = ctypes.cast(table + 8 + ctypes.sizeof(ctypes.c_size_t), ctypes.POINTER(ctypes.c_void_p))
        self.api = {name: pointers[i] for i, name in enumerate(functions())}
        self.keep = library

    def raw(self, name, *arguments, result=ctypes.c_void_p):
        return ctypes.CFUNCTYPE(result, *[type(a) for a in arguments])(self.api[name])(*arguments)

    def call(self, name, *arguments):
        status = self.raw(name, *arguments)
        if status:
            message = self.raw("status_message", ctypes.c_void_p(status), result=ctypes.c_char_p).decode()
            self.raw("status_free", ctypes.c_void_p(status), result=None)
            raise Failed(message)

    def make(self, name, *arguments):
        out = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.pointer(out))
        return out

    def value(self, array):
        dims = (ctypes.c_int64 * max(1, array.ndim))(*array.shape)
        if array.dtype.kind in "OUS":
            texts = [x.encode() if isinstance(x, str) else x for x in array.reshape(-1).tolist()]
            pointers = (ctypes.c_char_p * max(1, len(texts)))(*texts)
            lengths = (ctypes.c_size_t * max(1, len(texts)))(*[len(t) for t in texts])
            return self.make("value_create_strings", dims, ctypes.c_size_t(array.ndim), pointers, lengths, ctypes.c_size_t(len(texts)))
        value = self.make("value_create_tensor", ctypes.c_int32(NUMBERS[array.dtype]), dims, ctypes.c_size_t(array.ndim))
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        self.call("value_mutable_data", value, ctypes.pointer(data), ctypes.pointer(size))
        ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size.value)
        return value

    def array(self, value):
        dtype, rank, count = ctypes.c_int32(), ctypes.c_size_t(), ctypes.c_int64()
        dims = ctypes.POINTER(ctypes.c_int64)()
        self.call("value_tensor_info", value, ctypes.pointer(dtype), ctypes.pointer(dims), ctypes.pointer(rank), ctypes.pointer(count))
        shape = tuple(dims[i] for i in range(rank.value))
        if dtype.value == STRING:
            texts = []
            for i in range(count.value):
                data, length = ctypes.c_void_p(), ctypes.c_size_t()
                self.call("value_string", value, ctypes.c_int64(i), ctypes.pointer(data), ctypes.pointer(length))
                texts.append(ctypes.string_at(data, length.value).decode())
            return np.array(texts, dtype=object).reshape(shape)
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        self.call("value_data", value, ctypes.pointer(data), ctypes.pointer(size))
        return np.frombuffer(ctypes.string_at(data, size.value), dtype=DTYPES[dtype.value]).reshape(shape).copy()

    def run(self, model, feeds, options=None):
        """The outputs of a model (bytes or a path) in its order. `options`: texts by key, as options_set takes them."""
        made = []

        def hold(kind, handle):
            made.append((kind, handle))
            return handle

        try:
            chosen = hold("options", self.make("options_create"))
            for key, text in {"threads": "2", **(options or {})}.items():
                self.call("options_set", chosen, ctypes.c_char_p(key.encode()), ctypes.c_char_p(text.encode()))
            if isinstance(model, bytes):
                loaded = hold("model", self.make("model_load_bytes", ctypes.c_char_p(model), ctypes.c_size_t(len(model)), chosen))
            else:
                loaded = hold("model", self.make("model_load", ctypes.c_char_p(str(model).encode()), chosen))
            session = hold("session", self.make("session_create", loaded, chosen))
            run = hold("run", self.make("run_create", session))
            for name, array in feeds.items():
                self.call("run_set_input", run, ctypes.c_char_p(name.encode()), hold("value", self.value(array)))
            self.call("run_execute", run)
            count = ctypes.c_size_t()
            self.call("run_output_count", run, ctypes.pointer(count))
            return [self.array(hold("value", self.make("run_output", run, ctypes.c_size_t(i)))) for i in range(count.value)]
        finally:
            for kind, handle in reversed(made):
                self.raw(f"{kind}_free", handle, result=None)

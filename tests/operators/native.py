"""The library through its C interface: models and values as protobuf bytes, many runs in one process."""

import ctypes
import re
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

HEADER = Path(__file__).resolve().parents[2] / "include/onnxrun/onnxrun.h"
TENSOR, SEQUENCE, OPTIONAL, MAP = 1, 3, 4, 5


class RunError(Exception):
    pass


class Encoded:
    """A value as the bytes of its protobuf message of `kind`, handed over as they are."""

    def __init__(self, data, kind=TENSOR):
        self.data, self.kind = data, kind


def table_slots():
    """The table's functions in order, as the header declares them."""
    text = HEADER.read_text()
    text = re.sub(r"/\*.*?\*/", " ", text[text.index("typedef struct onnxrun_api {"):text.index("} onnxrun_api;")], flags=re.S)
    return [piece.split("(*", 1)[1].split(")", 1)[0] for piece in text.split(";") if "(*" in piece]


class Library:
    def __init__(self, path):
        library = ctypes.CDLL(str(path))
        library.onnxrun_get_api.restype = ctypes.c_void_p
        table = library.onnxrun_get_api(1)
        # version and size come before the functions, 16 bytes with padding.
        slots = table_slots()
        pointers = (ctypes.c_void_p * len(slots)).from_address(table + 16)
        self._functions = dict(zip(slots, pointers))
        self._cache = {}
        self.plugin = None  # of runs that name none

    def call(self, name, *arguments):
        """Calls a function that returns a status; raises its message."""
        if name not in self._cache:
            kinds = [ctypes.c_double if isinstance(argument, ctypes.c_double) else ctypes.c_void_p for argument in arguments]
            self._cache[name] = ctypes.CFUNCTYPE(ctypes.c_void_p, *kinds)(self._functions[name])
        status = self._cache[name](*arguments)
        if status:
            message = ctypes.string_at(self._text("status_message", status)).decode()
            self.free("status_free", status)
            raise RunError(message)

    def _text(self, name, handle):
        return ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(self._functions[name])(handle)

    def free(self, name, handle):
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._functions[name])(handle)

    def made(self, name, *arguments):
        """Calls a function whose last argument receives a handle."""
        out = ctypes.c_void_p()
        self.call(name, *arguments, ctypes.addressof(out))
        return out.value

    def number(self, name, handle, kind=ctypes.c_size_t):
        out = kind()
        self.call(name, handle, ctypes.addressof(out))
        return out.value

    def to_value(self, array, elem_type=None):
        """A handle for an array, a list of arrays (a sequence), a dict (a map) or None (an absent optional)."""
        if array is None:
            return self.made("value_create_absent")
        if isinstance(array, list):
            handles = [self.to_value(element, elem_type) for element in array]
            pointers = (ctypes.c_void_p * len(handles))(*handles)
            try:
                return self.made("value_create_sequence", ctypes.addressof(pointers), len(handles))
            finally:
                for handle in handles:
                    self.free("value_free", handle)
        if isinstance(array, dict):
            parts = [self.to_value(np.array(list(part))) for part in (array.keys(), array.values())]
            try:
                return self.made("value_create_map", *parts)
            finally:
                for part in parts:
                    self.free("value_free", part)
        encoded = array if isinstance(array, Encoded) else Encoded(to_tensor(array, elem_type).SerializeToString())
        return self.made("value_from_proto", encoded.data, len(encoded.data), encoded.kind)

    def from_value(self, handle):
        kind = self.number("value_kind", handle, ctypes.c_int32)
        if kind == OPTIONAL:
            return None
        if kind == SEQUENCE:
            result = []
            for i in range(self.number("value_sequence_length", handle)):
                element = self.made("value_sequence_element", handle, i)
                result.append(self.from_value(element))
                self.free("value_free", element)
            return result
        if kind == MAP:
            parts = [self.made(f"value_map_{part}", handle) for part in ("keys", "values")]
            keys, values = map(self.from_value, parts)
            for part in parts:
                self.free("value_free", part)
            return dict(zip(keys.tolist(), values))
        blob = self.made("value_to_proto", handle, None)
        data = ctypes.string_at(self._text("blob_data", blob), self._size("blob_size", blob))
        self.free("blob_free", blob)
        tensor = onnx.TensorProto()
        tensor.ParseFromString(data)
        return from_tensor(tensor)

    def _size(self, name, handle):
        return ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p)(self._functions[name])(handle)

    def run(self, model, feeds, settings=None, types=None, plugin=None, timeout=None):
        """The outputs of a model's bytes for {name: array}, with the provider of a plug-in library (FILE[,OPTION=VALUE]...), in `timeout` seconds. Raises RunError."""
        handles = []

        def keep(free, handle):
            handles.append((free, handle))
            return handle

        try:
            options = keep("options_free", self.made("options_create"))
            plugin = plugin or self.plugin
            if plugin:
                path, *given = str(plugin).split(",")
                listed = (ctypes.c_char_p * len(given))(*(option.encode() for option in given))
                self.call("options_add_provider_library", options, path.encode(), ctypes.addressof(listed), len(given))
            for key, value in (settings or {}).items():
                self.call("options_set", options, key.encode(), str(value).encode())
            loaded = keep("model_free", self.made("model_load_bytes", model, len(model), options))
            session = keep("session_free", self.made("session_create", loaded, options))
            run = keep("run_free", self.made("run_create", session))
            if timeout:
                self.call("run_set_timeout", run, ctypes.c_double(timeout))
            for name, array in feeds.items():
                value = keep("value_free", self.to_value(array, (types or {}).get(name)))
                self.call("run_set_input", run, name.encode(), value)
            self.call("run_execute", run)
            results = []
            for i in range(self.number("run_output_count", run)):
                results.append(self.from_value(keep("value_free", self.made("run_output", run, i))))
            return results
        finally:
            for free, handle in reversed(handles):
                self.free(free, handle)


def to_tensor(array, elem_type=None):
    array = np.asarray(array)
    if array.dtype == object or array.dtype.kind in "US":
        tensor = onnx.TensorProto(data_type=onnx.TensorProto.STRING, dims=array.shape)
        tensor.string_data.extend(s if isinstance(s, bytes) else str(s).encode() for s in array.ravel())
        return tensor
    return numpy_helper.from_array(array)


def from_tensor(tensor):
    if tensor.data_type == onnx.TensorProto.STRING:
        return np.array([s.decode(errors="replace") for s in tensor.string_data], dtype=object).reshape(tuple(tensor.dims))
    return numpy_helper.to_array(tensor)

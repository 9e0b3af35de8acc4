"""Calls every function of the C interface with what it may get wrong: nulls everywhere, then random mixtures of nulls and good and bad arguments.

Every call must come back, with a status where something is wrong. Arguments: the shared library, and how many random calls to make of each function.
"""

import ctypes
import random
import re
import sys
import unittest
from ctypes import CFUNCTYPE, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path

HEADER = Path(__file__).resolve().parents[2] / "include/onnxrun/onnxrun.h"
LIBRARY, ROUNDS, TRACE = sys.argv[1], int(sys.argv[2]), "--trace" in sys.argv  # the last call traced is the one that did not come back
INVALID_ARGUMENT = 1

TEXT = b"""onnxrun text 1
ir_version 8
opset ai.onnx 17
graph sums(x: float32[n,3], y: float32[n,3]) -> (z) {
  w: float32[3] = {1, 2, 3}
  t = Add(x, y)  # node 'first'
  u = Mul(t, w)  # node 'scale'
  z = Add(u, x)  # node 'second'
}
"""


def declarations():
    """The table's functions in order: name, result, parameters as (type, name)."""
    text = HEADER.read_text()
    text = text[text.index("typedef struct onnxrun_api {"):text.index("} onnxrun_api;")]
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    found = []
    for piece in text.split(";"):
        if "(*" not in piece:
            continue
        result, rest = " ".join(piece.split()).split("(*", 1)
        name, rest = rest.split(")(", 1)
        parameters = re.sub(r"\((\*\w+)\)\([^()]*\)", r"\1", rest.rstrip()[:-1])  # callbacks: what they take does not matter
        parsed = []
        for parameter in parameters.split(","):
            parameter = parameter.strip()
            if parameter != "void":
                kind, own = re.fullmatch(r"(.*?)(\w+)", parameter).groups()
                parsed.append((kind.replace(" ", ""), own))
        found.append((name, result.split("typedef struct onnxrun_api {")[-1].split()[-1], parsed))
    return found


class Misuse(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        library = ctypes.CDLL(LIBRARY)
        library.onnxrun_get_api.restype = c_void_p
        cls.functions = declarations()
        table = library.onnxrun_get_api(1)
        assert c_size_t.from_address(table + 8).value == 16 + 8 * len(cls.functions)
        cls.addresses = dict(zip((name for name, _, _ in cls.functions), (c_void_p * len(cls.functions)).from_address(table + 16)))
        cls.keep = []  # what good arguments point to

    def call(self, name, result, kinds, arguments):
        restype = {"char*": c_char_p, "size_t": c_size_t, "onnxrun_code": c_int32, "void": None}.get(result, c_void_p)
        return CFUNCTYPE(restype, *kinds)(self.addresses[name])(*arguments)

    def status(self, status):
        """The code of a status, which is freed."""
        if not status:
            return 0
        code = self.call("status_code", "onnxrun_code", [c_void_p], [status])
        self.assertTrue(self.call("status_message", "char*", [c_void_p], [status]))
        self.call("status_free", "void", [c_void_p], [status])
        return code

    def made(self, name, *arguments):
        out = c_void_p()
        kinds = [c_int64 if isinstance(argument, int) else c_void_p for argument in arguments] + [c_void_p]
        self.assertEqual(self.status(self.call(name, "onnxrun_status*", kinds, [*arguments, ctypes.addressof(out)])), 0, name)
        return out.value

    def kinds(self, parameters):
        plain = {"double": c_double, "int32_t": c_int32, "uint32_t": c_uint32, "int64_t": c_int64, "size_t": c_size_t}
        return [plain.get(kind, c_void_p) for kind, _ in parameters]

    def test_nulls_are_refused(self):
        for name, result, parameters in self.functions:
            with self.subTest(name):
                arguments = [kind() if kind in (c_double, c_int32, c_uint32, c_int64, c_size_t) else None for kind in self.kinds(parameters)]
                answer = self.call(name, result, self.kinds(parameters), arguments)
                if result == "onnxrun_status*":
                    self.assertEqual(self.status(answer), INVALID_ARGUMENT)

    def good(self):
        """A good argument of each handle's type, and how to free it."""
        model = self.made("model_from_text", TEXT, len(TEXT), None)
        session = self.made("session_create", model, None)
        self.keep.append((c_int64 * 2)(1, 3))
        handles = {
            "onnxrun_options*": self.made("options_create"),
            "onnxrun_model*": model,
            "onnxrun_editor*": self.made("editor_create", model),
            "onnxrun_session*": session,
            "onnxrun_run*": self.made("run_create", session),
            "onnxrun_value*": self.made("value_create_tensor", 1, ctypes.addressof(self.keep[-1]), 2),
            "onnxrun_blob*": self.made("providers_report", None),
        }
        return handles

    def test_mixtures_come_back(self):
        choose = random.Random(5)
        dims = (c_int64 * 4)(1, 3, 0, -2)
        words = (c_char_p * 4)(b"x", b"z", b"", b"w")
        lengths = (c_size_t * 4)(1, 0, 1, 1)
        numbers = (c_double * 64)()
        memory = ctypes.create_string_buffer(256)
        node_ids = (c_int64 * 4)(0, 1, -1, 2**40)
        done = CFUNCTYPE(None, c_void_p, c_void_p)(lambda _, status: self.status(status) and None)
        ignore = CFUNCTYPE(None, c_void_p)(lambda _: None)
        nothing = CFUNCTYPE(c_int64, c_void_p, c_void_p, c_size_t)(lambda *_: 0)
        callbacks = {"onnxrun_sample": CFUNCTYPE(c_int32, c_void_p, c_size_t, c_void_p)(lambda *_: 0), "onnxrun_done": done, "onnxrun_read": nothing,
                     "onnxrun_tap": CFUNCTYPE(None, c_void_p, c_char_p, c_void_p)(lambda *_: None),
                     "onnxrun_log": CFUNCTYPE(None, c_void_p, c_int32, c_char_p)(lambda *_: None)}
        # What takes a callback under no type of its own, files of the caller's choice, or memory laid out by another library.
        left_out = {"run_set_poll", "model_save", "model_load", "value_from_dlpack", "options_add_ops", "value_wrap_tensor", "value_wrap_device",
                    "options_set_allocator"}
        buffers = [ctypes.create_string_buffer(text, max(len(text) + 1, 16)) for text in (b"", b"x", b"y", b"z", b"w", b"Add", b"first", b"nowhere", b"level", b"0", b"\xff\xfe", b"a" * 5000, b"r = Relu(u)")]
        texts = [None, *map(ctypes.addressof, buffers)]
        free = {"onnxrun_blob*": "blob_free", "onnxrun_value*": "value_free", "onnxrun_model*": "model_free", "onnxrun_run*": "run_free",
                "onnxrun_session*": "session_free", "onnxrun_editor*": "editor_free", "onnxrun_options*": "options_free"}
        handles = self.good()
        elements = (c_void_p * 4)(*[handles["onnxrun_value*"]] * 3, None)
        for name, result, parameters in self.functions:
            if name in left_out or result != "onnxrun_status*":
                continue
            for _ in range(ROUNDS):
                arguments, outs = [], []
                for kind, own in parameters:
                    bare = kind.removeprefix("const")
                    if kind == "double":
                        arguments.append(choose.choice([0.0, 1.0, -1.0, float("nan"), float("inf"), 1e300]))
                    elif kind in ("int32_t", "uint32_t"):
                        arguments.append(choose.choice([0, 1, 2, 3, 8, 22, 99, 2**31 - 1]))
                    elif kind == "int64_t":
                        arguments.append(choose.choice([0, 1, -1, 2**32, 2**62]))
                    elif kind == "size_t":  # never more than what the pointers beside it show
                        arguments.append(choose.choice([0, 1, 2, 3, 4]))
                    elif kind in callbacks:
                        arguments.append(ctypes.cast(callbacks[kind], c_void_p) if kind == "onnxrun_read" or choose.random() < 0.8 else None)
                    elif own == "release":
                        arguments.append(ctypes.cast(ignore, c_void_p))
                    elif kind == "constonnxrun_value*const*":
                        arguments.append(ctypes.addressof(elements) if choose.random() < 0.8 else None)
                    elif bare in handles:
                        arguments.append(handles[bare] if choose.random() < 0.9 else None)
                    elif kind == "constchar*":
                        arguments.append(choose.choice(texts))
                    elif kind == "constchar*const*":
                        arguments.append(ctypes.addressof(words) if choose.random() < 0.8 else None)
                    elif kind == "constsize_t*":
                        arguments.append(ctypes.addressof(lengths) if choose.random() < 0.8 else None)
                    elif kind == "constint64_t*":
                        arguments.append(ctypes.addressof(dims) if choose.random() < 0.8 else None)
                    elif kind == "int64_t*":
                        arguments.append(ctypes.addressof(node_ids) if choose.random() < 0.8 else None)
                    elif kind in ("constdouble*", "double*"):
                        arguments.append(ctypes.addressof(numbers) if choose.random() < 0.8 else None)
                    elif kind == "constvoid*":
                        arguments.append(ctypes.addressof(memory) if choose.random() < 0.8 else None)
                    elif kind == "void*":
                        arguments.append(None)
                    elif kind.endswith("*"):  # receives something
                        outs.append((kind, c_void_p()))
                        arguments.append(ctypes.addressof(outs[-1][1]) if choose.random() < 0.9 else None)
                    else:
                        self.fail(f"{name} takes a {kind}, of which this test knows nothing")
                print(name, arguments, file=sys.stderr, flush=True) if TRACE else None
                code = self.status(self.call(name, result, self.kinds(parameters), arguments))
                if name == "run_execute_async" and code == 0:
                    self.status(self.call("run_wait", result, [c_void_p], arguments[:1]))
                for kind, out in outs:
                    if kind.removesuffix("*") in free and out.value:
                        self.assertEqual(code, 0, name)
                        self.call(free[kind.removesuffix("*")], "void", [c_void_p], [out.value])
                    elif name == "value_to_dlpack" and out.value:  # its own deleter frees it
                        at = out.value + (56 if arguments[1] == 0 else 16)
                        CFUNCTYPE(None, c_void_p)(c_void_p.from_address(at).value)(out.value)
        for kind, handle in handles.items():
            self.call(free[kind], "void", [c_void_p], [handle])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

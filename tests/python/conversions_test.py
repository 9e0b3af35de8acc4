"""What goes into a run and what comes out: every element type, every kind of value, every shape of array."""

import gc
import sys
import unittest
import weakref

import ml_dtypes
import numpy as np
import onnxrun

import models

# ONNX's text form's name of the type, NumPy's type.
TYPES = {
    "float": np.float32, "double": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16,
    "int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64,
    "uint8": np.uint8, "uint16": np.uint16, "uint32": np.uint32, "uint64": np.uint64,
    "bool": np.bool_, "complex64": np.complex64, "complex128": np.complex128,
    "float8e4m3fn": ml_dtypes.float8_e4m3fn, "float8e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "float8e5m2": ml_dtypes.float8_e5m2, "float8e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "int4": ml_dtypes.int4, "uint4": ml_dtypes.uint4, "float4e2m1": ml_dtypes.float4_e2m1fn,
}


def same(type_name, shape="n"):
    return onnxrun.Session(models.identity(type_name, shape))


class Tensors(unittest.TestCase):
    def test_every_element_type_comes_back_as_it_was(self):
        numbers = np.array([0, 1, 2, 3, -1, -2, 6, -4, 1], np.float64)
        for name, dtype in TYPES.items():
            with self.subTest(name):
                given = (np.abs(numbers) if np.dtype(dtype).name.startswith("u") else numbers).astype(dtype)
                got = same(name).run({"x": given})["y"]
                self.assertEqual(got.dtype, np.dtype(dtype))
                self.assertEqual(got.tobytes(), given.tobytes())
                self.assertTrue(got.flags.writeable)

    def test_types_of_the_newest_opset(self):
        import onnx
        for number, dtype in ((onnx.TensorProto.FLOAT8E8M0, ml_dtypes.float8_e8m0fnu), (onnx.TensorProto.INT2, ml_dtypes.int2),
                              (onnx.TensorProto.UINT2, ml_dtypes.uint2)):
            with self.subTest(dtype=dtype):
                port = [onnx.helper.make_tensor_value_info(name, number, ["n"]) for name in "xy"]
                graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "g", port[:1], port[1:])
                model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 25)], ir_version=13)
                given = np.array([1, 0, 1, 1, 1], np.float32).astype(dtype)
                got = onnxrun.Session(model).run([given])[0]
                self.assertEqual(got.dtype, given.dtype)
                np.testing.assert_array_equal(got.astype(np.float32), given.astype(np.float32))

    def test_all_bits_of_small_types_survive(self):
        for name, bits in (("int4", 4), ("uint4", 4), ("float4e2m1", 4), ("float8e4m3fn", 8), ("float8e5m2fnuz", 8)):
            for count in (2**bits, 2**bits - 1):
                every = np.arange(count, dtype=np.uint8).view(TYPES[name])
                got = same(name).run([every])[0]
                np.testing.assert_array_equal(got.view(np.uint8), every.view(np.uint8), name)

    def test_odd_arrays_are_copied(self):
        session = same("float", "a,b")
        plain = np.arange(12, dtype=np.float32).reshape(3, 4)
        bytes_ = np.zeros(49, np.uint8)
        unaligned = bytes_[1:].view(np.float32).reshape(3, 4)
        unaligned[:] = plain
        self.assertFalse(unaligned.flags.aligned)
        for what, given in {
            "transposed": np.ascontiguousarray(plain.T).T, "stepped": np.repeat(plain, 2, axis=1)[:, ::2],
            "reversed": np.ascontiguousarray(plain[:, ::-1])[:, ::-1], "big-endian": plain.astype(">f4"), "unaligned": unaligned,
            "broadcast": np.broadcast_to(plain[:1], (3, 4)), "a matrix": np.matrix(plain), "a list": plain.tolist(),
            "masked, with nothing masked": np.ma.masked_array(plain, mask=False),
        }.items():
            with self.subTest(what):
                got = session.run({"x": given})["y"]
                np.testing.assert_array_equal(got, np.asarray(given, np.float32))
                self.assertIs(type(got), np.ndarray)

    def test_read_only_arrays_are_inputs_too(self):
        given = np.arange(3, dtype=np.float32)
        given.flags.writeable = False
        np.testing.assert_array_equal(same("float").run([given])[0], given)

    def test_shapes(self):
        for shape, dims in (("", ()), ("n", (0,)), ("a,b,c", (2, 0, 3)), ("n", (1,)), ("a,b,c,d,e,f", (1, 2, 1, 2, 1, 2))):
            with self.subTest(dims):
                given = np.random.default_rng(1).random(dims).astype(np.float32)
                given = np.asarray(given, np.float32)
                got = same("float", shape).run([given])[0]
                self.assertEqual(got.shape, dims)
                np.testing.assert_array_equal(got, given)

    def test_numbers_and_lists_take_the_models_type(self):
        self.assertEqual(same("float", "").run([3])[0], 3)
        self.assertEqual(same("int64", "").run([7])[0], 7)
        self.assertEqual(same("uint8", "n").run([[1, 255]])[0].tolist(), [1, 255])
        self.assertEqual(same("bool", "n").run([[True, False]])[0].tolist(), [True, False])
        self.assertEqual(same("bfloat16", "n").run([[1.5, 2]])[0].tolist(), [1.5, 2])
        self.assertEqual(same("float", "n").run([[]])[0].shape, (0,))
        for name, value in (("int64", 1.5), ("uint8", 256), ("uint8", -1), ("int64", "1"), ("bool", 1), ("float", None), ("float", [[1], [2, 3]]),
                            ("float", object()), ("int32", 1 << 40), ("float", {1.0}), ("float", iter([1.0]))):
            with self.subTest(name=name, value=str(value)), self.assertRaises(onnxrun.InvalidArgument):
                same(name, "").run([value])

    def test_arrays_keep_their_type(self):
        for given in (np.zeros(3), np.zeros(3, np.int32), np.zeros(3, np.float16), np.float64(1).reshape(1)):
            with self.assertRaisesRegex(onnxrun.InvalidArgument, "input 'x' must be float32"):
                same("float").run([given])
        for given in (np.zeros(3, "M8[s]"), np.zeros(3, "V4"), np.zeros(3, np.longdouble), np.zeros(3, [("a", "f4")])):
            with self.assertRaisesRegex(onnxrun.InvalidArgument, "which ONNX does not have"):
                same("float").run([given])
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "masked array"):
            same("float").run([np.ma.masked_array(np.zeros(3, np.float32), mask=[0, 1, 0])])

    def test_a_byte_that_is_no_bool_is_refused(self):
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "bools"):
            same("bool").run([np.array([0, 2], np.uint8).view(np.bool_)])


class Strings(unittest.TestCase):
    TEXTS = ["", "a", "grüße", "日本", "x" * 1000, "with\0zero"]

    def test_every_kind_of_string_array(self):
        session = same("string")
        arrays = [np.array(self.TEXTS, object), np.array(self.TEXTS), np.array(self.TEXTS, np.dtypes.StringDType()),
                  np.array([text.encode() for text in self.TEXTS], object), np.array(self.TEXTS, object).repeat(2)[::2], self.TEXTS]
        for given in arrays:
            got = session.run([given])[0]
            self.assertEqual(got.dtype, object)
            self.assertEqual(got.tolist(), self.TEXTS)
        self.assertEqual(session.run([np.array([b"ab", b"c"])])[0].tolist(), ["ab", "c"])
        self.assertEqual(session.run([np.array([], object)])[0].tolist(), [])
        self.assertEqual(same("string", "").run(["one"])[0].item(), "one")

    def test_bytes_that_are_no_utf8_survive(self):
        got = same("string").run([np.array([b"\xff\xfe"], object)])[0]
        self.assertEqual(got[0].encode("utf-8", "surrogateescape"), b"\xff\xfe")
        self.assertEqual(same("string").run([got])[0].tolist(), got.tolist())

    def test_what_is_no_string_is_named(self):
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "element 1 is of type int"):
            same("string").run([np.array(["a", 1], object)])

    def test_elements_are_not_leaked(self):
        text = "".join(["some", "text"])
        before = sys.getrefcount(text)
        for _ in range(50):
            same("string").run([np.array([text, text], object)])
        self.assertLessEqual(sys.getrefcount(text), before + 1)


class OtherKinds(unittest.TestCase):
    def test_sequences_are_lists(self):
        session = onnxrun.Session(models.parse("""
            g (seq(float[n]) s, float[n] x) => (seq(float[n]) t, int64 k) { t = SequenceInsert(s, x)  k = SequenceLength(t) }"""))
        got = session.run({"s": [np.zeros(1, np.float32), [1, 2]], "x": np.ones(3, np.float32)})
        self.assertEqual([element.tolist() for element in got["t"]], [[0], [1, 2], [1, 1, 1]])
        self.assertEqual(got["k"], 3)
        self.assertTrue(all(element.flags.writeable for element in got["t"]))
        self.assertEqual(len(session.run({"s": [], "x": np.ones(3, np.float32)})["t"]), 1)
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "pass a list, not numpy.ndarray"):
            session.run({"s": np.zeros(1, np.float32), "x": np.ones(3, np.float32)})
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "input 's' must be"):
            session.run({"s": [np.zeros(1, np.int32)], "x": np.ones(3, np.float32)})

    def test_maps_are_dicts(self):
        session = onnxrun.Session(models.parse("""
            g (float[n,3] x) => (seq(map(string, float)) y) { y = ai.onnx.ml.ZipMap <classlabels_strings = ["a", "b", "c"]> (x) }"""))
        got = session.run([np.array([[1, 2, 3], [4, 5, 6]], np.float32)])[0]
        self.assertEqual(got, [{"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 4.0, "b": 5.0, "c": 6.0}])
        session = onnxrun.Session(models.parse("""
            g (map(int64, float) m) => (float[1,n] y) { y = ai.onnx.ml.CastMap <cast_to = "TO_FLOAT", map_form = "SPARSE", max_map = 4> (m) }"""))
        self.assertEqual(session.run([{1: 5, 3: 6.5}])[0].tolist(), [[0, 5, 0, 6.5]])
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "pass a dict"):
            session.run([[1, 2]])

    def test_absent_optionals_are_none(self):
        session = onnxrun.Session(models.parse("""
            g (optional(float[n]) o) => (bool has) { has = OptionalHasElement(o) }"""))
        self.assertFalse(session.run({"o": None})["has"])
        self.assertTrue(session.run({"o": np.zeros(2, np.float32)})["has"])
        session = onnxrun.Session(models.parse("g (optional(float[n]) o) => (optional(float[n]) p) { p = Identity(o) }"))
        self.assertIsNone(session.run([None])[0])
        self.assertEqual(session.run([[1, 2]])[0].tolist(), [1, 2])


class Memory(unittest.TestCase):
    def test_inputs_are_viewed_and_let_go(self):
        session = same("float")
        array = np.zeros(1000, np.float32)
        before = sys.getrefcount(array)
        result = session.run({"x": array})
        self.assertEqual(sys.getrefcount(array), before)
        self.assertFalse(np.shares_memory(array, result["y"]))
        value = onnxrun.Value(array)
        self.assertEqual(value.address, array.ctypes.data)
        self.assertEqual(sys.getrefcount(array), before + 1)
        del value
        self.assertEqual(sys.getrefcount(array), before)

    def test_results_outlive_the_session(self):
        session = onnxrun.Session(models.ADD)
        ones = np.ones((2, 3), np.float32)
        results = [session.run([ones * k, ones])[0] for k in range(5)]
        gone = weakref.ref(session)
        del session
        gc.collect()
        self.assertIsNone(gone())
        for k, result in enumerate(results):
            self.assertEqual(result.tolist(), [[k + 1] * 3] * 2)
            result += 1

    def test_results_do_not_share_memory(self):
        session = onnxrun.Session(models.parse("g (float[n] x) => (float[n] a, float[n] b, float[2] c) { a = Identity(x) b = Identity(x) c = Constant <value_floats: floats = [1.0, 2.0]> () }"))
        a, b, c = session.run([np.ones(2, np.float32)])
        c += 1
        a += 1
        self.assertEqual(b.tolist(), [1, 1])
        self.assertEqual(session.run([np.ones(2, np.float32)])[2].tolist(), [1, 2])

    def test_into(self):
        session = onnxrun.Session(models.ADD)
        ones = np.ones((2, 3), np.float32)
        target = np.zeros((2, 3), np.float32)
        got = session.run([ones, ones], into={"z": target})
        self.assertEqual(target.tolist(), [[2] * 3] * 2)
        named = session.run({"x": ones, "y": ones}, into={"z": target})
        self.assertIs(named["z"], target)
        self.assertEqual(len(got), 1)
        value = onnxrun.Value.empty((2, 3), "float32")
        session.run([ones, ones], into={"z": value})
        self.assertEqual(value.to_python().tolist(), [[2] * 3] * 2)
        session.run({"x": target, "y": ones}, into={"z": target})
        self.assertEqual(target.tolist(), [[3] * 3] * 2)
        frozen = np.zeros((2, 3), np.float32)
        frozen.flags.writeable = False
        for bad, why in ((frozen, "read-only"), (np.zeros((3, 2), np.float32).T, "contiguous"), (np.zeros((2, 3)), "float64"),
                         (np.zeros((1, 3), np.float32), r"\[1,3\]"), ([0], "not to list"), (np.zeros((2, 3), ">f4"), "byte order")):
            with self.subTest(why), self.assertRaisesRegex(onnxrun.InvalidArgument, why):
                session.run([ones, ones], into={"z": bad})
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "no output 'w'"):
            session.run([ones, ones], into={"w": target})

    def test_values(self):
        value = onnxrun.Value(np.arange(6, dtype=np.int32).reshape(2, 3))
        self.assertEqual((value.kind, value.dtype, value.shape, value.nbytes), ("tensor", "int32", (2, 3), 24))
        self.assertEqual(repr(value), "<onnxrun.Value: int32 tensor [2,3]>")
        self.assertEqual(np.asarray(value.to_python()).tolist(), [[0, 1, 2], [3, 4, 5]])
        self.assertEqual(value.numpy().ctypes.data, value.address)
        self.assertEqual(np.asarray(value).ctypes.data, value.address)
        self.assertEqual(np.asarray(value, np.float64).tolist(), [[0, 1, 2], [3, 4, 5]])
        self.assertFalse(np.shares_memory(np.array(value), value.numpy()))
        self.assertIn("without copies", onnxrun.Value.__doc__)
        again = onnxrun.Value.from_proto(value.to_proto("name"))
        self.assertEqual(again.to_python().tolist(), [[0, 1, 2], [3, 4, 5]])
        self.assertEqual(onnxrun.Value([1, 2], dtype="float16").dtype, "float16")
        self.assertEqual(onnxrun.Value([np.zeros(2), np.zeros(3)]).kind, "sequence")
        self.assertEqual(len(onnxrun.Value([np.zeros(2), np.zeros(3)]).elements()), 2)
        results = onnxrun.Session(models.ADD).run([np.ones((1, 3), np.float32)] * 2, as_values=True)
        self.assertIsInstance(results[0], onnxrun.Value)
        self.assertEqual(onnxrun.Session(models.ADD).run(results * 2)[0].tolist(), [[4] * 3])
        for bad in (lambda: onnxrun.Value.empty((-1,), "float32"), lambda: onnxrun.Value.empty((1,), "float33"), lambda: value.elements(),
                    lambda: onnxrun.Value.from_proto(b"junk"), lambda: onnxrun.Value(None).shape,
                    lambda: onnxrun.Value.empty((1,), "\ud800")):
            with self.assertRaises((onnxrun.Error, TypeError, UnicodeEncodeError)):
                bad()

    def test_dlpack(self):
        value = onnxrun.Value.empty((2, 3), "float32")
        array = np.from_dlpack(value)
        self.assertEqual(array.shape, (2, 3))
        self.assertEqual(array.ctypes.data, value.address)
        del value
        gc.collect()
        self.assertEqual(array.tolist(), [[0] * 3] * 2)

        class Other:  # another library's tensor
            def __init__(self, array):
                self.array = array

            def __dlpack__(self, **options):
                return self.array.__dlpack__(**options)

            def __dlpack_device__(self):
                return self.array.__dlpack_device__()

        other = Other(np.arange(3, dtype=np.float32))
        before = sys.getrefcount(other.array)
        self.assertEqual(same("float").run([other])[0].tolist(), [0, 1, 2])
        gc.collect()
        self.assertEqual(sys.getrefcount(other.array), before)
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "not contiguous"):
            same("float").run([Other(np.arange(6, dtype=np.float32)[::2])])
        for use in (lambda value: same("float").run([value]), lambda value: same("float").run([[1]], into={"y": value})):
            with self.assertRaisesRegex(onnxrun.InvalidArgument, "never made"):
                use(onnxrun.Value.__new__(onnxrun.Value))

        class Lost(Other):
            def __dlpack_device__(self):
                return 1

        with self.assertRaisesRegex(onnxrun.InvalidArgument, "tells no device"):
            same("float").run([Lost(np.zeros(3, np.float32))])
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "takes no string"):
            onnxrun.Value(np.array(["a"])).__dlpack__()


if __name__ == "__main__":
    unittest.main()

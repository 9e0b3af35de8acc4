"""onnx-run run: inputs from files and seeds, outputs, errors."""

import io
import struct
import zipfile
import zlib
import unittest

import onnx_bytes as ob
from cli_case import ROOT, RUN, USAGE, CliCase


class Run(CliCase):
    def setUp(self):
        super().setUp()
        self.model = self.write("m.onnx", ob.sums())
        self.x = self.write("x.npy", ob.npy([1, 2, 3], [1, 3]))
        self.y = self.write("y.npy", ob.npy([10, 20, 30], [1, 3]))

    def result(self, *args, name="z"):
        out = self.dir / "out"
        self.call("run", self.model, "--quiet", "--output-dir", out, *args)
        return ob.read_npy((out / f"{name}.npy").read_bytes())

    def test_writes_outputs_under_safe_names(self):
        self.assertEqual(self.result("--input", f"x={self.x}", "--input", f"y={self.y}"), ([11, 22, 33], (1, 3)))
        self.assertEqual(sorted(p.name for p in (self.dir / "out").iterdir()), ["a_b_0.npy", "z.npy"])

    def test_reads_every_kind_of_file(self):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("x.npy", ob.npy([1, 2, 3], [1, 3]))
            z.writestr("y.npy", ob.npy([10, 20, 30], [1, 3]))
        both = self.write("both.npz", archive.getvalue())
        pb = self.write("x.pb", ob.tensor([1, 2, 3], [1, 3]))
        raw = self.write("x.raw", ob.npy([1, 2, 3], [1, 3])[-12:])
        for args in ([both], [f"x={both}", f"y={both}"], [f"x={pb}", f"y={self.y}"], [f"x={raw}", f"y={self.y}"]):
            flags = [part for arg in args for part in ("--input", arg)]
            self.assertEqual(self.result(*flags)[0], [11, 22, 33], args)
        self.call("run", self.model, "--input", self.write("cut.npz", archive.getvalue()[:-30]), code=USAGE, says="cut.npz")

    def test_makes_inputs_from_the_seed(self):
        first = self.result("--seed", 1, "--dim", "n=2")
        self.assertEqual(first[1], (2, 3))
        self.assertEqual(self.result("--seed", 1, "--shape", "x=2x3"), first)
        self.assertNotEqual(self.result("--seed", 2, "--dim", "n=2"), first)
        self.assertTrue(all(0 <= v < 2 for v in first[0]))

    def test_shows_outputs(self):
        text = self.call("run", self.model, "--input", f"x={self.x}", "--input", f"y={self.y}", "--repeat", 3)
        self.assertIn("z  float32[1,3]  min 11  max 33  mean 22", text)
        self.assertIn("over 3 runs", text)
        verbose = self.call("run", self.model, "--verbose")
        self.assertIn("cpu/", verbose)
        self.assertRegex(verbose, r"memory  .* of packed weights, .*B of activations, .* limit \d")
        self.assertEqual(self.call("run", self.model, "--quiet"), "")

    def test_shows_large_outputs_of_any_type(self):
        """They are looked at piece by piece."""
        types = {"uint4": 21, "int4": 22, "int8": 3, "float16": 10, "bool": 9, "float64": 11}
        count = 150_001
        nodes = [ob.node("Cast", ["x"], [name]) + ob.data(5, ob.data(1, "to") + ob.number(20, 2) + ob.number(3, to)) for name, to in types.items()]
        outputs = [ob.value_info(name, ["n"], to) for name, to in types.items()]
        model = self.write("types.onnx", ob.model(nodes, [ob.value_info("x", ["n"])], outputs, opset=21))
        x = self.write("many.npy", ob.npy([i * 8 // count for i in range(count)], [count]))
        text = self.call("run", model, "--input", f"x={x}")
        for name in types.keys() - {"bool"}:
            self.assertIn(f"{name}  {name}[{count}]  min 0  max 7  mean 3.49998  std 2.2913", text)
        self.assertIn(f"bool  bool[{count}]\n  false false", text)

    def test_wrong_inputs_are_named(self):
        self.call("run", self.model, "--input", f"w={self.x}", code=USAGE, says=["'w'", "'x'", "'y'"])
        self.call("run", self.model, "--input", "x", code=USAGE, says="NAME=VALUE")
        self.call("run", self.model, "--input", f"x={self.dir}/none.npy", code=USAGE, says="none.npy")
        self.call("run", self.model, "--input", f"x={self.x}", "--input", f"x={self.x}", code=USAGE, says="twice")
        self.call("run", self.model, "--input", "x=" + self.write("x.txt", b"1 2 3"), code=USAGE, says=["x.txt", ".npy"])
        self.call("run", self.model, "--input", "x=" + self.write("d.npy", ob.npy([1, 2, 3], [1, 3], "<f8")), code=USAGE, says=["'x'", "float64"])
        self.call("run", self.model, "--input", "x=" + self.write("w.npy", ob.npy([1, 2], [1, 2])), code=USAGE, says=["'x'", "[1,2]"])
        self.call("run", self.model, "--input", "x=" + self.write("cut.npy", ob.npy([1, 2, 3], [1, 3])[:-1]), code=USAGE, says=["cut.npy", "cut off"])
        self.call("run", self.model, "--input", "x=" + self.write("n.npy", b"nothing"), code=USAGE, says="no .npy")
        self.call("run", self.model, "--input", "x=" + self.write("s.raw", b"12345"), code=USAGE, says="5 bytes")
        self.call("run", self.model, "--input", "x=" + self.write("b.pb", b"\xff\xff"), code=USAGE, says="b.pb")
        self.call("run", self.model, "--input", "x=" + self.write("b.png", b"\x89PNG broken"), "--image-layout", "hw", code=USAGE, says="b.png")
        self.call("run", self.model, "--input", f"x={ROOT / 'examples/digits/7.png'}", code=USAGE, says=["7.png", "--image-layout"])
        self.call("run", self.model, "--shape", "x=1x", code=USAGE, says="1x")
        self.call("run", self.model, "--shape", "x=1000000000x3", code=USAGE, says=["'x'", "elements"])
        huge = ob.npy([], [1 << 40, 1 << 40])
        self.call("run", self.model, "--input", "x=" + self.write("h.npy", huge), code=USAGE, says="h.npy")

    def test_pictures_beyond_the_limit(self):
        chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))  # noqa: E731
        png = lambda w, h, pixels: (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0))  # noqa: E731
                                    + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b""))
        small, large = self.write("s.png", png(2, 1, bytes(7))), self.write("l.png", png(1 << 14, (1 << 12) + 1, b""))
        self.call("run", self.model, "--input", f"x={large}", "--image-layout", "hw", code=USAGE, says=["l.png", "16384x4097", "at most 67108864"])
        for dims in ([1, 1, 1 << 62, -1], [1, 1, -1, 1 << 62], [1, 1, 1 << 62, 1 << 62], [1, 1, 1 << 14, (1 << 12) + 1], [1, 1, 1 << 26, -1]):
            port = ob.value_info("x", ["n" if d < 0 else d for d in dims])
            model = self.write("p.onnx", ob.model([ob.node("Relu", ["x"], ["z"])], [port], [ob.value_info("z", [])]))
            self.call("run", model, "--input", f"x={small}", code=USAGE, says=["s.png", "resized", "at most 67108864"])

    def test_run_errors(self):
        self.call("run", self.model, "--timeout", "0.000000001", code=RUN, says="deadline")
        self.call("run", self.model, "--max-memory", "3M", "--dim", "n=500000", code=RUN, says="limit")
        yes = self.write("go.npy", b"\x93NUMPY\1\0\x47\0{'descr': '|b1', 'fortran_order': False, 'shape': (), }" + b" " * 15 + b"\n\1")
        ten = self.write("ten.npy", b"\x93NUMPY\1\0\x47\0{'descr': '|b1', 'fortran_order': False, 'shape': (), }" + b" " * 15 + b"\n\n")
        self.call("run", self.write("e.onnx", ob.endless()), "--input", f"go={ten}", code=USAGE, says=["'go'", "0 or 1"])
        self.call("run", self.write("e.onnx", ob.endless()), "--input", f"go={yes}", "--timeout", "0.2", code=RUN, says="deadline")
        self.call("run", self.model, "--output-dir", self.x, code=RUN, says=self.x)
        gather = ob.model([ob.node("Gather", ["x", "i"], ["y"], "pick")], [ob.value_info("x", [3]), ob.value_info("i", [1], ob.INT64)],
                          [ob.value_info("y", [1])])
        far = self.write("i.npy", ob.npy([7], [1], "<i8"))
        self.call("run", self.write("g.onnx", gather), "--input", f"i={far}", "--output-dir", self.dir / "none", code=RUN, says="7")
        self.assertFalse((self.dir / "none").exists())

    def test_outputs_that_share_a_file_are_told_before_the_run(self):
        nodes = [ob.node("Neg", ["x"], ["a/b"]), ob.node("Abs", ["x"], ["a b"])]
        model = self.write("same.onnx", ob.model(nodes, [ob.value_info("x", [2])], [ob.value_info("a/b", [2]), ob.value_info("a b", [2])]))
        self.call("run", model, "--output-dir", self.dir / "none", code=RUN, says=["'a/b'", "'a b'"])
        self.assertFalse((self.dir / "none").exists())
        self.call("run", model)

    def test_digits(self):
        digits = ROOT / "examples/digits"
        for digit in (0, 2, 3, 5, 7):
            self.call("run", digits / "digits.onnx", "--input", f"image={digits}/{digit}.png", "--image-resize", "area", "--output-dir", self.dir)
            values, shape = ob.read_npy((self.dir / "probabilities.npy").read_bytes())
            self.assertEqual(shape, (1, 10))
            self.assertGreater(values[digit], 0.999)


if __name__ == "__main__":
    unittest.main()

"""Data in and out of onnx-run: sounds, tables, JSON, archives."""

import json
import math
import struct
import time
import unittest
import wave
import zipfile

import onnx_bytes as ob
from cli_case import RUN, USAGE, CliCase


def echo(kind=ob.FLOAT, shape=("n", "m"), name="x"):
    return ob.model([ob.node("Identity", [name], ["y"])], [ob.value_info(name, list(shape), kind)], [ob.value_info("y", list(shape), kind)])


class Data(CliCase):
    def outputs(self, model, *inputs):
        """All outputs as JSON after a run."""
        out = self.dir / "out.json"
        self.call("run", model, *[flag for given in inputs for flag in ("--input", given)], "--quiet", "-o", out)
        return json.loads(out.read_text())

    def model(self, name="echo.onnx", **kind):
        return self.write(name, echo(**kind))

    def wav(self, name, frames, channels=1, width=2):
        with wave.open(str(self.dir / name), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(width)
            file.setframerate(16000)
            file.writeframes(b"".join((s + 128 if width == 1 else s).to_bytes(width, "little", signed=width > 1) for s in frames))
        return self.dir / name

    def test_sounds(self):
        row = self.model()
        self.assertEqual(self.outputs(row, f"x={self.wav('a.wav', [0, 16384, -32768])}")["y"], [[0, 0.5, -1]])
        self.assertEqual(self.outputs(row, f"x={self.wav('b.wav', [0, 64, -128], width=1)}")["y"], [[0, 0.5, -1]])
        self.assertEqual(self.outputs(row, f"x={self.wav('c.wav', [0, 1 << 22, -(1 << 23)], width=3)}")["y"], [[0, 0.5, -1]])
        stereo = self.wav("s.wav", [16384, 0, -16384, -16384], channels=2)
        self.assertEqual(self.outputs(row, f"x={stereo}")["y"], [[0.25, -0.5]])
        self.assertEqual(self.outputs(self.model("two.onnx", shape=(2, "n")), f"x={stereo}")["y"], [[0.5, -0.5], [0, -0.5]])
        self.assertEqual(self.outputs(self.model("last.onnx", shape=("n", 2)), f"x={stereo}")["y"], [[0.5, 0], [-0.5, -0.5]])
        self.assertEqual(self.outputs(self.model("flat.onnx", shape=("n",)), f"x={stereo}")["y"], [0.25, -0.5])
        whole = self.model("int16.onnx", kind=ob.INT16)
        self.assertEqual(self.outputs(whole, f"x={self.wav('a.wav', [5, -7])}")["y"], [[5, -7]])
        real = struct.pack("<4sI4s4sIHHIIHH4sI2f", b"RIFF", 44, b"WAVE", b"fmt ", 16, 3, 1, 16000, 64000, 4, 32, b"data", 8, 0.25, -2)
        self.assertEqual(self.outputs(row, f"x={self.write('f.wav', real)}")["y"], [[0.25, -2]])

    def test_sounds_that_cannot_be(self):
        row = self.model()
        good = self.wav("a.wav", [0] * 100).read_bytes()
        self.call("run", row, "--input", "x=" + self.write("cut.wav", good[:-3]), code=USAGE, says="cut off")
        self.call("run", row, "--input", "x=" + self.write("no.wav", b"nothing"), code=USAGE, says="no .wav")
        self.call("run", row, "--input", "x=" + self.write("law.wav", good[:20] + b"\7\0" + good[22:]), code=USAGE, says="form 7")
        self.call("run", row, "--input", "x=" + self.write("none.wav", good[:22] + b"\0\0" + good[24:]), code=USAGE, says="no channels")
        self.call("run", self.model("i.onnx", kind=ob.INT16), "--input", f"x={self.wav('w.wav', [1], width=3)}", code=USAGE, says="24 bits")
        self.call("run", self.model("s.onnx", kind=ob.STRING), "--input", f"x={self.wav('a.wav', [1])}", code=USAGE, says="string")
        self.call("run", self.model("p.onnx", shape=(1, 3, 8, 8)), "--input", f"x={self.wav('a.wav', [1])}", code=USAGE, says=["'x'", "1 samples"])

    def test_tables(self):
        self.assertEqual(self.outputs(self.model(), "x=" + self.write("a.csv", b"1,2\r\n3,-4.5e1\r\n"))["y"], [[1, 2], [3, -45]])
        self.assertEqual(self.outputs(self.model(), "x=" + self.write("h.csv", b"\xef\xbb\xbfwidth;height\n1;2\n"))["y"], [[1, 2]])
        gap = self.outputs(self.model(), "x=" + self.write("t.tsv", b"1\t\n2\tinf"))["y"]
        self.assertEqual(gap, [[1, "nan"], [2, "inf"]])
        text = self.model("s.onnx", kind=ob.STRING)
        self.assertEqual(self.outputs(text, "x=" + self.write("q.csv", b'"a ""b"", c","1\n2"\nd,3\n'))["y"], [['a "b", c', "1\n2"], ["d", "3"]])
        self.assertEqual(self.outputs(self.model("i.onnx", kind=ob.INT8, shape=("n",)), "x=" + self.write("i.csv", b"1\n-128\n"))["y"], [1, -128])
        columns = ob.model([ob.node("Concat", ["age", "fare"], ["y"]) + ob.data(5, ob.data(1, "axis") + ob.number(3, 1) + ob.number(20, 2))],
                           [ob.value_info("age", ["n", 1]), ob.value_info("fare", ["n", 1])], [ob.value_info("y", ["n", 2])])
        self.assertEqual(self.outputs(self.write("c.onnx", columns), self.write("c.csv", b"fare,age\n1,2\n3,4\n"))["y"], [[2, 1], [4, 3]])

    def test_tables_that_cannot_be(self):
        model = self.model()
        self.call("run", model, "--input", "x=" + self.write("a.csv", b"1,2\n3\n"), code=USAGE, says=["record 2", "1 fields"])
        self.call("run", model, "--input", "x=" + self.write("b.csv", b"1,two\n3,4\n"), code=USAGE, says="'two'")
        self.call("run", model, "--input", "x=" + self.write("c.csv", b'1,"2\n'), code=USAGE, says="never ends")
        self.call("run", model, "--input", "x=" + self.write("d.csv", b""), code=USAGE, says="no records")
        self.call("run", model, "--input", self.write("e.csv", b"x\n"), code=USAGE, says="heading")
        self.call("run", model, "--input", self.write("f.csv", b"y,z\n1,2\n"), code=USAGE, says="no input 'y'")
        self.call("run", self.model("i.onnx", kind=ob.INT8), "--input", "x=" + self.write("g.csv", b"300\n"), code=USAGE, says=["'300'", "int8"])
        self.call("run", self.model("p.onnx", shape=(1, 3, 8, 8)), "--input", "x=" + self.write("h.csv", b"1\n"), code=USAGE, says="does not fit")

    def test_json(self):
        self.assertEqual(self.outputs(self.model(), "x=" + self.write("a.json", b"[[1, 2.5], [null, \"-inf\"]]"))["y"], [[1, 2.5], ["nan", "-inf"]])
        self.assertEqual(self.outputs(self.model("s.onnx", kind=ob.INT64, shape=()), "x=" + self.write("s.json", b"9007199254740993"))["y"], 9007199254740993)
        self.assertEqual(self.outputs(self.model("b.onnx", kind=ob.BOOL), "x=" + self.write("b.json", b"[[true, false]]"))["y"], [[True, False]])
        self.assertEqual(self.outputs(self.model("e.onnx"), self.write("e.json", b'{"x": [[], []]}'))["y"], [[], []])
        self.assertEqual(self.outputs(self.model("t.onnx", kind=ob.STRING), "x=" + self.write("t.json", '[["\u00e9", ""]]'.encode()))["y"], [["\u00e9", ""]])

    def test_json_that_cannot_be(self):
        model = self.model()
        for content, says in ((b"[[1, 2], [3]]", "unequal lengths"), (b"[[1], 2]", "unequal depth"), (b"[[1, 2]", "no JSON"), (b'{"a": 1}', "object"),
                              (b'[["one"]]', "'one'"), (b"[" * 100000 + b"]" * 100000, "in each other")):
            self.call("run", model, "--input", "x=" + self.write("a.json", content), code=USAGE, says=says)
        self.call("run", model, "--input", self.write("b.json", b"[1]"), code=USAGE, says="object of inputs")
        self.call("run", model, "--input", self.write("c.json", b'{"z": 1}'), code=USAGE, says="no input 'z'")

    def test_archive_of_outputs(self):
        model, x = self.model(), self.write("x.npy", ob.npy([1, 2, 3], [1, 3]))
        out = self.dir / "out.npz"
        self.call("run", model, "--input", f"x={x}", "-o", out)
        first = out.read_bytes()
        again = self.dir / "in.npz"
        again.write_bytes(first)
        self.call("compare", model, again, "--input", f"x={x}")
        self.call("run", model, "--input", f"x={x}", "-o", out)
        self.assertEqual(out.read_bytes(), first)
        with zipfile.ZipFile(out) as file:
            self.assertIsNone(file.testzip())
            values, shape = ob.read_npy(file.read("y.npy"))
        self.assertEqual((list(values), shape), ([1, 2, 3], (1, 3)))
        self.call("run", model, "-o", self.dir / "out.txt", code=USAGE, says="neither a .npz nor a .json")
        self.call("run", model, "-o", self.dir / "none" / "out.npz", code=RUN, says="none")

    def test_arrays_that_are_more_than_their_file(self):
        text = self.model("s.onnx", kind=ob.STRING, shape=("n",))
        for kind, count in (("<U0", 1 << 40), ("<U4611686018427387904", 1 << 40), ("|S0", 1 << 30)):
            header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({count},), }}".encode()
            array = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header
            self.call("run", text, "--input", "x=" + self.write("many.npy", array), code=USAGE, says="many.npy")
        # Two entries of the directory for the same bytes.
        path = self.dir / "twice.npz"
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("x.npy", ob.npy([1, 2], [1, 2]))
            file.writestr("y.npy", ob.npy([1, 2], [1, 2]))
        data = bytearray(path.read_bytes())
        second = data.rindex(b"PK\1\2")
        data[second + 42:second + 46] = bytes(4)  # where the first begins
        path.write_bytes(data)
        self.call("run", self.model(), "--input", f"x={path}", code=USAGE, says="overlaps")

    def test_lists_of_nothing(self):
        """A tensor without elements can still be lists without end."""
        def of(*dims):
            shape = ob.tensor(dims, [len(dims)], ob.INT64, "s")
            return self.write("empty.onnx", ob.model([ob.node("ConstantOfShape", ["s"], ["y"])], [], [ob.data(1, "y")], [shape]))

        self.assertEqual(self.outputs(of(3, 0))["y"], [[], [], []])
        self.assertEqual(self.outputs(of(2, 0, 1 << 40))["y"], [[], []])
        for dims in ((1 << 33, 0), (1 << 20, 2, 0, 5)):
            self.call("run", of(*dims), "--quiet", "-o", self.dir / "out.json", code=RUN, says=["empty lists", ".npz"])
        self.call("run", of(1 << 33, 0), "--quiet", "-o", self.dir / "out.npz")

    def test_arrays_that_take_much_more_than_their_file(self):
        """Strings of one byte take a string each, in deflated archives from next to nothing."""
        strings, bomb = self.model("s.onnx", kind=ob.STRING, shape=("n",)), self.dir / "bomb.npz"
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("other.npy", self.header("|S1", "20000000,") + bytes(20000000))
            archive.writestr("x.npy", self.header("|S1", "2,") + b"ab")
        self.call("run", strings, "--input", f"x={bomb}", "--max-memory", "64M", "--quiet")
        self.call("run", strings, "--input", bomb, "--max-memory", "64M", "--quiet", code=RUN, says=["other", "limit of 67108864"])
        many = self.model("many.onnx", kind=ob.STRING, shape=(1 << 24,))
        self.call("run", many, "--max-memory", "600M", "--quiet", code=RUN, says=["'x', made up", "limit of"])

    def test_strings_of_many_dimensions(self):
        strings = self.model("s.onnx", kind=ob.STRING)
        for order in (True, False):
            array = self.write("a.npy", self.header("|S1", "1," * 65, order) + b"a")
            self.call("run", strings, "--input", f"x={array}", code=USAGE, says="more than 64 dimensions")

    def test_one_long_string(self):
        """In .npy each string takes the room of the longest."""
        strings = self.model("s.onnx", kind=ob.STRING, shape=("n",))
        given = "x=" + self.write("a.json", json.dumps(["a" * 100000] + [""] * 2000).encode())
        for flag, file in (("-o", "out.npz"), ("--output-dir", "out")):
            self.call("run", strings, "--input", given, "--quiet", flag, self.dir / file, code=RUN, says=["longest", ".json"])
        self.assertEqual(len(self.outputs(strings, given)["y"]), 2001)
        self.call("run", strings, "--input", "x=" + self.write("b.json", json.dumps(["a" * 100000] * 300).encode()), "--quiet", "-o", self.dir / "out.npz")

    def test_many_names(self):
        """What compares each name with all others takes minutes."""
        begin, count = time.monotonic(), 100000
        ports = [ob.value_info(f"x{i}", [], ob.INT64) for i in range(count)]
        many = self.write("many.onnx", ob.model([ob.node("Identity", ["x0"], ["y"])], ports, [ob.value_info("y", [], ob.INT64)]))
        self.call("run", many, "--quiet")
        self.call("run", many, "--quiet", "--input", self.write("all.json", json.dumps({f"x{i}": i for i in range(count)}).encode()))
        self.assertLess(time.monotonic() - begin, 30)

    @staticmethod
    def header(kind, shape, fortran=False):
        text = f"{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n".encode()
        return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text


if __name__ == "__main__":
    unittest.main()

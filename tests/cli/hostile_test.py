"""Files made to take the tool's time, memory and disk: each ends in a result or a clear error."""

import itertools
import json
import resource
import struct
import subprocess
import unittest
import zipfile
import zlib

import onnx_bytes as ob
from cli_case import CLI, MISMATCH, RUN, USAGE, CliCase

MANY = 300_000  # by whose square nothing may take time: a call is ended after two minutes


def nested(depth, count, name):
    """Ifs in each other, of long names; the innermost has so many values."""
    nodes = [ob.node("Relu", [f"v{i}" if i else "x"], [f"v{i + 1}"]) for i in range(count)]
    for level in range(depth):
        last = f"v{count}" if level == 0 else f"y{level}"
        branch = b"".join(ob.data(1, n) for n in nodes) + ob.data(2, "b") + ob.data(12, ob.value_info(last, [2]))
        other = ob.data(1, ob.node("Neg", ["x"], [f"z{level}"])) + ob.data(2, "c") + ob.data(12, ob.value_info(f"z{level}", [2]))
        bodies = [ob.data(5, ob.data(1, key) + ob.number(20, 5) + ob.data(6, body)) for key, body in (("then_branch", branch), ("else_branch", other))]
        nodes = [ob.node("If", ["c"], [f"y{level + 1}"], name + str(level)) + b"".join(bodies)]
    return ob.model(nodes, [ob.value_info("x", [2]), ob.value_info("c", [], ob.BOOL)], [ob.value_info(f"y{depth}", [2])])


class Inspecting(CliCase):
    def test_many_entries(self):
        opsets = b"".join(ob.data(8, ob.data(1, f"d{i}") + ob.number(2, 1)) for i in range(MANY))
        metadata = b"".join(ob.data(14, ob.data(1, f"k{i}") + ob.data(2, "v")) for i in range(MANY))
        path = self.write("entries.onnx", ob.sums() + opsets + metadata)
        said = self.call("inspect", path)
        self.assertIn(f"d{MANY - 1} 1", said)
        self.assertIn(f"k{MANY - 1} = v", said)
        self.assertEqual(len(json.loads(self.call("inspect", path, "--json"))["opsets"]), MANY + 1)

    def test_a_page_of_many_values(self):
        few = [ob.tensor([1], [1], name=f"w{i}") for i in range(MANY)]
        path = self.write("values.onnx", ob.model([ob.node("Relu", ["x"], ["y"])], [ob.value_info("x", [1])], [ob.value_info("y", [1])], few))
        self.call("inspect", path, "--html", self.dir / "page.html")
        self.assertIn(f"w{MANY - 1}", (self.dir / "page.html").read_text())

    def test_paths_of_bodies_and_symbols_are_not_said_in_full_again_and_again(self):
        deep = self.write("deep.onnx", nested(20, 1000, "n" * 10_000))
        wide = ob.model([ob.node("Relu", [f"v{i}" if i else "x"], [f"v{i + 1}"]) for i in range(1000)], [ob.value_info("x", ["s" * 100_000])], [ob.value_info("v1000", ["s"])])
        for path, flag in ((deep, "--shapes"), (deep, "--explain"), (self.write("wide.onnx", wide), "--shapes")):
            for form in ((), ("--json",)):
                self.assertLess(len(self.call("inspect", path, flag, "--level", 0, *form)), 8_000_000, flag)
        short = self.write("short.onnx", nested(3, 1, "n"))
        values = json.loads(self.call("inspect", short, "--shapes", "--json"))["values"]
        self.assertIn("node 'n2' (If).then_branch/node 'n1' (If).then_branch/node 'n0' (If).then_branch", [value.get("graph") for value in values])


def scans(count):
    """A progressive JPEG of 8x8 grey pixels with so many scans, all of the first coefficient."""
    def part(marker, content):
        return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content
    scan = part(0xDA, b"\1\1\0\0\0\0") + b"\x7f"
    table = part(0xC4, b"\0\1" + bytes(15) + b"\0")  # one code: no difference
    return b"\xff\xd8" + part(0xDB, b"\0" + b"\1" * 64) + part(0xC2, b"\x08\0\x08\0\x08\1\1\x11\0") + table + scan * count + b"\xff\xd9"


def png(width, height):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(height * (width + 1)))) + chunk(b"IEND", b"")


class Running(CliCase):
    def test_a_picture_of_many_scans(self):
        model = self.write("m.onnx", ob.model([ob.node("Relu", ["x"], ["y"])], [ob.value_info("x", [1, 1, 8, 8])], [ob.value_info("y", [1, 1, 8, 8])]))
        self.call("run", model, "--input", "x=" + self.write("few.jpg", scans(900)))
        self.call("run", model, "--input", "x=" + self.write("many.jpg", scans(1100)), code=USAGE, says="more than 1000 scans")

    def test_outputs_that_would_share_a_file(self):
        # An element of a sequence, and an output of the name that its file has.
        nodes = [ob.node("SequenceConstruct", ["x", "x"], ["s"]), ob.node("Neg", ["x"], ["s_1"])]
        sequence = ob.data(1, "s") + ob.data(2, ob.data(4, ob.data(1, ob.data(1, ob.number(1, ob.FLOAT)))))
        path = self.write("m.onnx", ob.model(nodes, [ob.value_info("x", [2])], [sequence, ob.value_info("s_1", [2])]))
        out = self.dir / "out"
        self.call("run", path, "--output-dir", out, code=RUN, says=["outputs 's' and 's_1'", "s_1.npy"])
        self.assertFalse(out.exists())
        self.call("run", path, "--output", self.dir / "out.json")

    def test_inputs_beyond_the_memory_limit(self):
        nodes = [ob.node("Relu", ["x"], ["y"])]
        path = self.write("m.onnx", ob.model(nodes, [ob.value_info("x", ["n", 1])], [ob.value_info("y", ["n", 1])]))
        count, little = 200_000, ("--max-memory", "1M")
        tensor = self.write("x.pb", ob.tensor([1] * 2 * count, [2 * count, 1]))
        array = self.write("x.npy", ob.npy([1] * 2 * count, [2 * count, 1]))
        rows = self.write("x.csv", b"7\n" * count)
        lists = self.write("x.json", json.dumps([[1]] * count).encode())
        several = self.write("several.json", json.dumps({"x": [[1]] * count}).encode())
        columns = self.write("columns.csv", b"x\n" + b"7\n" * count)
        for file in (f"x={tensor}", f"x={rows}", f"x={lists}", several, columns):
            self.call("run", path, "--input", file, "--quiet")
            self.call("run", path, "--input", file, *little, code=RUN, says="(--max-memory)")
        self.call("debug", "dump-tensors", path, "--input", f"x={array}", "-o", self.dir / "out", *little, code=RUN, says="(--max-memory)")
        with zipfile.ZipFile(self.dir / "samples.npz", "w") as file:
            file.write(array, "x.npy")
        self.write("folder/0.npy", ob.npy([1] * 2 * count, [2 * count, 1]))
        for samples in (self.dir / "samples.npz", self.dir / "folder"):
            self.call("quantize", path, "-o", self.dir / "q.onnx", "--mode", "static", "--calibration", samples, *little, code=RUN, says="(--max-memory)")

    def test_what_decoding_takes_beyond_the_memory_limit(self):
        little = ("--quiet", "--max-memory", "1M")
        small = self.write("small.onnx", ob.model([ob.node("Relu", ["x"], ["y"])], [ob.value_info("x", [1, 1, 8, 8])], [ob.value_info("y", [1, 1, 8, 8])]))
        row = ob.model([ob.node("Relu", ["x"], ["y"])], [ob.value_info("x", ["n"])], [ob.value_info("y", ["n"])])
        sound = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 0, b"WAVE", b"fmt ", 16, 1, 1, 16000, 32000, 2, 16, b"data", 300_000) + bytes(300_000)
        for model, file in ((small, self.write("x.png", png(500, 500))), (self.write("row.onnx", row), self.write("x.wav", sound))):
            self.call("run", model, "--input", f"x={file}", "--quiet")
            self.call("run", model, "--input", f"x={file}", *little, code=RUN, says="(--max-memory)")

    def test_messages_that_decode_to_much_more(self):
        names = ob.model([ob.node("Identity", ["x"], ["y"])], [ob.value_info("x", ["n"], ob.STRING)], [ob.value_info("y", ["n"], ob.STRING)])
        path = self.write("names.onnx", names)
        count = 20_000_000  # of two bytes each, which become 32
        file = self.write("x.pb", ob.number(1, count) + ob.number(2, ob.STRING) + b"\x32\0" * count)
        said = subprocess.run([CLI, "run", path, "--input", f"x={file}", "--max-memory", "100M", "--quiet"], capture_output=True, text=True, timeout=120,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (600 << 20, 600 << 20)))
        self.assertEqual(said.returncode, RUN, said.stderr)
        self.assertIn("(--max-memory)", said.stderr)

    def test_messages_that_decode_to_about_their_size(self):
        text = self.write("text.onnx", ob.model([ob.node("Identity", ["x"], ["y"])], [ob.value_info("x", [1], ob.STRING)], [ob.value_info("y", [1], ob.STRING)]))
        numbers = self.write("n.onnx", ob.model([ob.node("Neg", ["x"], ["y"])], [ob.value_info("x", ["n"], ob.INT64)], [ob.value_info("y", ["n"], ob.INT64)]))
        count = 1_000_000  # of ten bytes each
        long = self.write("long.pb", ob.number(1, 1) + ob.number(2, ob.STRING) + ob.data(6, b"a" * (4 << 20)))
        wide = self.write("wide.pb", ob.number(1, count) + ob.number(2, ob.INT64) + ob.data(7, (b"\xff" * 9 + b"\x01") * count))
        for model, file in ((text, long), (numbers, wide)):
            self.call("run", model, "--input", f"x={file}", "--max-memory", "40M", "--quiet")

    def test_values_that_are_no_inputs_beyond_the_memory_limit(self):
        little, count = ("--max-memory", "1M"), 400_000
        path = self.write("m.onnx", ob.model([ob.node("Relu", ["x"], ["y"])], [ob.value_info("x", ["n"])], [ob.value_info("y", ["n"])]))
        large, few = ob.npy([1] * count, [count]), ob.npy([1], [1])
        with zipfile.ZipFile(self.dir / "y.npz", "w") as file:
            file.writestr("y.npy", large)
        self.call("compare", path, self.dir / "y.npz", "--input", "x=" + self.write("x.npy", few), *little, code=RUN, says="(--max-memory)")
        for name in ("c.npy", "c.pb"):
            constant = self.write(name, large if name == "c.npy" else ob.tensor([1] * count, [count]))
            self.call("edit", path, "-o", self.dir / "n.onnx", "--constant", f"c={constant}")
            self.call("edit", path, "-o", self.dir / "n.onnx", "--constant", f"c={constant}", *little, code=RUN, says="(--max-memory)")
        case = "suite/kind/large/"
        self.write(case + "model.onnx", (self.dir / "m.onnx").read_bytes())
        self.write(case + "test_data_set_0/input_0.npy", few)
        self.write(case + "test_data_set_0/output_0.npy", large)
        self.assertIn("(--max-memory)", self.call("test", self.dir / "suite", *little, code=MISMATCH))

    def test_values_of_equal_file_names(self):
        names = ["".join(pair) for pair in itertools.product("/:", repeat=8)]
        nodes = [ob.node("Relu", ["x"], [name]) for name in names]
        path = self.write("m.onnx", ob.model(nodes, [ob.value_info("x", [1])], [ob.value_info(names[0], [1])]))
        out = self.dir / "out"
        self.call("debug", "dump-tensors", path, "-o", out)
        files = [entry["file"] for entry in json.loads((out / "index.json").read_text())["values"]]
        self.assertEqual(len(set(files)), len(names))
        self.assertEqual(set(files), {file.name for file in out.glob("*.npy")})

    def test_archives_without_samples(self):
        nodes = [ob.node("Add", ["x", "z"], ["y"])]
        path = self.write("m.onnx", ob.model(nodes, [ob.value_info("x", ["n", 2]), ob.value_info("z", ["n", 2])], [ob.value_info("y", ["n", 2])]))
        for rows in ((0, 3), (3, 0), (0, 0)):
            with zipfile.ZipFile(self.dir / "samples.npz", "w") as file:
                for name, count in zip("xz", rows):
                    file.writestr(name + ".npy", ob.npy([1] * 2 * count, [count, 2]))
            self.call("quantize", path, "-o", self.dir / "q.onnx", "--mode", "static", "--calibration", self.dir / "samples.npz", code=USAGE, says="holds no sample")


if __name__ == "__main__":
    unittest.main()

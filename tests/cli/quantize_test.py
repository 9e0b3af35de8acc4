"""onnx-run quantize: files, calibration, reports and refusals."""

import json
import math
import unittest
import xml.etree.ElementTree
import zipfile
from pathlib import Path

import onnx_bytes as ob
from cli_case import MODEL, ROOT, USAGE, CliCase

DIGITS = ROOT / "examples/digits/digits.onnx"


def wave(count, step):
    return [math.sin(i * step) for i in range(count)]


def product():
    """y = x @ w, the weights large enough to be worth it; f = floats of another input."""
    nodes = [ob.node("MatMul", ["x", "w"], ["y"], "product")]
    return ob.model(nodes, [ob.value_info("x", ["n", 64])], [ob.value_info("y", ["n", 48])], [ob.tensor(wave(64 * 48, 0.7), [64, 48], name="w")])


class Quantizing(CliCase):
    def setUp(self):
        super().setUp()
        self.out = self.dir / "out.onnx"
        self.samples = self.dir / "samples"
        for i in range(3):
            self.write(f"samples/{i}.npy", ob.npy(wave(64, 0.1 * (i + 1)), [1, 1, 8, 8]))

    def archive(self, name, **arrays):
        with zipfile.ZipFile(self.dir / name, "w") as file:
            for key, content in arrays.items():
                file.writestr(key + ".npy", content)
        return self.dir / name

    def quantize(self, *args, model=DIGITS, **expected):
        return self.call("quantize", model, "-o", self.out, *args, **expected)

    def digit(self, model):
        folder = self.dir / "results"
        self.call("run", model, "--quiet", "--input", f"image={ROOT / 'examples/digits/7.png'}", "--output-dir", folder)
        return ob.read_npy((folder / "probabilities.npy").read_bytes())[0]

    def test_every_mode_reads_the_digit(self):
        before = self.digit(DIGITS)
        for flags, part in ((["--type", "int8"], 0.35), (["--type", "int4"], 0.25), (["--mode", "dynamic"], 0.35),
                            (["--mode", "static", "--calibration", self.samples], 0.35), (["--mode", "float"], 0.55),
                            (["--mode", "float", "--type", "bf16", "--keep-io"], 0.55), (["--type", "int4", "--portable"], 0.25)):
            said = self.quantize(*flags)
            if "float" not in flags:
                self.assertIn("left alone", said)
            elif "--keep-io" not in flags:
                self.assertIn("float16[batch,1,8,8]", self.call("inspect", self.out))
                continue
            after = self.digit(self.out)
            self.assertEqual(max(range(10), key=after.__getitem__), 7, flags)
            self.assertLess(max(abs(a - b) for a, b in zip(before, after)), 0.05, flags)
            self.assertLess(self.out.stat().st_size, part * DIGITS.stat().st_size, flags)

    def test_report(self):
        report = json.loads(self.quantize("--mode", "static", "--calibration", self.samples, "--json", "--report", self.dir / "report.json"))
        self.assertEqual(report, json.loads((self.dir / "report.json").read_text()))
        self.assertEqual((report["mode"], report["type"], report["samples"]), ("static", "int8", 3))
        self.assertEqual({change["op"] for change in report["changed"]}, {"Conv", "Gemm"})
        self.assertEqual(report["file_bytes_after"], self.out.stat().st_size)
        self.assertTrue(0 < report["error"] < 0.2)
        self.assertTrue(report["worst"])
        for side in ("before", "after"):
            self.assertTrue(all(report["measured"][side][key] > 0 for key in ("bytes", "load_ms", "p50_ms", "peak_memory")))
        self.assertGreater(report["measured"]["before"]["bytes"], report["measured"]["after"]["bytes"])
        first = self.out.read_bytes()
        self.quantize("--mode", "static", "--calibration", self.samples)
        self.assertEqual(self.out.read_bytes(), first)

    def test_calibration_from_archives_and_folders(self):
        # Rows of one archive, archives of one sample each, and test data sets say the same.
        rows = self.archive("rows.npz", image=ob.npy(sum((wave(64, 0.1 * (i + 1)) for i in range(3)), []), [3, 1, 8, 8]))
        for i in range(3):
            self.archive(f"archives{i}.npz", image=ob.npy(wave(64, 0.1 * (i + 1)), [1, 1, 8, 8]))
            (self.dir / "archives").mkdir(exist_ok=True)
            (self.dir / f"archives{i}.npz").rename(self.dir / "archives" / f"{i}.npz")
            self.write(f"sets/test_data_set_{i}/input_0.npy", ob.npy(wave(64, 0.1 * (i + 1)), [1, 1, 8, 8]))
        made = []
        for source in (self.samples, rows, self.dir / "archives", self.dir / "sets"):
            self.quantize("--mode", "static", "--calibration", source)
            made.append(self.out.read_bytes())
        self.assertEqual(len(set(made)), 1)
        self.quantize("--mode", "static", "--calibration", rows, "--samples", "1")
        self.assertNotEqual(self.out.read_bytes(), made[0])

    def test_external_data(self):
        model = self.write("m.onnx", product())
        self.quantize("--external-data", "out.bin", model=model)
        self.assertTrue((self.dir / "out.bin").exists())
        self.call("run", self.out)

    def test_target_error(self):
        said = self.quantize("--type", "int4", "--calibration", self.samples, "--target-error", "0.01")
        self.assertIn("search", said)
        report = json.loads(self.quantize("--type", "int4", "--calibration", self.samples, "--target-error", "0.01", "--json"))
        self.assertLessEqual(report["error"], 0.01)

    def test_measures_without_samples_where_asked(self):
        self.assertNotIn("measured", self.quantize())
        self.assertIn("times as fast", self.quantize("--measure"))
        self.assertIn("times as fast", self.quantize("--mode", "float", "--measure"))

    def test_table(self):
        model = self.write("m.onnx", product())
        said = self.call("quantize", model, "--table")
        for name in ("float32", "float16", "bfloat16", "int8 weights", "int8 dynamic", "int8 static", "int4 weights"):
            self.assertIn(name, said)
        self.assertIn("needs --calibration", said)
        table = json.loads(self.call("quantize", model, "--table", "--json", "--calibration", self.archive("x.npz", x=ob.npy(wave(64, 0.3), [1, 64]))))
        self.assertFalse([row for row in table["rows"] if "why_not" in row])
        self.assertFalse(self.out.exists())
        plot = self.dir / "plot.svg"
        self.call("quantize", model, "--table", "--plot", plot)
        drawn = xml.etree.ElementTree.fromstring(plot.read_text())
        self.assertEqual(len([e for e in drawn if e.tag.endswith("circle")]), 6)  # all but static, which needs samples
        self.call("quantize", model, "-o", self.out, "--plot", plot, code=USAGE, says="--plot")

    def refuses(self, *args, code=USAGE, says=(), model=DIGITS):
        self.quantize(*args, model=model, code=code, says=says)
        self.assertFalse(self.out.exists())

    def test_refusals_write_nothing(self):
        small = self.write("small.onnx", ob.sums())
        self.refuses(model=small, code=MODEL, says="nothing in the model can be quantised")
        quantised = self.dir / "quantised.onnx"
        self.call("quantize", DIGITS, "-o", quantised)
        self.refuses(model=quantised, code=MODEL, says=["quantised already", "MatMulNBits"])
        self.refuses("--mode", "static", says="samples are needed")
        self.refuses("--mode", "static", "--calibration", self.dir / "nowhere", says="neither a folder")
        self.refuses("--mode", "static", "--calibration", self.archive("a.npz", other=ob.npy([1, 2], [1, 2])), says="'other'")
        self.refuses("--mode", "static", "--calibration", self.archive("b.npz", image=ob.npy([1, 2], [2])), says="'image'")
        self.write("wrong/0.npy", ob.npy(wave(32, 1), [1, 1, 4, 8]))
        self.refuses("--mode", "static", "--calibration", self.dir / "wrong", says="image")
        (self.dir / "empty").mkdir()
        self.refuses("--mode", "static", "--calibration", self.dir / "empty", says="no sample")
        self.refuses("--mode", "dynamic", "--type", "int4", says="int8 or uint8")
        self.refuses("--include", "(", says="regular expression")
        self.refuses("--target-error", "0.1", says="samples are needed")
        self.refuses("--type", "int4", "--calibration", self.samples, "--target-error", "1e-8", code=MODEL, says="no part of the model")
        self.call("quantize", DIGITS, code=USAGE, says="-o")
        content = Path(DIGITS).read_bytes()
        self.call("quantize", DIGITS, "-o", DIGITS, code=USAGE, says="--backup")
        self.assertEqual(Path(DIGITS).read_bytes(), content)


if __name__ == "__main__":
    unittest.main()

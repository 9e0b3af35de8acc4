#!/usr/bin/env python3
"""Runs onnx-run as a user does: exit codes, first lines of errors, files written.    cli_test.py ONNX_RUN ROOT [unittest arguments]"""

import io
import json
import pickle
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
import zipfile
from pathlib import Path

import onnx_bytes as ob

CLI = ROOT = None
OK, MISMATCH, USAGE, MODEL, RUN = range(5)


class CliTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)

    def write(self, name, content):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return str(path)

    def call(self, *args, code=OK, says=()):
        done = subprocess.run([CLI, *map(str, args)], capture_output=True, text=True, errors="replace", timeout=120)
        self.assertEqual(done.returncode, code, f"{args}\n{done.stdout}\n{done.stderr}")
        first = done.stderr.splitlines()[0] if done.stderr else ""
        if code > MISMATCH:
            self.assertTrue(first, f"{args} says nothing")
        for part in [says] if isinstance(says, str) else says:
            self.assertIn(part, first)
        return done.stdout


class Usage(CliTest):
    def test_help_and_version(self):
        self.assertIn("Exit codes: 0 ok", self.call("--help"))
        self.assertIn("onnx-run 0.", self.call("--version"))
        for command in ("edit", "run", "test", "inspect", "check", "optimize", "convert", "bench", "profile", "providers"):
            self.assertIn("--", self.call(command, "--help"))

    def test_wrong_arguments(self):
        model = self.write("m.onnx", ob.sums())
        for args in ([], ["fly"], ["run"], ["run", model, "--level", "9"], ["run", model, "--threads", "0"], ["run", model, "--repeat", "x"],
                     ["run", model, "--quiet", "--verbose"], ["test"], ["run", model, "--speed"], ["run", model, "--max-memory", "much"]):
            self.call(*args, code=USAGE)
        self.call("run", model, "--provider", "npu", code=USAGE, says=["npu", "cpu"])
        self.call("test", self.dir, "--provider", "npu", code=USAGE, says="npu")
        self.call("run", model, "--precision", "lowest", code=USAGE, says=["--precision", "medium"])
        self.call("run", model, "--dim", "batch", code=USAGE, says="NAME=VALUE")
        self.call("run", model, "--dim", "m=4", code=USAGE, says=["'m'", "n"])
        self.call("providers", "--provider-library", "/nowhere.so", code=USAGE, says="/nowhere.so")

    def test_providers(self):
        self.assertIn("cpu:", self.call("providers"))
        self.assertEqual(json.loads(self.call("providers", "--json"))["providers"][0]["name"], "cpu")


class Run(CliTest):
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
        self.call("run", self.model, "--input", "x=" + self.write("b.png", b"\x89PNG broken"), code=USAGE, says="b.png")
        self.call("run", self.model, "--shape", "x=1x", code=USAGE, says="1x")
        self.call("run", self.model, "--shape", "x=1000000000x3", code=USAGE, says=["'x'", "elements"])
        huge = ob.npy([], [1 << 40, 1 << 40])
        self.call("run", self.model, "--input", "x=" + self.write("h.npy", huge), code=USAGE, says="h.npy")

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

    def test_digits(self):
        digits = ROOT / "examples/digits"
        for digit in (0, 2, 3, 5, 7):
            self.call("run", digits / "digits.onnx", "--input", f"image={digits}/{digit}.png", "--image-resize", "area", "--output-dir", self.dir)
            values, shape = ob.read_npy((self.dir / "probabilities.npy").read_bytes())
            self.assertEqual(shape, (1, 10))
            self.assertGreater(values[digit], 0.999)


class BadModels(CliTest):
    def refused(self, content, *says, name="bad.onnx"):
        path = self.write(name, content)
        self.call("run", path, code=MODEL, says=says)
        self.call("inspect", path, code=MODEL, says=says)
        self.call("check", path, code=MODEL)

    def test_missing(self):
        for command in ("run", "inspect"):
            self.call(command, self.dir / "none.onnx", code=MODEL, says="none.onnx")
        self.call("run", self.dir, code=MODEL, says=str(self.dir))

    def test_broken_bytes(self):
        good = ob.sums()
        self.refused(b"")
        self.refused(b"hello, this is no model")
        for size in range(1, len(good), 7):
            self.call("run", self.write("cut.onnx", good[:size]), code=MODEL)
        for at in range(0, len(good), 5):
            flipped = good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1:]
            done = subprocess.run([CLI, "run", self.write("flip.onnx", flipped), "--quiet"], capture_output=True, timeout=60)
            self.assertIn(done.returncode, (OK, USAGE, MODEL, RUN), f"byte {at}: {done.stderr}")

    def test_foreign_files(self):
        def archive(*names):
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w") as z:
                for name in names:
                    z.writestr(name, b"x")
            return packed.getvalue()

        header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
        meta_graph = ob.data(1, ob.data(5, "serve") + ob.data(4, "tag") + b"\x90\x03\xff\x01") + ob.data(2, b"\xff\xfe")
        for name, content, says in (
            ("new.pt", archive("archive/data.pkl", "archive/version"), ["PyTorch", "torch.onnx.export"]),
            ("old.pt", pickle.dumps({"weight": [1.0]}, protocol=2), ["pickle", "torch.onnx.export"]),
            ("model.pkl", pickle.dumps([1], protocol=4), ["pickle", "skl2onnx"]),
            ("m.keras", archive("metadata.json", "config.json", "model.weights.h5"), ["Keras", "tf2onnx"]),
            ("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(64), ["Keras", "tf2onnx"]),
            ("m.zip", archive("readme.txt"), ["ZIP archive", ".onnx file inside"]),
            ("m.npz", archive("x.npy"), ["NumPy archive", "as an input"]),
            ("m.gguf", b"GGUF\3\0\0\0" + bytes(40), ["GGUF", "ONNX"]),
            ("m.tflite", b"\x1c\0\0\0TFL3" + bytes(40), ["TensorFlow Lite", "tf2onnx"]),
            ("m.safetensors", struct.pack("<Q", len(header)) + header + bytes(8), ["safetensors", "without a graph"]),
            ("m.ort", b"\x20\0\0\0ORTM" + bytes(40), [".ort", ".onnx file"]),
            ("m.engine", b"ftrt\0\0\0\0" + bytes(60), ["TensorRT", ".onnx file"]),
            ("m.mlmodel", ob.number(1, 5) + ob.data(2, ob.data(1, ob.data(1, "image"))) + ob.data(500, bytes(20)), ["Core ML", "ONNX"]),
            ("saved_model.pb", ob.number(1, 1) + ob.data(2, meta_graph), ["saved_model.pb", "tf2onnx"]),
            ("frozen.pb", ob.data(1, ob.data(1, "input") + ob.data(2, "Placeholder")), ["TensorFlow graph", "tf2onnx"]),
            ("page.onnx", b"<!DOCTYPE html>\n<html><head><title>Not found</title></head></html>", ["HTML"]),
            ("pointer.onnx", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", ["Git LFS pointer", "git lfs pull"]),
            ("m.onnx.gz", b"\x1f\x8b\x08" + bytes(40), ["gzip", "decompress"]),
            ("m.txt", b"ir_version: 8\nproducer_name: 'x'\n", ["text form", "binary form"]),
            ("m.json", b'{"irVersion": "8"}  ', ["JSON", "binary form"]),
        ):
            with self.subTest(name):
                self.refused(content, *says, name=name)
                self.call("optimize", self.dir / name, "-o", self.dir / "out.onnx", code=MODEL)
        for folder, inside, says in (("saved", "saved_model.pb", "SavedModel"), ("hub", "config.json", "Hugging Face"), ("x.mlpackage", "Manifest.json", "Core ML"),
                                     ("suite", "model.onnx", "model.onnx"), ("plain", "readme", "folder")):
            self.write(f"{folder}/{inside}", b"x")
            with self.subTest(folder):
                self.call("inspect", self.dir / folder, code=MODEL, says=[says, "folder" if folder != "x.mlpackage" else "ONNX"])

    def test_two_gigabytes(self):
        path = self.dir / "huge.onnx"
        with open(path, "wb") as file:
            file.write(ob.sums())
            file.truncate((2 << 30) + 1)  # sparse
        self.call("inspect", path, code=MODEL, says=["2 GiB", "external data"])

    def test_broken_graphs(self):
        x, y = [ob.value_info("x", [3])], [ob.value_info("y", [3])]
        self.refused(ob.model([ob.node("Frobnicate", ["x"], ["y"], "f")], x, y), "Frobnicate")
        self.refused(ob.model([ob.node("Relu", ["q"], ["y"], "r")], x, y), "q")
        self.refused(ob.model([ob.node("Add", ["x", "b"], ["a"], "one"), ob.node("Add", ["a", "x"], ["b"], "two")], x, [ob.value_info("b", [3])]))
        self.refused(ob.model([ob.node("Relu", ["x"], ["y"], "r")], x, y, opset=9999), "9999")
        self.refused(ob.model([ob.node("Relu", ["x"], ["y"]), ob.node("Abs", ["x"], ["y"])], x, y), "y")


class Reports(CliTest):
    def test_inspect(self):
        path = self.write("m.onnx", ob.sums())
        text = self.call("inspect", path, "--shapes", "--weights", "--explain")
        for part in ("producer", "ai.onnx 17", "float32[n,3]", "known 4 of 4", "cpu/", "sha256", "digest"):
            self.assertIn(part, text)
        self.assertEqual(self.call("inspect", path, "--ops").split(), ["Add", "Mul"])
        report = json.loads(self.call("inspect", path, "--json", "--dim", "n=5"))
        self.assertEqual(report["operations"], 30)
        self.assertEqual(report["inputs"][0]["dims"], [5, 3])

    def test_text(self):
        x, y = [ob.value_info("x", ["n", 3])], [ob.value_info("y", ["n", 3])]
        path = self.write("m.onnx", ob.sums())
        text = self.call("inspect", path, "--text")
        self.assertIn("(x: float32[n,3]", text)
        self.assertEqual(json.loads(self.call("inspect", path, "--text", "--json"))["text"], text)

    def test_text_is_a_model_file(self):
        path = self.write("m.onnx", ob.sums())
        text = self.call("inspect", path, "--text", "--whole")
        self.assertTrue(text.startswith("onnxrun text 1\n"))
        written = self.write("m.txt", text.encode())
        self.assertEqual(self.call("inspect", written, "--text", "--whole"), text)
        self.assertIn("0 errors", self.call("check", written))
        self.call("convert", path, "-o", self.dir / "again.txt", "--text")
        self.assertEqual((self.dir / "again.txt").read_text(), text)
        self.call("convert", written, "-o", self.dir / "back.onnx")
        runs = [self.call("run", model, "--seed", 5, "--dim", "n=2") for model in (path, written, self.dir / "back.onnx")]
        self.assertEqual(runs, runs[:1] * 3)
        subtracts = self.write("sub.txt", text.replace("= Add(", "= Sub(").encode())
        self.assertEqual(self.call("inspect", subtracts, "--ops").split(), ["Mul", "Sub"])
        self.call("convert", path, "-o", self.dir / "no.txt", "--text", "--opset", 18, code=USAGE, says="--text")
        self.call("convert", path, "-o", self.dir / "no.txt", "--text", "--portable", code=USAGE)

    def test_protobufs_forms(self):
        path = self.write("m.onnx", ob.sums())
        done = subprocess.run([CLI, "convert", path, "-o", self.dir / "try.json"], capture_output=True, text=True)
        if "was built without" in done.stderr:
            self.skipTest("built without protobuf")
        for end, holds in (("textproto", 'op_type: "Add"'), ("json", '"op_type": "Add"')):
            form, back = self.dir / f"m.{end}", self.dir / "back.onnx"
            self.call("convert", path, "-o", form)
            self.assertIn(holds, form.read_text())
            self.call("convert", form, "-o", back)
            reports = [json.loads(self.call("inspect", model, "--json"))["digest"] for model in (path, back)]
            self.assertEqual(*reports)
            self.call("convert", form, "-o", back, "--opset", "18")
            self.assertEqual(json.loads(self.call("inspect", back, "--json"))["opsets"]["ai.onnx"], 18)
            self.call("convert", form, "-o", form, "--opset", "18", code=USAGE, says="--backup")
            wrong = self.write(f"wrong.{end}", form.read_bytes().replace(b"op_type", b"op_kind"))
            self.call("convert", wrong, "-o", back, code=MODEL, says="op_kind")
            self.call("convert", path, "-o", form, "--text", code=USAGE, says="--text")
        deep = self.write("deep.textproto", b"graph { node { attribute { g { " * 5000)
        self.call("convert", deep, "-o", self.dir / "no.onnx", code=MODEL)
        self.call("convert", self.write("deep.json", b'{"graph":' * 100000), "-o", self.dir / "no.onnx", code=MODEL)
        self.call("convert", self.write("cut.onnx", ob.sums()[:-3]), "-o", self.dir / "no.json", code=MODEL, says="cut.onnx")
        self.assertFalse((self.dir / "no.onnx").exists() or (self.dir / "no.json").exists())

    def test_wrong_text_says_where(self):
        text = self.call("inspect", self.write("m.onnx", ob.sums()), "--text", "--whole")
        line = next(i for i, one in enumerate(text.splitlines(), 1) if "Add(" in one)
        for wrong, says in (("Add(", "Added("), ("Add(x", "Add(q"), ("Add(x, ", "Add(x ")):
            self.call("inspect", self.write("wrong.txt", text.replace(wrong, says).encode()), code=MODEL)
            done = subprocess.run([CLI, "inspect", self.dir / "wrong.txt"], capture_output=True, text=True)
            self.assertIn(f"line {line}, column ", done.stderr)
        self.call("inspect", self.write("short.txt", self.call("inspect", self.dir / "m.onnx", "--text").encode()), code=MODEL, says="--whole")
        self.call("inspect", self.dir / "m.onnx", "--whole", code=USAGE, says="--text")

    def test_passes(self):
        nodes = [ob.node("Relu", ["x"], ["a"]), ob.node("Relu", ["a"], ["b"]), ob.node("Neg", ["b"], ["y"])]
        path = self.write("m.onnx", ob.model(nodes, [ob.value_info("x", ["n", 3])], [ob.value_info("y", ["n", 3])]))
        listed = self.call("inspect", path, "--list-passes", "--level", "ORT_ENABLE_BASIC")
        self.assertIn("3 nodes before, 2 after 2 rounds", listed)
        printed = self.call("inspect", path, "--print-after", "eliminate_consecutive_idempotent_ops")
        self.assertTrue(printed.startswith("# after eliminate-repeated, round 1, 1 patch\ngraph "), printed)
        self.assertEqual(printed.count("Relu("), 1)
        self.assertEqual(self.call("inspect", path, "--print-after", "all", "--passes", "merge-slices"), "")
        self.assertIn("3 nodes before, 3 after", self.call("inspect", path, "--list-passes", "--disable-pass", "eliminate-repeated"))
        self.assertIn("and more to change", self.call("inspect", path, "--list-passes", "--max-patches", "0"))
        self.call("inspect", path, "--print-after", "fuse_everything", code=USAGE, says=["fuse_everything", "eliminate-dead"])

    def test_digest_does_not_depend_on_serialisation(self):
        plain = ob.sums()
        other = ob.data(2, "tests") + plain.replace(ob.data(2, "tests"), b"", 1)  # another order of fields
        reports = [json.loads(self.call("inspect", self.write(f"{i}.onnx", m), "--json")) for i, m in enumerate((plain, other))]
        self.assertEqual(reports[0]["digest"], reports[1]["digest"])
        self.assertNotEqual(reports[0]["sha256"], reports[1]["sha256"])

    def test_check_lists_all_problems(self):
        x, y = [ob.value_info("x", [3])], [ob.value_info("y", [3])]
        bad = ob.model([ob.node("Frobnicate", ["x"], ["a"], "f"), ob.node("Relu", ["q"], ["y"], "r")], x, y)
        done = subprocess.run([CLI, "check", self.write("bad.onnx", bad), "--json"], capture_output=True, text=True)
        self.assertEqual(done.returncode, MODEL)
        report = json.loads(done.stdout)
        self.assertGreaterEqual(report["errors"], 2)
        self.assertIn("0 errors", self.call("check", self.write("good.onnx", ob.sums())))

    def test_check_names_training_mode(self):
        x, y = [ob.value_info("x", ["n", 3])], [ob.value_info("y", ["n", 3])]
        for opset, warned in ((1, True), (6, True), (7, False), (22, False)):
            dropped = ob.model([ob.node("Dropout", ["x"], ["y"], "d")], x, y, opset=opset)
            said = self.call("check", self.write("m.onnx", dropped))
            self.assertEqual("'d' (Dropout): Dropout is in training mode" in said, warned, said)


class Measuring(CliTest):
    def setUp(self):
        super().setUp()
        self.model = self.write("m.onnx", ob.sums())

    def test_bench(self):
        report = json.loads(self.call("bench", self.model, "--runs", 40, "--warmup", 0, "--batch", 4, "--percentiles", "50,99.9", "--json", "--csv", self.dir / "times.csv"))
        self.assertEqual(report["runs"], 40)
        self.assertTrue(all("[4,3]" in text for text in report["inputs"].values()), report["inputs"])
        times = report["latency_ms"]
        self.assertEqual(list(times), ["min", "mean", "p50", "p99.9", "max"])
        self.assertTrue(0 < times["min"] <= times["p50"] <= times["p99.9"] <= times["max"])
        lines = (self.dir / "times.csv").read_text().splitlines()
        self.assertEqual(len(lines), 41)
        measured = sorted(float(line.split(",")[1]) for line in lines[1:])
        self.assertAlmostEqual(measured[19], times["p50"], places=5)  # the 20th of 40
        self.assertAlmostEqual(measured[-1], times["max"], places=5)

    def test_bench_with_callers(self):
        report = json.loads(self.call("bench", self.model, "--runs", 50, "--concurrency", 3, "--streams", 2, "--rate", 1000, "--json", "--csv", self.dir / "times.csv"))
        due = [float(line.split(",")[0]) for line in (self.dir / "times.csv").read_text().splitlines()[1:]]
        self.assertEqual(due, [float(i) for i in range(50)])  # a millisecond apart, whenever they ended
        self.assertEqual((report["runs"], report["concurrency"], report["streams"]), (50, 3, 2))
        self.assertIn("3 callers", self.call("bench", self.model, "--runs", 3, "--concurrency", 3))

    def test_bench_errors(self):
        for args in (["--concurrency", "0"], ["--rate", "-1"], ["--percentiles", "101"], ["--batch", "x"]):
            self.call("bench", self.model, *args, code=USAGE)
        self.call("bench", self.model, "--max-memory", "1", code=MODEL)
        self.call("bench", self.dir / "absent.onnx", code=MODEL, says="absent.onnx")

    def test_profile(self):
        said = self.call("profile", self.model, "--trace", self.dir / "trace.json")
        self.assertRegex(said, r"by operator.*\n .* ms +\d+\.\d % +1 x  (Add|Mul)  cpu/")
        events = json.loads((self.dir / "trace.json").read_text())["traceEvents"]
        self.assertTrue(events and all(event["ph"] == "X" and event["dur"] >= 0 and event["ts"] >= 0 for event in events))
        steps = json.loads(self.call("profile", self.model, "--json"))["events"]
        self.assertEqual([step["op"] for step in steps], [event["name"] for event in events])


class Rewriting(CliTest):
    def test_optimizes(self):
        model = self.write("m.onnx", ob.sums())
        out = self.dir / "out.onnx"
        said = self.call("optimize", model, "-o", out)
        self.assertIn("opset 17 (was 17)", said)
        before, after = (json.loads(self.call("inspect", path, "--json", "--shapes")) for path in (model, out))
        self.assertEqual(before["inputs"], after["inputs"])  # with the names of dimensions
        for key in ("producer", "metadata", "graph", "doc"):
            self.assertEqual(before[key], after[key])
        outputs = [self.call("run", path, "--seed", "3") for path in (model, out)]
        self.assertEqual(*[text.replace(str(out), model) for text in outputs])
        first = out.read_bytes()
        self.call("optimize", model, "-o", out)
        self.assertEqual(out.read_bytes(), first)
        self.call("optimize", model, "-o", out, "--dim", "n=5")
        self.assertIn("float32[5,3]", self.call("inspect", out))

    def test_never_over_the_input_without_backup(self):
        model = self.write("m.onnx", ob.sums())
        content = Path(model).read_bytes()
        for output in (model, self.dir / "." / "m.onnx"):
            self.call("convert", model, "-o", output, "--opset", "18", code=USAGE, says=["--backup", "input itself"])
        self.assertEqual(Path(model).read_bytes(), content)
        self.assertIn("m.onnx.bak", self.call("convert", model, "-o", model, "--opset", "18", "--backup"))
        self.assertEqual((self.dir / "m.onnx.bak").read_bytes(), content)
        self.assertIn("ai.onnx 18", self.call("inspect", model))
        self.call("convert", model, "-o", model, "--backup", code=USAGE, says="m.onnx.bak")
        # A write that fails takes its backup away again.
        self.write("n.onnx", ob.sums())
        self.call("convert", self.dir / "n.onnx", "-o", self.dir / "n.onnx", "--backup", "--opset", "99", code=USAGE, says="99")
        self.assertEqual(sorted(p.name for p in self.dir.iterdir()), ["m.onnx", "m.onnx.bak", "n.onnx"])

    def test_external_data(self):
        y, z = [ob.value_info("y", ["n", 3])], [ob.value_info("z", ["n", 3])]
        model = self.write("m.onnx", ob.model([ob.node("Add", ["y", "w"], ["z"])], y, z, initializers=[ob.tensor([1, 2, 3], [3], name="w")]))
        out = self.dir / "out" / "m.onnx"
        out.parent.mkdir()
        self.call("convert", model, "-o", out, "--external-data", "weights", "--external-threshold", "1")
        self.assertGreater((out.parent / "weights").stat().st_size, 0)
        self.assertEqual(json.loads(self.call("inspect", out, "--json"))["digest"], json.loads(self.call("inspect", model, "--json"))["digest"])
        self.call("convert", out, "-o", out.parent / "other.onnx", "--external-data", "weights", code=USAGE, says="--backup")
        self.call("convert", out, "-o", self.dir / "whole.onnx")
        self.assertFalse((self.dir / "whole.onnx.data").exists())
        for name in ("../weights", "m.onnx"):
            self.call("convert", model, "-o", out, "--external-data", name, code=USAGE, says=name)

    def test_opsets(self):
        x, y = [ob.value_info("x", ["n", 3])], [ob.value_info("y", ["n", 3])]
        gelu = self.write("gelu.onnx", ob.model([ob.node("Gelu", ["x"], ["y"], "act")], x, y, opset=20))
        out = self.dir / "out.onnx"
        self.call("convert", gelu, "-o", out, "--opset", "13")  # as what it stands for
        self.assertNotIn("Gelu", self.call("inspect", out, "--ops"))
        sized = self.write("size.onnx", ob.model([ob.node("NonZero", ["x"], ["i"]), ob.node("Shape", ["x"], ["s"]), ob.node("Reshape", ["x", "s"], ["y"], "shaped")], x, y, opset=17))
        self.call("convert", sized, "-o", out, "--opset", "4", code=MODEL, says=["no exact form at opset 4", "lowest opset"])
        self.call("convert", sized, "-o", out, "--opset", "30", code=USAGE, says=["30", "28"])
        self.call("convert", sized, "-o", out, "--opset", "27", "--portable", code=USAGE, says="portable")

    def test_writes_nothing_on_failure(self):
        model = self.write("m.onnx", ob.sums())
        self.call("optimize", model, "-o", self.dir / "no" / "folder.onnx", code=RUN, says="folder.onnx")
        self.call("optimize", model, code=USAGE)
        self.assertEqual([p.name for p in self.dir.iterdir()], ["m.onnx"])

    def test_external_data_replaces_nothing_by_mistake(self):
        model = self.write("m.onnx", ob.sums())
        other = self.write("weights.bin", b"of another model")
        self.call("convert", model, "-o", self.dir / "out.onnx", "--external-data", "weights.bin", code=USAGE, says=["weights.bin", "--overwrite"])
        self.call("convert", model, "-o", self.dir / "out.onnx", "--external-data", "weights.bin", "--external-threshold", "1M", "--overwrite")
        self.assertEqual(Path(other).read_bytes(), b"of another model")

    def test_names_cannot_command_the_terminal(self):
        relu = ob.node("Relu", ["x"], ["y\x1b[31mred"], "r")
        path = self.write("red.onnx", ob.model([relu], [ob.value_info("x", [2])], [ob.value_info("y\x1b[31mred", [2])]))
        for command in ("run", "inspect"):
            shown = self.call(command, path)
            self.assertNotIn("\x1b", shown)
            self.assertIn("y\\x1b[31mred", shown)

    def test_a_node_that_cannot_be_is_the_models_fault(self):
        softmax = ob.node("Softmax", ["x"], ["y"], "soft") + ob.data(5, ob.data(1, "axis") + ob.number(3, 7) + ob.number(20, 2))
        path = self.write("axis.onnx", ob.model([softmax], [ob.value_info("x", [2, 3])], [ob.value_info("y", [2, 3])]))
        for command in ("run", "inspect"):
            self.call(command, path, code=MODEL, says="axis 7")


def chain():
    """y = Relu(Dropout(x @ w) + b); beside it s, the sum over all."""
    nodes = [ob.node("MatMul", ["x", "w"], ["p"], "product"), ob.node("Dropout", ["p"], ["d"], "drop"), ob.node("Add", ["d", "b"], ["h"], "shift"),
             ob.node("Relu", ["h"], ["y"], "act"), ob.node("ReduceSum", ["h"], ["s"], "total")]
    weights = [ob.tensor([1, 2, 3, 4], [2, 2], name="w"), ob.tensor([-5, 1], [2], name="b")]
    return ob.model(nodes, [ob.value_info("x", ["n", 2])], [ob.value_info("y", ["n", 2]), ob.value_info("s", [1, 1])], weights)


class Editing(CliTest):
    def setUp(self):
        super().setUp()
        self.model = self.write("m.onnx", chain())
        self.out = self.dir / "out.onnx"
        self.x = self.write("x.npy", ob.npy([1, 1], [1, 2]))

    def edit(self, *args):
        return self.call("edit", self.model, "-o", self.out, *args)

    def result(self, name="y", model=None, given=None):
        folder = self.dir / "results"
        self.call("run", model or self.out, "--quiet", "--input", given or f"x={self.x}", "--output-dir", folder)
        return ob.read_npy((folder / f"{name}.npy").read_bytes())[0]

    def test_the_help_names_every_edit(self):
        text = self.call("edit", "--help")
        for flag in ("--from", "--to", "--merge", "--rename", "--bypass-op", "--insert", "--input-shape", "--constant", "--strip-weights", "--text", "--opset"):
            self.assertIn(flag, text)

    def test_without_edits_it_copies(self):
        self.edit()
        self.assertEqual(self.result(), [0, 7])
        self.assertEqual(json.loads(self.call("inspect", self.out, "--json"))["digest"], json.loads(self.call("inspect", self.model, "--json"))["digest"])

    def test_cuts(self):
        said = self.edit("--to", "h")
        self.assertIn("3 nodes (were 5)", said)
        self.assertIn("outputs  h: float32[n,2]", said)
        self.assertEqual(self.result("h"), [-1, 7])
        rest = self.dir / "rest.onnx"
        self.call("edit", self.model, "-o", rest, "--from", "h", "--to", "y")
        h = self.write("h.npy", ob.npy([-1, 7], [1, 2]))
        self.assertEqual(self.result(model=rest, given=f"h={h}"), [0, 7])
        # The two halves joined are the whole again.
        self.call("edit", self.out, "-o", self.dir / "both.onnx", "--merge", rest, "--link", "h=h")
        self.assertEqual(self.result(model=self.dir / "both.onnx"), [0, 7])

    def test_edits_in_the_order_given(self):
        self.edit("--bypass-op", "Dropout", "--rename", "y=scores", "--rename-node", "act=last", "--add-output", "p", "--remove-output", "s",
                  "--set-metadata", "license=MIT=ok", "--input-shape", "x=batch,2")
        report = json.loads(self.call("inspect", self.out, "--json"))
        self.assertEqual(report["nodes"], 3)
        self.assertEqual(report["metadata"], {"license": "MIT=ok"})
        self.assertEqual([port["name"] for port in report["outputs"]], ["scores", "p"])
        self.assertEqual(report["inputs"][0]["dims"], ["batch", 2])
        self.assertEqual(self.result("scores"), [0, 7])
        self.assertEqual(self.result("p"), [4, 6])
        self.edit("--rename", "y=first", "--rename", "first=second")
        self.assertEqual(self.result("second"), [0, 7])

    def test_replaces_nodes_and_constants(self):
        self.edit("--remove", "act", "--insert", "y = Neg(h)  # node 'negative'")
        self.assertEqual(self.result(), [1, -7])
        self.edit("--remove", "act", "--insert", "@" + self.write("nodes.txt", b"two: float32[] = 2\n y = Mul(h, two)"))
        self.assertEqual(self.result(), [-2, 14])
        self.edit("--constant", "b=" + self.write("b.npy", ob.npy([0, 0], [2])), "--node-input", "act:0=d")
        self.assertEqual(self.result(), [4, 6])
        self.edit("--constant", "b=" + self.write("b.pb", ob.tensor([1, 2], [2])), "--replace-uses", "y=h")
        self.assertEqual(self.result(), [5, 8])

    def test_strips_weights(self):
        large = ob.model([ob.node("Add", ["x", "w"], ["y"])], [ob.value_info("x", [1, 512])], [ob.value_info("y", [1, 512])],
                         [ob.tensor([1] * 512, [512], name="w")])
        model = self.write("large.onnx", large)
        self.call("edit", model, "-o", self.out, "--strip-weights")
        self.assertLess(self.out.stat().st_size, 600)
        self.call("run", self.out)

    def test_weights_go_to_safetensors_and_back(self):
        large = ob.model([ob.node("Add", ["x", "w"], ["y"])], [ob.value_info("x", [1, 512])], [ob.value_info("y", [1, 512])],
                         [ob.tensor([3] * 512, [512], name="w")])
        model, weights, bare = self.write("large.onnx", large), self.dir / "w.safetensors", self.dir / "bare.onnx"
        self.assertIn("1 tensors", self.call("edit", model, "-o", bare, "--save-weights", weights, "--strip-weights"))
        self.assertLess(bare.stat().st_size, 600)
        data = weights.read_bytes()
        length = int.from_bytes(data[:8], "little")
        self.assertEqual(json.loads(data[8:8 + length]), {"w": {"dtype": "F32", "shape": [512], "data_offsets": [0, 2048]}})
        self.assertEqual(len(data), 8 + length + 2048)
        x = self.write("wide.npy", ob.npy([0] * 512, [1, 512]))
        for source in (bare, model):
            self.call("edit", source, "-o", self.out, "--load-weights", weights)
            self.assertEqual(self.result(given=f"x={x}"), [3] * 512)

    def test_safetensors_are_checked(self):
        def file(header, data=b"\0" * 8):
            text = header if isinstance(header, bytes) else json.dumps(header).encode()
            return len(text).to_bytes(8, "little") + text + data

        def one(dtype="F32", shape=(2,), offsets=(0, 8)):
            return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}

        for content, says in (
            (b"", "shorter"), (b"\xff" * 16, "header"), ((1 << 40).to_bytes(8, "little"), "header"), (file(b"{"), "no JSON"), (file(b"[]"), "no JSON object"),
            (file(b"[" * 100000), "deep"), (file(b'{"b": 1}'), "'b'"), (file({"b": {"dtype": "F32"}}), "shape"), (file({"b": one("F99")}), "F99"),
            (file({"b": one(3)}), "dtype"), (file({"b": one(shape=(-2,))}), "shape"), (file({"b": one(shape=(1 << 62, 8))}), "shape"),
            (file({"b": one(offsets=(0, 9))}), "beyond"), (file({"b": one(offsets=(8, 0))}), "beyond"), (file({"b": one(shape=(3,))}), "12"),
            (file({"b": one(offsets=(0, 1 << 63))}), "beyond"), (file({"b": one(), "c": one()}), "overlaps"),
            (file({"b": one(shape=(1,), offsets=(4, 8))}), "gap"), (file({"b": one(shape=(1,), offsets=(0, 4))}), "follow"),
            (file(b'{"b": %s, "b": %s}' % ((json.dumps(one()).encode(),) * 2)), "twice"), (file({"b": one("BOOL", (8,))}, b"\2" * 8), "neither true nor false"),
        ):  # fmt: skip
            with self.subTest(content[:60]):
                self.call("edit", self.model, "-o", self.out, "--load-weights", self.write("bad.safetensors", content), code=MODEL, says=says)
        for content, says in ((file({"b": one("I32")}), ["int32[2]", "float32[2]"]), (file({"q": one()}), "'q'"), (file({"b": one(shape=(1, 2))}), ["[1,2]", "[2]"])):
            self.call("edit", self.model, "-o", self.out, "--load-weights", self.write("bad.safetensors", content), code=USAGE, says=says)
        self.assertFalse(self.out.exists())
        self.edit("--load-weights", self.write("good.safetensors", file({"__metadata__": {"b": "text"}, "b": one()})))
        plain = self.result()
        self.edit("--constant", "b=" + self.write("b.npy", ob.npy([0, 0], [2])))
        self.assertEqual(self.result(), plain)

    def test_says_what_cannot_be(self):
        for args, says in ((["--bypass-op", "ReduceSum"], ["'s'", "float32[1,1]"]), (["--bypass-op", "Conv"], "'Conv'"), (["--bypass", "none*"], "none*"), (["--to", "q"], "'q'"),
                           (["--rename", "y"], "NAME=VALUE"), (["--rename", "y=x"], "taken"), (["--remove", "act"], ["'y'", "act"]), (["--insert", "y = Neg("], "line 1"),
                           (["--node-input", "act=h"], "NODE:INDEX=VALUE"), (["--node-input", "act:9=h"], "no input 9"), (["--input-type", "x=float"], "float32"),
                           (["--constant", "b=x.txt"], "x.txt"), (["--link", "a=b"], "--merge"), (["--remove-metadata", "k"], "'k'"), (["--input-shape", "x=1,-4"], "-4")):
            with self.subTest(args):
                self.call("edit", self.model, "-o", self.out, *args, code=USAGE, says=says)
        self.call("edit", self.model, "-o", self.out, "--input-shape", "x=1,3", code=MODEL)
        self.call("edit", self.model, "-o", self.model, code=USAGE, says="--backup")
        self.call("edit", self.model, "-o", self.model, "--merge", self.out, code=MODEL)
        self.assertFalse(self.out.exists())
        self.call("edit", self.write("other.onnx", ob.sums()), "-o", self.model, "--merge", self.model, "--prefix", "p/", code=USAGE, says="--backup")

    def test_merges_beside_each_other(self):
        other = self.write("other.onnx", ob.sums())
        self.call("edit", self.model, "-o", self.out, "--merge", other, code=USAGE, says="both models have a value 'x'")
        self.edit("--merge", other, "--prefix", "b/")
        report = json.loads(self.call("inspect", self.out, "--json"))
        self.assertEqual([port["name"] for port in report["inputs"]], ["x", "b/x", "b/y"])


def rounding():
    """A layer normalisation spelt out between other nodes, which fused rounds differently."""
    last = ob.data(5, ob.data(1, "axes") + ob.number(8, -1) + ob.number(20, 7))
    nodes = [ob.node("Sin", ["x"], ["a"]), ob.node("ReduceMean", ["a"], ["m"], "mean") + last, ob.node("Sub", ["a", "m"], ["c"]), ob.node("Pow", ["c", "two"], ["q"]),
             ob.node("ReduceMean", ["q"], ["v"], "variance") + last, ob.node("Add", ["v", "eps"], ["e"]), ob.node("Sqrt", ["e"], ["r"]), ob.node("Div", ["c", "r"], ["n"]),
             ob.node("Mul", ["n", "scale"], ["s"]), ob.node("Add", ["s", "shift"], ["l"]), ob.node("Cos", ["l"], ["k"]), ob.node("Neg", ["k"], ["y"])]
    weights = [ob.tensor([2], [], name="two"), ob.tensor([1e-5], [], name="eps"), ob.tensor([0.1 * i for i in range(37)], [37], name="scale"),
               ob.tensor([0.3 * i for i in range(37)], [37], name="shift")]
    return ob.model(nodes, [ob.value_info("x", [8, 37])], [ob.value_info("y", [8, 37])], weights)


class Debugging(CliTest):
    def test_reduces_to_the_node_that_fails(self):
        nodes = [ob.node("Relu", ["x"], ["a"], "before"), ob.node("Gather", ["a", "i"], ["g"], "pick"), ob.node("Neg", ["g"], ["n"], "after"), ob.node("Abs", ["n"], ["y"], "last")]
        model = self.write("m.onnx", ob.model(nodes, [ob.value_info("x", [3]), ob.value_info("i", [1], ob.INT64)], [ob.value_info("y", [1])]))
        far = self.write("i.npy", ob.npy([7], [1], "<i8"))
        text = self.call("debug", "reduce", model, "-o", self.dir / "small", "--input", f"i={far}", "--error", "7")
        self.assertIn("4 nodes became 1", text)
        self.assertIn("Gather(a, i)", text)
        self.assertEqual(self.call("inspect", self.dir / "small" / "model.onnx", "--ops").split(), ["Gather"])
        self.assertTrue((self.dir / "small" / "test_data_set_0" / "input_1.pb").exists())
        self.call("debug", "reduce", model, "-o", self.dir / "small", "--error", "no such error", code=USAGE, says="nothing to reduce")

    def test_reduces_for_a_command(self):
        model = self.write("m.onnx", chain())
        text = self.call("debug", "reduce", model, "-o", self.dir / "small", "--check", f"{CLI} inspect {{}} --ops | grep -q Add")
        self.assertIn("5 nodes became 1", text)
        self.assertEqual(self.call("inspect", self.dir / "small" / "model.onnx", "--ops").split(), ["Add"])
        self.assertEqual(self.call("test", self.dir / "small").splitlines()[-1], "1 passed, 0 failed, 0 skipped")
        self.call("debug", "reduce", model, "-o", self.dir / "small", code=USAGE, says="same results")

    def test_bisects_the_optimizer(self):
        model = self.write("m.onnx", rounding())
        self.assertIn("no difference beyond the tolerance", self.call("debug", "bisect", model))
        text = self.call("debug", "bisect", model, "--rtol", 0, "--atol", 0, "-o", self.dir / "small", code=MISMATCH)
        self.assertIn("is the first that makes a difference", text)
        pass_name = next(line.split()[1] for line in text.splitlines() if line.startswith("pass "))
        small = self.dir / "small" / "model.onnx"
        self.assertLess(json.loads(self.call("inspect", small, "--json"))["nodes"], json.loads(self.call("inspect", model, "--json"))["nodes"])
        name = json.loads(self.call("inspect", small, "--json"))["inputs"][0]["name"]
        self.call("debug", "bisect", small, "--rtol", 0, "--atol", 0, "--passes", pass_name, "--input", f"{name}={self.dir}/small/test_data_set_0/input_0.pb", code=MISMATCH)
        self.call("debug", "bisect", self.write("r.onnx", ob.model([ob.node("RandomNormalLike", ["x"], ["y"])], [ob.value_info("x", [9])], [ob.value_info("y", [9])])),
                  code=RUN, says="random")

    def test_dumps_tensors(self):
        model = self.write("m.onnx", chain())
        x = self.write("x.npy", ob.npy([1, 1], [1, 2]))
        out = self.dir / "dump"
        self.call("debug", "dump-tensors", model, "-o", out, "--input", f"x={x}")
        index = json.loads((out / "index.json").read_text())["values"]
        self.assertEqual([value["name"] for value in index][:3], ["p", "d", "h"])
        found = {value["name"]: ob.read_npy((out / value["file"]).read_bytes())[0] for value in index}
        self.assertEqual(found["p"], [4, 6])
        self.assertEqual(found["h"], [-1, 7])
        self.assertEqual((index[0]["min"], index[0]["max"], index[0]["nans"]), (4, 6, 0))
        self.call("debug", "dump-tensors", model, "-o", self.dir / "one", "--tensor", "h")
        self.assertEqual(sorted(path.name for path in (self.dir / "one").iterdir()), ["h.npy", "index.json"])
        self.call("debug", "dump-tensors", model, "-o", out, "--tensor", "q", code=USAGE, says="'q'")
        self.call("debug", code=USAGE)


class Suite(CliTest):
    def case(self, name, expected=(11, 22, 33)):
        sets = f"suite/kind/{name}/test_data_set_0/"
        self.write(f"suite/kind/{name}/model.onnx", ob.sums())
        self.write(sets + "input_0.pb", ob.tensor([1, 2, 3], [1, 3], name="x"))
        self.write(sets + "input_1.npy", ob.npy([10, 20, 30], [1, 3]))
        self.write(sets + "output_0.pb", ob.tensor(expected, [1, 3], name="z"))
        return self.dir / "suite"

    def test_counts_and_reports(self):
        suite = self.case("good")
        self.assertEqual(self.call("test", suite).splitlines()[-1], "1 passed, 0 failed, 0 skipped")
        self.case("wrong", (11, 22, 34))
        self.write("suite/kind/broken/model.onnx", b"no model")
        self.write("suite/kind/broken/test_data_set_0/input_0.pb", b"")
        report, junit = self.dir / "r.json", self.dir / "r.xml"
        text = self.call("test", suite, "-j", 2, "--json", report, "--junit", junit, code=MISMATCH)
        self.assertEqual(text.splitlines()[-1], "1 passed, 2 failed, 0 skipped")
        data = json.loads(report.read_text())
        self.assertEqual({c["name"]: c["status"] for c in data["cases"]}, {"kind/good": "passed", "kind/wrong": "failed", "kind/broken": "failed"})
        self.assertIn("[0,2]: got 33, expected 34", next(c["message"] for c in data["cases"] if c["name"] == "kind/wrong"))
        self.assertEqual(xml.etree.ElementTree.parse(junit).getroot().get("failures"), "2")
        self.call("test", suite, "--filter", "kind/good$")
        self.call("test", suite, "--filter", "nothing", code=USAGE, says="nothing")
        self.call("test", suite, "--filter", "(", code=USAGE, says="regular expression")
        self.call("test", self.dir / "none", code=USAGE, says="none")

    def test_tolerance(self):
        suite = self.case("near", (11.005, 22, 33))
        self.call("test", suite)
        self.write("suite/kind/near/data.json", b'{"rtol": 1e-6, "atol": 1e-6}')
        self.call("test", suite, code=MISMATCH)
        self.write("suite/kind/near/data.json", b'{"rtol": "x"}')
        self.call("test", suite, code=MISMATCH)

    def test_time_limit(self):
        suite = self.case("good")
        self.write("suite/kind/endless/model.onnx", ob.endless())
        self.write("suite/kind/endless/test_data_set_0/input_0.pb", number_bool())
        self.write("suite/kind/endless/test_data_set_0/input_1.pb", ob.tensor([1], [1]))
        text = self.call("test", suite, "--timeout", 1, code=MISMATCH)
        self.assertIn("kind/endless: took longer than 1 s", text)
        self.assertEqual(text.splitlines()[-1], "1 passed, 1 failed, 0 skipped")


def number_bool():
    return ob.number(2, ob.BOOL) + ob.data(9, b"\1")


if __name__ == "__main__":
    CLI, ROOT = sys.argv[1], Path(sys.argv[2])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])

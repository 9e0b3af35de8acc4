"""Files that are no models, or broken ones: what onnx-run says of them."""

import io
import json
import pickle
import struct
import subprocess
import zipfile
import unittest

import onnx_bytes as ob
from cli_case import CLI, MODEL, OK, RUN, USAGE, CliCase


class BadModels(CliCase):
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


if __name__ == "__main__":
    unittest.main()

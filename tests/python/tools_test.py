"""check, inspect, infer_shapes, optimize and the editor."""

import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import onnxrun

import models

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples/digits/digits.onnx"
IMAGE = np.random.default_rng(3).random((2, 1, 8, 8), np.float32)


class Checking(unittest.TestCase):
    def test_reports(self):
        for source in (DIGITS, DIGITS.read_bytes(), onnx.load(DIGITS)):
            report = onnxrun.check(source)
            self.assertTrue(report)
            self.assertEqual(report.errors, [])
            self.assertIn("opset 14 would do", str(report))
        broken = onnxrun.check(DIGITS.read_bytes()[:1000])
        self.assertFalse(broken)
        self.assertEqual(broken.errors[0].severity, "error")
        self.assertFalse(onnxrun.check("/no/such.onnx"))
        two = onnxrun.check(models.parse("g (float[n] x) => (float[n] y) { a = NoSuchOne(x) y = NoSuchOther(a) }"))
        self.assertEqual(len(two.errors), 2, str(two))
        training = onnxrun.check(models.parse("""
            g (float[n,3,4,4] x, float[3] s) => (float[n,3,4,4] y) { y, m, v = BatchNormalization <training_mode = 1> (x, s, s, s, s) }"""))
        self.assertTrue(training)
        self.assertIn("training mode", str(training))
        with self.assertRaises(TypeError):
            onnxrun.check(DIGITS, threads=1)

    def test_inspect(self):
        self.assertEqual(onnxrun.inspect(DIGITS)["nodes"], 10)
        self.assertEqual(onnxrun.inspect(onnxrun.Model(DIGITS), "explain", level="none")["steps"][0]["provider"], "cpu")
        self.assertEqual([provider["name"] for provider in onnxrun.providers()], ["cpu"])

    def test_infer_shapes(self):
        inferred = onnxrun.infer_shapes(DIGITS, dims={"batch": 4}).to_proto()
        shapes = {info.name: [dim.dim_value for dim in info.type.tensor_type.shape.dim] for info in inferred.graph.value_info}
        known = {info.name: [dim.dim_value or 4 for dim in info.type.tensor_type.shape.dim]
                 for info in onnx.shape_inference.infer_shapes(onnx.load(DIGITS)).graph.value_info}
        self.assertTrue(known)
        for name, shape in known.items():
            self.assertEqual(shapes[name], shape, name)

    def test_optimize(self):
        source = models.parse("g (float[n] x) => (float[n] y) { a = Identity(x) b = Neg(a) c = Neg(b) y = Relu(c) }")
        self.assertEqual(onnxrun.optimize(source).summary["nodes"], 1)
        self.assertEqual(onnxrun.optimize(source, level="none").summary["nodes"], 4)
        self.assertEqual(onnxrun.optimize(onnxrun.Model(source), level="all").to_bytes(), onnxrun.optimize(source).to_bytes())
        with self.assertRaises(onnxrun.InvalidArgument):
            onnxrun.optimize(source, level="most")
        with self.assertRaises(TypeError):
            onnxrun.optimize(source, levels="most")


class Editing(unittest.TestCase):
    def test_nodes(self):
        editor = onnxrun.edit(models.parse("g (float[n] x) => (float[n] y) { a = Dropout(x) b = Neg(a) y = Relu(b) }"))
        node, = editor.select("Dropout")
        self.assertEqual((node.op, node.inputs[0], node.outputs[0]), ("Dropout", "x", "a"))
        self.assertIn("Dropout", repr(node))
        node.bypass()
        relu, = editor.select(op="R*")
        relu.rename("last")
        self.assertEqual(editor.select(name="last")[0].number, relu.number)
        self.assertEqual(onnxrun.Session(editor.finish()).run([np.array([-2, 3], np.float32)])[0].tolist(), [2, 0])
        relu.set_input(0, "x")
        self.assertEqual(onnxrun.Session(editor.finish()).run([np.array([-2, 3], np.float32)])[0].tolist(), [0, 3])
        with self.assertRaises(onnxrun.InvalidArgument):
            relu.set_input(0, "nothing")
        with self.assertRaises(onnxrun.InvalidArgument):
            onnxrun.Node(editor, 12345).rename("x")

    def test_values(self):
        editor = onnxrun.edit(models.parse("g (float[n] x) => (float[n] y) <float[1] w = {2}> { a = Mul(x, w) y = Relu(a) }"))
        self.assertEqual(editor.constant("w").tolist(), [2])
        editor.set_constant("w", np.array([-3], np.float32))
        editor.add_output("a")
        editor.rename("x", "image")
        editor.set_input("image", shape=(None,))
        editor.insert("b = Neg(a)")
        editor.replace_uses("y", "b")
        editor.set_metadata("made", "by hand")
        model = editor.finish()
        self.assertEqual(model.metadata, {"made": "by hand"})
        self.assertEqual(model.inputs[0].shape, (None,))
        results = onnxrun.Session(model).run({"image": np.array([1, -1], np.float32)})
        self.assertEqual(results["a"].tolist(), [-3, 3])
        onnx.checker.check_model(model.to_proto())
        editor.set_metadata("made", None)
        self.assertEqual(editor.finish().metadata, {})

    def test_parts(self):
        editor = onnxrun.edit(DIGITS)
        editor.extract(outputs=["pool"])
        part = editor.finish()
        self.assertEqual([port.name for port in part.outputs], ["pool"])
        whole = onnxrun.Session(DIGITS, level="none")
        np.testing.assert_allclose(onnxrun.Session(part).run([IMAGE])[0], whole.trace([IMAGE], ["pool"])["pool"], rtol=1e-4, atol=1e-6)
        editor = onnxrun.edit(DIGITS)
        editor.merge(models.parse("g (float[n,10] p) => (int64[n,1] digit) { digit = ArgMax <axis = 1> (p) }"), {"probabilities": "p"}, prefix="end_")
        merged = editor.finish()
        self.assertEqual(onnxrun.Session(merged).run([IMAGE])[0].ravel().tolist(), whole.run([IMAGE])[0].argmax(1).tolist())

    def test_stripping(self):
        editor = onnxrun.edit(DIGITS)
        self.assertGreater(editor.strip_weights(), 0)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "small.onnx"
            editor.finish().save(path)
            self.assertLess(path.stat().st_size, DIGITS.stat().st_size // 4)


if __name__ == "__main__":
    unittest.main()

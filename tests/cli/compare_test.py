"""onnx-run compare: agreement, times, where computations part, and why."""

import json
import unittest
import zipfile

import onnx_bytes as ob
import small_models
from cli_case import MISMATCH, MODEL, OK, ROOT, USAGE, CliCase

DIGITS = ROOT / "examples/digits/digits.onnx"


class Comparing(CliCase):
    def archive(self, name, **arrays):
        with zipfile.ZipFile(self.dir / name, "w") as file:
            for key, content in arrays.items():
                file.writestr(key + ".npy", content)
        return self.dir / name

    def report(self, *args, code=OK):
        return json.loads(self.call("compare", *args, "--json", "--repeat", 2, code=code))

    def changed(self, model, name, index, value):
        """A copy of a model with one element of a weight set anew."""
        text = self.dir / "model.txt"
        self.call("convert", model, "-o", text, "--text")
        lines = text.read_text().splitlines()
        at = next(i for i, line in enumerate(lines) if line.strip().startswith(name + ":"))
        head, numbers = lines[at].split("{")
        numbers = numbers.rstrip("}").split(", ")
        numbers[index] = str(value)
        lines[at] = head + "{" + ", ".join(numbers) + "}"
        text.write_text("\n".join(lines) + "\n")
        return text

    def test_with_itself(self):
        report = self.report(DIGITS)
        self.assertTrue(report["agrees"])
        self.assertEqual(report["reference"], "level 0, reference kernels")
        row, = report["rows"]
        self.assertGreater(row["ms"], 0)
        self.assertGreater(row["reference_ms"], 0)
        self.assertLess(row["largest"], 1e-5)

    def test_levels_and_batches(self):
        report = self.report(DIGITS, "--levels", "0,1,99", "--batch", "1,4")
        self.assertEqual([(row["batch"], row["side"]) for row in report["rows"]], [(1, "level 1"), (1, "level 99"), (4, "level 1"), (4, "level 99")])
        self.assertEqual(report["rows"][0]["largest"], 0)

    def test_another_precision(self):
        small = self.dir / "half.onnx"
        self.call("quantize", DIGITS, "-o", small, "--mode", "float")
        report = self.report(DIGITS, small, "--batch", "1,16", "--rtol", "0.05", "--atol", "0.01")
        self.assertEqual([row["batch"] for row in report["rows"]], [1, 16])
        self.assertTrue(all(0 < row["relative"] < 0.01 for row in report["rows"]))
        report = self.report(DIGITS, small, "--rtol", "0", "--atol", "1e-9", code=MISMATCH)
        self.assertTrue(any("precision" in cause for cause in report["likely_causes"]))

    def test_names_the_first_node_that_differs(self):
        model = self.write("a.onnx", small_models.chain())
        other = self.changed(model, "b", 1, 3)
        report = self.report(model, other, code=MISMATCH)
        self.assertEqual((report["first_difference"]["node"], report["first_difference"]["op"]), ("shift", "Add"))
        self.assertEqual({o["name"]: o["agrees"] for o in report["rows"][0]["outputs"]}, {"y": False, "s": False})
        said = self.call("compare", model, other, code=MISMATCH)
        self.assertIn("first difference  value 'h' of node 'shift' (Add)", said)
        listed = {v["name"]: v["agrees"] for v in self.report(model, other, "--all-tensors", code=MISMATCH)["tensors"]}
        self.assertEqual((listed["p"], listed["h"]), (True, False))

    def test_expected_arrays(self):
        model = self.write("a.onnx", small_models.chain())
        x = ob.npy([1, 1, 2, 2], [2, 2])
        inputs = self.archive("in.npz", x=x)
        right = self.archive("right.npz", y=ob.npy([0, 7, 3, 13], [2, 2]))
        wrong = self.archive("wrong.npz", y=ob.npy([0, 7, 3, 14], [2, 2]))
        said = self.call("compare", model, right, "--input", inputs)
        self.assertIn("yes", said)
        row, = self.report(model, wrong, "--input", inputs, code=MISMATCH)["rows"]
        self.assertEqual((row["largest"], row["reference_ms"]), (1, None))
        shape = self.archive("shape.npz", y=ob.npy([0, 7], [1, 2]))
        report = self.report(model, shape, "--input", inputs, code=MISMATCH)
        self.assertTrue(any("shapes" in cause for cause in report["likely_causes"]))

    def test_given_inputs_fill_each_batch(self):
        model = self.write("a.onnx", small_models.chain())
        inputs = self.archive("in.npz", x=ob.npy([1, 1, 2, 2, 3, 3], [3, 2]))
        report = self.report(model, "--levels", "0,99", "--input", inputs, "--batch", "2,3,7")
        self.assertEqual([row["batch"] for row in report["rows"]], [2, 3, 7])
        self.assertTrue(report["agrees"])

    def test_a_fixed_dimension(self):
        free = self.write("free.onnx", small_models.chain())
        fixed = self.dir / "fixed.onnx"
        self.call("edit", free, "-o", fixed, "--input-shape", "x=1,2")
        report = self.report(free, fixed, "--batch", "1,4", code=MISMATCH)
        self.assertEqual([row["agrees"] for row in report["rows"]], [True, False])
        self.assertIn("is fixed to 1", report["rows"][1]["error"])
        self.assertTrue(any("fixed dimension" in cause for cause in report["likely_causes"]))

    def test_random_numbers(self):
        node = ob.node("RandomUniformLike", ["x"], ["y"], "noise")
        model = self.write("random.onnx", ob.model([node], [ob.value_info("x", ["n", 2])], [ob.value_info("y", ["n", 2])], []))
        report = self.report(model, "--levels", "0,99", code=MISMATCH)
        self.assertTrue(any("random numbers" in cause for cause in report["likely_causes"]))

    def test_says_what_is_not_compared(self):
        two = self.write("two.onnx", ob.model([ob.node("Relu", ["x"], ["a"]), ob.node("Neg", ["x"], ["b"])], [ob.value_info("x", [2])],
                                              [ob.value_info("a", [2]), ob.value_info("b", [2])], []))
        x = f"x={self.write('x.npy', ob.npy([1, -1], [2]))}"
        a = self.archive("a.npz", a=ob.npy([1, 0], [2]))
        self.assertEqual(self.report(two, a, "--input", x)["rows"][0]["left_out"], ["b"])
        self.assertIn("output 'b' was not compared", self.call("compare", two, a, "--input", x))
        both = self.archive("both.npz", arr_1=ob.npy([-1, 1], [2]), arr_0=ob.npy([1, 0], [2]))
        self.assertEqual(self.report(two, both, "--input", x)["rows"][0]["left_out"], [])
        self.call("compare", two, self.archive("other.npz", a=ob.npy([1, 0], [2]), c=ob.npy([1], [1])), "--input", x, code=USAGE, says="no output 'c'")
        self.call("compare", two, self.archive("none.npz"), "--input", x, code=USAGE, says="no arrays")
        renamed = self.dir / "renamed.onnx"
        self.call("edit", two, "-o", renamed, "--rename", "b=z")
        self.assertIn("output 'b' held against 'z'", self.call("compare", two, renamed))

    def test_refusals(self):
        model = self.write("a.onnx", small_models.chain())
        self.call("compare", model, self.dir / "none.onnx", code=MODEL, says="none.onnx")
        self.call("compare", model, self.dir / "none.npz", code=USAGE, says="none.npz")
        for wrong in ("nan", "inf", "-1", "x"):
            self.call("compare", model, "--rtol", wrong, code=USAGE, says="finite number")
        self.call("compare", model, "--levels", "0", code=USAGE, says="nothing to compare with")
        self.call("compare", model, self.archive("r.npz", y=ob.npy([1], [1])), "--batch", "2", code=USAGE, says="--batch")
        other = self.write("other.onnx", ob.model([ob.node("Add", ["u", "v"], ["y"])], [ob.value_info("u", [2]), ob.value_info("v", [2])], [ob.value_info("y", [2])], []))
        self.call("compare", model, other, code=USAGE, says="no input 'x'")
        self.call("compare", model, model, "--input", f"x={self.write('x.npy', ob.npy([1, 2, 3], [1, 3]))}", code=USAGE, says="x")


if __name__ == "__main__":
    unittest.main()

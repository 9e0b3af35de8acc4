"""onnx-run optimize and convert."""

import json
import re
import unittest
from pathlib import Path

import onnx_bytes as ob
from cli_case import MODEL, RUN, USAGE, CliCase


class Rewriting(CliCase):
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

    def test_names_of_nodes_differ_in_what_is_written(self):
        nodes = [ob.node("Neg", ["x"], ["a"], "same"), ob.node("Abs", ["a"], ["b"], "same"), ob.node("Neg", ["b"], ["c"], "same_2"), ob.node("Sin", ["c"], ["d"], "same"), ob.node("Cos", ["d"], ["y"], "same")]
        model = self.write("same.onnx", ob.model(nodes, [ob.value_info("x", [2])], [ob.value_info("y", [2])]))
        self.call("convert", model, "-o", self.dir / "out.onnx", "--opset", 18)
        text = self.call("inspect", self.dir / "out.onnx", "--text")
        self.assertEqual(re.findall("# node '(.*?)'", text), ["same", "same_1", "same_2", "same_3", "same_4"])


if __name__ == "__main__":
    unittest.main()

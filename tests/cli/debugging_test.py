"""onnx-run debug."""

import json
import shlex
import unittest

import onnx_bytes as ob
from cli_case import CLI, MISMATCH, RUN, USAGE, CliCase
from small_models import chain, rounding


class Debugging(CliCase):
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
        command = next(line for line in text.splitlines() if line.startswith("to see it: onnx-run "))
        arguments = shlex.split(command.removeprefix("to see it: onnx-run "))
        self.assertEqual(arguments, ["debug", "bisect", f"{small}", "--passes", pass_name, "--rtol", "0", "--atol", "0",
                                     "--input", f"{name}={self.dir}/small/test_data_set_0/input_0.pb"])
        self.call(*arguments, code=MISMATCH)
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


if __name__ == "__main__":
    unittest.main()

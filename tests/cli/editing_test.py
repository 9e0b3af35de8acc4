"""onnx-run edit."""

import json
import unittest

import onnx_bytes as ob
from cli_case import MODEL, USAGE
from editing_case import EditingCase


class Editing(EditingCase):
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


if __name__ == "__main__":
    unittest.main()

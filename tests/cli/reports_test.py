"""onnx-run inspect and check, and the text form as a model file."""

import json
import subprocess
import unittest

import onnx_bytes as ob
from cli_case import CLI, MODEL, OK, RUN, USAGE, CliCase


class Reports(CliCase):
    def test_inspect(self):
        path = self.write("m.onnx", ob.sums())
        text = self.call("inspect", path, "--shapes", "--weights", "--explain")
        for part in ("producer", "ai.onnx 17", "float32[n,3]", "known 4 of 4", "cpu/", "sha256", "digest"):
            self.assertIn(part, text)
        self.assertEqual(self.call("inspect", path, "--ops").split(), ["Add", "Mul"])
        report = json.loads(self.call("inspect", path, "--json", "--dim", "n=5"))
        self.assertEqual(report["operations"], 30)
        self.assertEqual(report["inputs"][0]["dims"], [5, 3])

    def test_explains_which_kernels_were_asked_for(self):
        path = self.write("m.onnx", ob.model([ob.node("Softmax", ["x"], ["y"])], [ob.value_info("x", [2, 3])], [ob.value_info("y", [2, 3])]))
        self.assertIn("cpu/rows", self.call("inspect", path, "--explain"))
        self.assertIn("cpu/reference", self.call("inspect", path, "--explain", "--kernels", "reference"))

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
        self.assertIn("3 nodes before, 3 after", self.call("inspect", path, "--list-passes", "--level", "2", "--disable-pass", "eliminate-repeated"))
        self.assertIn("and more to change", self.call("inspect", path, "--list-passes", "--max-patches", "0"))
        changes = self.call("inspect", path, "--changes", "--level", "2")
        self.assertTrue(changes.startswith("# eliminate-repeated, round 1, 1 patch\n-"), changes)
        self.assertEqual(changes.count("Relu("), 1)
        self.assertEqual(self.call("inspect", path, "--level", "2", "--passes"), changes)
        self.assertEqual(self.call("inspect", path, "--passes", "eliminate-dead", "--changes"), "")
        self.assertEqual(self.call("inspect", path, "--changes", "--level", "0"), "")
        self.call("inspect", path, "--changes", "--print-after", "all", code=USAGE, says="--print-after")
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

    def untrusted(self, content, *args, code=OK):
        path = self.write("m.onnx", content)
        done = subprocess.run([CLI, "check", path, "--untrusted", *args], capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout

    def test_what_an_unknown_file_would_do(self):
        text = self.untrusted(ob.sums())
        for part in ("2 nodes", "files read beside it: none", "loops: none", "does not know: none"):
            self.assertIn(part, text)
        self.assertIn("until its condition ends it", self.untrusted(ob.endless()))
        shape = ob.tensor([2**20, 2**20], [2], ob.INT64, "shape")
        huge = ob.model([ob.node("ConstantOfShape", ["shape"], ["h"], "fill"), ob.node("ReduceSum", ["h"], ["y"], "sum"), ob.node("NonZero", ["x"], ["z"], "nz")],
                        [ob.value_info("x", [4])], [ob.value_info("y", [1, 1]), ob.value_info("z", [1, "n"], ob.INT64)], [shape])
        text = self.untrusted(huge)
        for part in ("'h' of float32[1048576,1048576]: 4 TB, of node 'fill' (ConstantOfShape)", "1 value of sizes that inputs or data decide"):
            self.assertIn(part, text)
        values = json.loads(self.untrusted(huge, "--json"))["asks"]["computed_values"]
        self.assertEqual([(v["name"], v["bytes"]) for v in values["largest"]], [("h", 2**42), ("y", 4)])

        def outside(name, location):
            keys = ob.data(13, ob.data(1, "location") + ob.data(2, location))
            return ob.number(1, 4) + ob.number(2, ob.FLOAT) + ob.data(8, name) + keys + ob.number(14, 1)

        self.write("beside.bin", bytes(16))
        x, y = [ob.value_info("x", [4])], [ob.value_info("y", [4])]
        nodes = [ob.node("Add", ["x", "w"], ["a"], "a"), ob.node("Frob", ["a", "v"], ["y"], "f", "com.stranger")]
        model = ob.model(nodes, x, y, [outside("w", "../../etc/passwd"), outside("v", "beside.bin")])
        text = self.untrusted(model, code=MODEL)
        for part in ("'../../etc/passwd': 16 B in 1 tensor; refused: ", "'beside.bin': 16 B in 1 tensor\n", "'Frob' of domain 'com.stranger': 1 node"):
            self.assertIn(part, text)
        asks = json.loads(self.untrusted(model, "--json", code=MODEL))["asks"]
        self.assertEqual([f["location"] for f in asks["external_files"]], ["../../etc/passwd", "beside.bin"])
        self.assertEqual((asks["weight_bytes"], asks["nodes"], asks["nesting"]), (32, 2, 0))

    def test_limits(self):
        path = self.write("m.onnx", ob.sums())
        self.call("inspect", path, "--limit", "max_nodes=2")
        self.call("inspect", path, "--limit", "max_nodes=1", code=MODEL, says=("2 nodes", "max_nodes"))
        self.call("inspect", path, "--limit", "max_node=1", code=USAGE, says=("max_node", "max_nodes"))
        self.call("inspect", path, "--limit", "max_nodes=x", code=USAGE, says="max_nodes")
        loop = self.write("loop.onnx", ob.endless())
        self.call("run", loop, "--limit", "timeout=0.2", code=RUN, says="deadline")
        self.call("run", loop, "--limit", "max_loop_iterations=9", code=RUN, says="max_loop_iterations")

    def checked(self, nodes, inputs, outputs, initializers=(), opset=17):
        path = self.write("m.onnx", ob.model(nodes, inputs, outputs, initializers, opset=opset))
        done = subprocess.run([CLI, "check", path, "--json"], capture_output=True, text=True)
        problems = json.loads(done.stdout)["problems"]
        for problem in problems:
            for part in ("node", "what", "expected", "fix"):
                self.assertTrue(problem[part], f"no {part}: {problem}")
            self.assertNotIn(problem["node"], problem["what"])
            self.assertNotIn("\n", problem["what"])
        return problems

    def test_check_says_what_was_expected_and_what_to_do(self):
        x, y = [ob.value_info("x", ["n", 3])], [ob.value_info("y", ["n", 3])]
        number = ob.tensor([1.0], [1], name="s")
        for nodes, node, what, expected in (
                ([ob.node("Relu", ["x", "x"], ["y"], "r")], "node 'r' (Relu)", "takes 1 inputs, got 2", "Relu(X)"),
                ([ob.node("Concat", ["x"], ["y"], "c")], "node 'c' (Concat)", "'axis' of Concat is required", "axis: int"),
                ([ob.node("And", ["x", "x"], ["y"], "a")], "node 'a' (And)", "got float32", "bool"),
                ([ob.node("Conv", ["x", "x"], ["y"], "k")], "node 'k' (Conv)", "x: float32[n,3]", "spatial axis"),
                ([ob.node("Reshape", ["x", "s"], ["y"], "t")], "node 't' (Reshape)", "'shape'", "int64"),
                ([ob.node("Frobnicate", ["x"], ["y"], "f")], "node 'f' (Frobnicate)", "is unknown", "docs/operators.md")):
            found = [p for p in self.checked(nodes, x, y, [number] if "Reshape" in node else []) if p["severity"] == "error"]
            self.assertEqual([p["node"] for p in found], [node])
            self.assertIn(what, found[0]["what"])
            self.assertIn(expected, found[0]["expected"])

    def test_check_of_a_cycle_says_it_once(self):
        x, y = [ob.value_info("x", ["n", 3])], [ob.value_info("y", ["n", 3])]
        nodes = [ob.node("Relu", ["b"], ["a"], "r1"), ob.node("Relu", ["a"], ["b"], "r2"), ob.node("Add", ["a", "x"], ["y"], "r3"), ob.node("Frobnicate", ["a"], ["q"], "f")]
        found = [(p["severity"], p["what"]) for p in self.checked(nodes, x, y)]
        self.assertEqual(len([what for severity, what in found if severity == "error"]), 2, found)
        self.assertIn("form a cycle", found[0][1])
        self.assertIn("Frobnicate", found[1][1])
        self.assertFalse([what for _, what in found if "order" in what or "made by no node" in what], found)

    def test_check_of_a_reshape_to_the_examples_batch(self):
        for dims, wanted, warned in (([4, 6], [4, 2, 3], True), (["n", 6], [4, 6], True), ([4, 6], [0, 2, 3], False), ([4, 6], [2, 12], False), ([1, 6], [1, 2, 3], False)):
            shape = ob.tensor(wanted, [len(wanted)], 7, "s")
            found = self.checked([ob.node("Reshape", ["x", "s"], ["z"], "r"), ob.node("Size", ["z"], ["y"])], [ob.value_info("x", dims)], [ob.value_info("y", [], 7)], [shape])
            self.assertEqual(any("(Reshape)" in p["node"] for p in found), warned, found)

    def test_gradient_is_a_training_operator(self):
        x, y = [ob.value_info("x", [3])], [ob.value_info("y", [3])]
        model = ob.model([ob.node("Gradient", ["x"], ["y"], "g", "ai.onnx.preview.training")], x, y) + ob.data(8, ob.data(1, "ai.onnx.preview.training") + ob.number(2, 1))
        path = self.write("m.onnx", model)
        for command in ("check", "run"):
            done = subprocess.run([CLI, command, path], capture_output=True, text=True)
            self.assertEqual(done.returncode, MODEL)
            for part in ("training operator", "out of scope", "export the model for inference"):
                self.assertIn(part, done.stdout + done.stderr)

    def test_check_names_training_mode(self):
        x, y = [ob.value_info("x", ["n", 3])], [ob.value_info("y", ["n", 3])]
        for opset, warned in ((1, True), (6, True), (7, False), (22, False)):
            dropped = ob.model([ob.node("Dropout", ["x"], ["y"], "d")], x, y, opset=opset)
            said = self.call("check", self.write("m.onnx", dropped))
            self.assertEqual("'d' (Dropout): Dropout is in training mode" in said, warned, said)


if __name__ == "__main__":
    unittest.main()

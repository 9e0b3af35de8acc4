"""Files made to take the tool's time, memory and disk: each ends in a result or a clear error."""

import json
import unittest

import onnx_bytes as ob
from cli_case import MODEL, RUN, USAGE, CliCase

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


if __name__ == "__main__":
    unittest.main()

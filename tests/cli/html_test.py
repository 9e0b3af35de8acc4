#!/usr/bin/env python3
"""Looks at the page of 'inspect --html' as text and, where there is one, in a headless browser.    html_test.py ONNX_RUN CHROMIUM [unittest arguments]

CHROMIUM may be empty or not found: then the tests in the browser are skipped."""

import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import onnx_bytes as ob

CLI = CHROMIUM = None
HOSTILE = "</script><img src=x onerror=document.title='caught'>"


def branches():
    """If with bodies that read a value from outside."""
    def body(name, op):
        return ob.data(1, ob.node(op, ["x"], [name])) + ob.data(2, name + "_body") + ob.data(12, ob.value_info(name, [3]))

    choice = ob.node("If", ["yes"], ["y"], "choice")
    for attribute, graph in (("then_branch", body("t", "Neg")), ("else_branch", body("e", "Abs"))):
        choice += ob.data(5, ob.data(1, attribute) + ob.number(20, 5) + ob.data(6, graph))
    nodes = [choice, ob.node("Relu", ["y"], [HOSTILE], "named & odd")]
    return ob.model(nodes, [ob.value_info("yes", [], ob.BOOL), ob.value_info("x", [3])], [ob.value_info(HOSTILE, [3])])


class Page(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = Path(folder.name)

    def page(self, model):
        (self.dir / "m.onnx").write_bytes(model)
        done = subprocess.run([CLI, "inspect", self.dir / "m.onnx", "--html", self.dir / "m.html"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return (self.dir / "m.html").read_text()

    def data(self, page):
        return json.loads(re.search(r'<script id="model" type="application/json">(.*?)</script>', page, re.S).group(1))

    def drawn(self, page, script=""):
        """The document after a script of the test ran in it, and what that script set as document.documentElement.dataset.said."""
        if not CHROMIUM:
            self.skipTest("no chromium")
        path = self.dir / "tested.html"
        path.write_text(page.replace("</body>", f"<script>{script}</script></body>"))
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={self.dir}/profile", "--window-size=1200,800", "--dump-dom"]
        done = subprocess.run([CHROMIUM, *flags, path.as_uri()], capture_output=True, text=True, timeout=300)
        said = re.search(r'data-said="(.*?)"', done.stdout, re.S)
        return done.stdout, html.unescape(said.group(1)) if said else done.stderr


class Text(Page):
    def test_needs_nothing_from_elsewhere(self):
        page = self.page(ob.sums())
        for reference in re.findall(r"""(?:src|href|url|import|fetch)\s*[=(]\s*["']?[^"')>\s]*""", page):
            self.fail(f"the page refers to {reference}")
        self.assertEqual(set(re.findall(r"https?://[^\s\"']*", page)), {"http://www.w3.org/2000/svg"})
        self.assertIn("default-src 'none'", page)

    def test_holds_the_graph_with_shapes_and_costs(self):
        data = self.data(self.page(ob.sums()))
        graph = data["structure"]
        self.assertEqual([node["op"] for node in graph["nodes"]], ["Add", "Mul"])
        self.assertEqual(graph["types"]["z"], "float32[n,3]")
        self.assertEqual(graph["nodes"][0]["operations"], "3*n")
        self.assertEqual({op["op"] for op in data["ops"]}, {"Add", "Mul"})

    def test_names_stay_text(self):
        page = self.page(branches())
        self.assertNotIn(HOSTILE, page)
        self.assertEqual(self.data(page)["structure"]["nodes"][1]["outputs"], [HOSTILE])
        node = self.data(page)["structure"]["nodes"][0]
        self.assertEqual([body["name"] for body in node["bodies"]], ["then_branch", "else_branch"])
        self.assertEqual(node["captured"], ["x", "x"])


class Browser(Page):
    def test_draws_every_node(self):
        document, _ = self.drawn(self.page(ob.sums()))
        self.assertIn('data-drawn="6"', document)  # two inputs, two nodes, two outputs
        self.assertEqual(document.count('class="node node"'), 2)
        self.assertEqual(document.count('class="edge"'), 6)

    def test_shows_what_is_clicked(self):
        _, said = self.drawn(self.page(ob.sums()), "shown.elements[shown.boxes.findIndex(b => b.op === 'Add')].dispatchEvent(new Event('click'));"
                             "document.documentElement.dataset.said = details.textContent;")
        for part in ("Add", "operations3*n", "float32[n,3]"):
            self.assertIn(part, said)

    def test_opens_bodies_and_comes_back(self):
        document, said = self.drawn(self.page(branches()), """
            choose(shown.boxes.findIndex(b => b.op === 'If'));
            [...details.querySelectorAll('button')].find(b => b.textContent === 'Open then_branch').click();
            const inside = shown.boxes.map(b => b.op).join();
            document.querySelector('#path button').click();
            document.documentElement.dataset.said = inside + ' ' + shown.boxes.map(b => b.op).join();""")
        self.assertEqual(said, "from outside,Neg,output input,input,If,Relu,output")
        self.assertNotIn("<img", document)
        self.assertNotIn("caught", re.search("<title>(.*?)</title>", document, re.S).group(1))

    def test_finds_and_zooms(self):
        _, said = self.drawn(self.page(ob.sums()), """
            search.value = 'mul'; search.dispatchEvent(new Event('input'));
            search.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}));
            const before = view.scale;
            document.getElementById('in').click();
            document.documentElement.dataset.said = JSON.stringify([hits.length, shown.boxes[shown.chosen].op, view.scale / before]);""")
        count, op, factor = json.loads(said)
        self.assertEqual((count, op), (1, "Mul"))
        self.assertAlmostEqual(factor, 1.3)

    def test_boxes_do_not_overlap(self):
        nodes, outputs = [ob.node("Relu", ["x"], ["v0"])], []
        for i in range(1, 60):
            nodes.append(ob.node("Add", [f"v{i - 1}", f"v{i // 2}"], [f"v{i}"], f"a node with a long name {i}"))
            if i % 7 == 0:
                nodes.append(ob.node("Neg", [f"v{i}"], [f"n{i}"]))
                outputs.append(ob.value_info(f"n{i}", [2]))
        model = ob.model(nodes, [ob.value_info("x", [2])], outputs + [ob.value_info("v59", [2])])
        _, said = self.drawn(self.page(model), """
            const b = shown.boxes.map((box, i) => [shown.x[i] - box.width / 2, shown.y[i] - 18, shown.x[i] + box.width / 2, shown.y[i] + 18]);
            let overlaps = 0, upwards = 0;
            b.forEach((p, i) => b.forEach((q, j) => { if (i < j && p[0] < q[2] && q[0] < p[2] && p[1] < q[3] && q[1] < p[3]) ++overlaps; }));
            shown.edges.forEach(([from, to]) => { if (shown.y[from] >= shown.y[to]) ++upwards; });
            document.documentElement.dataset.said = `${b.length} ${overlaps} ${upwards}`;""")
        self.assertEqual(said, f"{len(nodes) + 1 + len(outputs) + 1} 0 0")


if __name__ == "__main__":
    CLI, CHROMIUM = sys.argv[1], shutil.which(sys.argv[2]) if sys.argv[2] else None
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])

"""onnx-run test: folders of cases, tolerances, reports, the time limit."""

import json
import xml.etree.ElementTree
import unittest

import onnx_bytes as ob
from cli_case import MISMATCH, USAGE, CliCase


def number_bool():
    return ob.number(2, ob.BOOL) + ob.data(9, b"\1")


class Suite(CliCase):
    def case(self, name, expected=(11, 22, 33)):
        sets = f"suite/kind/{name}/test_data_set_0/"
        self.write(f"suite/kind/{name}/model.onnx", ob.sums())
        self.write(sets + "input_0.pb", ob.tensor([1, 2, 3], [1, 3], name="x"))
        self.write(sets + "input_1.npy", ob.npy([10, 20, 30], [1, 3]))
        self.write(sets + "output_0.pb", ob.tensor(expected, [1, 3], name="z"))
        self.write(sets + "output_1.pb", ob.tensor([10, 40, 90], [1, 3]))
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

    def test_files_must_be_as_many_as_inputs_and_outputs(self):
        suite = self.case("good")
        folder = suite / "kind/good/test_data_set_0"
        for surplus in ("output_2.pb", "input_2.npy"):
            (folder / surplus).write_bytes(b"")
            self.assertIn("3 files", self.call("test", suite, code=MISMATCH))
            (folder / surplus).unlink()
        for missing in ("output_0.pb", "output_1.pb", "input_1.npy"):
            (folder / missing).rename(folder / "kept")
            self.assertIn("1 files", self.call("test", suite, code=MISMATCH))
            (folder / "kept").rename(folder / missing)
        self.call("test", suite)

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
        self.write("suite/kind/endless/test_data_set_0/output_0.pb", ob.tensor([1], [1]))
        text = self.call("test", suite, "--timeout", 1, code=MISMATCH)
        self.assertIn("kind/endless: took longer than 1 s", text)
        self.assertEqual(text.splitlines()[-1], "1 passed, 1 failed, 0 skipped")


if __name__ == "__main__":
    unittest.main()

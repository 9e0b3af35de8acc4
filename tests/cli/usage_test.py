"""Help, wrong arguments and the list of providers."""

import json
import subprocess
import unittest

import onnx_bytes as ob
from cli_case import CLI, RUN, USAGE, CliCase


class Usage(CliCase):
    def test_help_and_version(self):
        self.assertIn("Exit codes: 0 ok", self.call("--help"))
        self.assertIn("onnx-run 0.", self.call("--version"))
        for command in ("edit", "run", "test", "inspect", "check", "optimize", "convert", "bench", "profile", "providers"):
            self.assertIn("--", self.call(command, "--help"))

    def test_wrong_arguments(self):
        model = self.write("m.onnx", ob.sums())
        for args in ([], ["fly"], ["run"], ["run", model, "--level", "9"], ["run", model, "--threads", "0"], ["run", model, "--repeat", "x"],
                     ["run", model, "--quiet", "--verbose"], ["test"], ["run", model, "--speed"], ["run", model, "--max-memory", "much"]):
            self.call(*args, code=USAGE)
        self.call("run", model, "--provider", "npu", code=USAGE, says=["npu", "cpu"])
        self.call("test", self.dir, "--provider", "npu", code=USAGE, says="npu")
        self.call("run", model, "--precision", "lowest", code=USAGE, says=["--precision", "medium"])
        self.call("run", model, "--dim", "batch", code=USAGE, says="NAME=VALUE")
        self.call("run", model, "--dim", "m=4", code=USAGE, says=["'m'", "n"])
        self.call("providers", "--provider-library", "/nowhere.so", code=USAGE, says="/nowhere.so")

    def test_unknown_commands_are_named(self):
        self.call("frob", code=USAGE, says=["'frob'", "inspect"])

    def test_output_that_cannot_be_written(self):
        model = self.write("m.onnx", ob.sums())
        for args in (["run", model], ["inspect", model], ["inspect", model, "--json"], ["check", model], ["providers"], ["--help"]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([CLI, *args], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, RUN, args)
            self.assertIn("standard output", done.stderr)

    def test_providers(self):
        self.assertIn("cpu:", self.call("providers"))
        self.assertEqual(json.loads(self.call("providers", "--json"))["providers"][0]["name"], "cpu")


if __name__ == "__main__":
    unittest.main()

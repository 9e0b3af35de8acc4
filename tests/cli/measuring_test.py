"""onnx-run bench and profile."""

import json
import resource
import subprocess
import unittest

import onnx_bytes as ob
from cli_case import CLI, MODEL, OK, USAGE, CliCase


class Measuring(CliCase):
    def setUp(self):
        super().setUp()
        self.model = self.write("m.onnx", ob.sums())

    def test_bench(self):
        report = json.loads(self.call("bench", self.model, "--runs", 40, "--warmup", 0, "--batch", 4, "--percentiles", "50,99.9", "--json", "--csv", self.dir / "times.csv"))
        self.assertEqual(report["runs"], 40)
        self.assertTrue(all("[4,3]" in text for text in report["inputs"].values()), report["inputs"])
        times = report["latency_ms"]
        self.assertEqual(list(times), ["min", "mean", "p50", "p99.9", "max"])
        self.assertTrue(0 < times["min"] <= times["p50"] <= times["p99.9"] <= times["max"])
        lines = (self.dir / "times.csv").read_text().splitlines()
        self.assertEqual(len(lines), 41)
        measured = sorted(float(line.split(",")[1]) for line in lines[1:])
        self.assertAlmostEqual(measured[19], times["p50"], places=5)  # the 20th of 40
        self.assertAlmostEqual(measured[-1], times["max"], places=5)

    def test_bench_with_callers(self):
        report = json.loads(self.call("bench", self.model, "--runs", 50, "--concurrency", 3, "--streams", 2, "--rate", 1000, "--json", "--csv", self.dir / "times.csv"))
        due = [float(line.split(",")[0]) for line in (self.dir / "times.csv").read_text().splitlines()[1:]]
        self.assertEqual(due, [float(i) for i in range(50)])  # a millisecond apart, whenever they ended
        self.assertEqual((report["runs"], report["concurrency"], report["streams"]), (50, 3, 2))
        self.assertIn("3 callers", self.call("bench", self.model, "--runs", 3, "--concurrency", 3))

    def test_bench_errors(self):
        for args in (["--concurrency", "0"], ["--rate", "-1"], ["--percentiles", "101"], ["--batch", "x"]):
            self.call("bench", self.model, *args, code=USAGE)
        self.call("bench", self.model, "--max-memory", "1", code=MODEL)
        self.call("bench", self.dir / "absent.onnx", code=MODEL, says="absent.onnx")

    def test_profile(self):
        said = self.call("profile", self.model, "--trace", self.dir / "trace.json")
        self.assertRegex(said, r"by operator.*\n .* ms +\d+\.\d % +1 x +(\d+\.\d GFLOP/s)? +\d+\.\d GB/s  (Add|Mul)  cpu/")
        events = json.loads((self.dir / "trace.json").read_text())["traceEvents"]
        timed, counters = ([event for event in events if event["ph"] == kind] for kind in "XC")
        self.assertTrue(timed and all(event["dur"] >= 0 and event["ts"] >= 0 for event in timed))
        self.assertEqual(len(timed) + len(counters), len(events))
        steps = json.loads(self.call("profile", self.model, "--json"))["events"]
        self.assertEqual([step["op"] for step in steps], [event["name"] for event in timed])
        self.assertEqual([step["live_bytes"] for step in steps], [event["args"]["bytes"] for event in counters])
        self.assertTrue(all(step["operations"] > 0 and step["bytes"] > 0 for step in steps))

    def test_profile_of_a_long_name(self):
        """A loop whose node has a name of 100,000 characters: each iteration of it would take them again."""
        body = ob.data(1, ob.node("Add", ["v", "v"], ["w"], "n" * 100000)) + ob.data(2, "body")
        body += b"".join(ob.data(11, ob.value_info(n, [], kind)) for n, kind in (("i", ob.INT64), ("on", ob.BOOL), ("v", ob.FLOAT)))
        body += ob.data(12, ob.value_info("on", [], ob.BOOL)) + ob.data(12, ob.value_info("w", []))
        loop = ob.node("Loop", ["n", "", "x"], ["y"]) + ob.data(5, ob.data(1, "body") + ob.number(20, 5) + ob.data(6, body))
        weights = [ob.tensor([20000], [], ob.INT64, "n")]
        model = self.write("long.onnx", ob.model([loop], [ob.value_info("x", [])], [ob.value_info("y", [])], weights))
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))  # noqa: E731
        for runs in ("30", "1"):  # of which only the last is kept
            done = subprocess.run([CLI, "profile", model, "--runs", runs, "--warmup", "0", "--json"], capture_output=True, text=True, timeout=120, preexec_fn=limit)
            self.assertEqual(done.returncode, OK, done.stderr)
        names = [step["node"] for step in json.loads(done.stdout)["events"] if step["depth"] == 1]
        self.assertEqual(set(names), {"n" * 1000 + "..."})
        self.assertEqual(len(names), 20000)


if __name__ == "__main__":
    unittest.main()

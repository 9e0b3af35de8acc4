"""onnx-run on a machine where calls of the system fail, come back early or end the process."""

import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from cli_case import CLI, MODEL, OK, ROOT, CliCase  # noqa: E402

FAULTS = os.environ["FAULTY_CALLS"]
DIGITS = ROOT / "examples/digits/digits.onnx"
IMAGE = f"image={ROOT / 'examples/digits/7.png'}"


class Faults(CliCase):
    def with_faults(self, *args, **faults):
        environment = os.environ | {"LD_PRELOAD": FAULTS} | {f"FAULTY_{name.upper()}": str(value) for name, value in faults.items()}
        return subprocess.run([CLI, *map(str, args)], capture_output=True, text=True, errors="replace", timeout=300, env=environment)

    def external_model(self):
        """A model with its weights in a file of their own."""
        self.call("convert", DIGITS, "-o", self.dir / "split.onnx", "--external-data", "weights.bin")
        self.assertTrue((self.dir / "weights.bin").stat().st_size > 1000)
        return self.dir / "split.onnx"

    def probabilities(self, model, name, *more, **faults):
        done = self.with_faults("run", model, "--input", IMAGE, "--output-dir", self.dir / name, *more, **faults)
        self.assertEqual(done.returncode, OK, done.stderr)
        return (self.dir / name / "probabilities.npy").read_bytes()

    def test_short_and_interrupted_reads_and_writes_lose_nothing(self):
        model = self.external_model()
        expected = self.probabilities(model, "plain")
        self.call("convert", model, "-o", self.dir / "plain.onnx")
        for fault in ({"short": 1}, {"interrupt": 1}, {"short": 1, "interrupt": 1}, {"signals": 1}):
            with self.subTest(fault):
                self.assertEqual(self.probabilities(model, "faulty", "--strict", **fault), expected)
                done = self.with_faults("convert", model, "-o", self.dir / "faulty.onnx", **fault)
                self.assertEqual(done.returncode, OK, done.stderr)
                self.assertEqual((self.dir / "faulty.onnx").read_bytes(), (self.dir / "plain.onnx").read_bytes())

    def saving_fails(self, size, **fault):
        """Saves over a file; what it did. The old file must be there, whole."""
        old = self.write("saved.onnx", b"an older file")
        done = self.with_faults("convert", DIGITS, "-o", old, **fault)
        self.assertEqual(Path(old).read_bytes(), b"an older file", f"{fault} of {size} bytes")
        return done

    def test_a_full_disk_leaves_the_old_file(self):
        self.call("convert", DIGITS, "-o", self.dir / "whole.onnx")
        size = (self.dir / "whole.onnx").stat().st_size
        for full in (0, 1, 100, size // 2, size - 1):
            done = self.saving_fails(size, full=full)
            self.assertNotIn(done.returncode, (OK, -signal.SIGABRT, -signal.SIGSEGV))
            self.assertIn("saved.onnx': No space left on device", done.stderr)
        self.assertEqual({path.name for path in self.dir.iterdir()}, {"whole.onnx", "saved.onnx"})
        done = self.with_faults("convert", DIGITS, "-o", self.dir / "fits.onnx", full=size)
        self.assertEqual(done.returncode, OK, done.stderr)

    def test_a_full_disk_for_results(self):
        done = self.with_faults("run", DIGITS, "--input", IMAGE, "--output-dir", self.dir / "out", full=20)
        self.assertNotIn(done.returncode, (OK, -signal.SIGABRT, -signal.SIGSEGV))
        self.assertIn("probabilities.npy", done.stderr)

    def test_killed_in_the_middle_of_saving(self):
        self.call("convert", DIGITS, "-o", self.dir / "whole.onnx")
        size = (self.dir / "whole.onnx").stat().st_size
        for last in (1, size // 2, size - 1, size):
            self.assertEqual(self.saving_fails(size, kill=last).returncode, -signal.SIGKILL)

    def test_files_that_change_while_they_are_read(self):
        model = self.external_model()
        weights = self.dir / "weights.bin"
        for changing in (model, weights):
            whole = changing.read_bytes()
            for fault in ("change", "cut"):
                done = self.with_faults("run", model, "--input", IMAGE, "--strict", short=1, **{fault: changing})
                self.assertEqual(done.returncode, MODEL, f"{fault} {changing.name}: {done.stderr}")
                self.assertRegex(done.stderr, "changed while it was read|became shorter|beyond the end|has [0-9]+ bytes")
                changing.write_bytes(whole)

    def test_without_threads(self):
        expected = self.probabilities(DIGITS, "plain", "--threads", 4)
        self.assertEqual(self.probabilities(DIGITS, "alone", "--threads", 4, threads=1), expected)

    def test_where_nothing_can_be_written(self):
        for path in ("/proc/saved.onnx", self.dir / "no/such/folder.onnx", "/dev/null/saved.onnx"):
            done = self.with_faults("convert", DIGITS, "-o", path)
            self.assertNotIn(done.returncode, (OK, -signal.SIGABRT, -signal.SIGSEGV))
            self.assertIn(str(path), done.stderr)

    def test_provider_libraries_that_are_none(self):
        text = self.write("text.so", b"no library")
        for path, says in (("/nonexistent/provider.so", "/nonexistent/provider.so"), (text, "text.so"), (FAULTS, "onnxrun_provider")):
            done = self.with_faults("run", DIGITS, "--provider-library", path, "--provider", "other")
            self.assertNotIn(done.returncode, (OK, -signal.SIGABRT, -signal.SIGSEGV))
            self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()

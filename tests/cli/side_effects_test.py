"""onnx-run contacts nobody and writes nothing but what it was asked to write: seen with strace."""

import re
import shutil
import subprocess
import unittest

import onnx_bytes as ob
from cli_case import CLI, MODEL, OK, ROOT, RUN, CliCase

STRACE = shutil.which("strace")
CALLS = "network,open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,link,linkat,symlink,symlinkat,rename,renameat,renameat2,truncate"
CHANGES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|^\d+ +(creat|mk|link|symlink|rename|truncate)")
HARMLESS = re.compile(r'"/dev/(null|tty|shm)')


def can_trace():
    return STRACE is not None and subprocess.run([STRACE, "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


@unittest.skipUnless(can_trace(), "no strace here, or it may not trace")
class SideEffects(CliCase):
    def traced(self, *args, writes=None, code=OK):
        """Runs onnx-run; every change of the file system must lie at or below `writes`, which is left with nothing but what was asked for."""
        log = self.dir / "trace"
        before = {path for path in self.dir.rglob("*")}
        done = subprocess.run([STRACE, "-f", "-qq", "-s", "4096", "-e", f"trace={CALLS}", "-o", log, CLI, *map(str, args)],
                              capture_output=True, text=True, timeout=120, cwd=self.dir)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        lines = log.read_text(errors="replace").splitlines()
        self.assertTrue(any("openat(" in line for line in lines), "the trace holds nothing")
        log.unlink()
        for line in lines:
            self.assertNotRegex(line, r"^\d+ +(socket|connect|sendto|bind)\(")
            if CHANGES.search(line) and not HARMLESS.search(line):
                self.assertTrue(writes is not None and f'"{writes}' in line, f"{args[0]} did {line}")
        return {str(path.relative_to(self.dir)) for path in self.dir.rglob("*")} - {str(path.relative_to(self.dir)) for path in before}

    def test_reading_leaves_nothing(self):
        digits = ROOT / "examples/digits/digits.onnx"
        image = f"image={ROOT / 'examples/digits/7.png'}"
        for args in (["run", digits, "--input", image], ["check", digits, "--untrusted"], ["inspect", digits, "--explain", "--json"],
                     ["bench", digits, "--duration", "0.05"], ["profile", digits], ["providers"]):
            with self.subTest(args[0]):
                self.assertEqual(self.traced(*args), set())

    def test_writing_leaves_what_was_named(self):
        digits = ROOT / "examples/digits/digits.onnx"
        out = self.dir / "out"
        self.assertEqual(self.traced("run", digits, "--output-dir", out, writes=out), {"out", "out/probabilities.npy"})
        self.assertEqual(self.traced("optimize", digits, "-o", self.dir / "o.onnx", writes=self.dir / "o.onnx"), {"o.onnx"})
        self.assertEqual(self.traced("convert", digits, "-o", self.dir / "c.onnx", "--opset", "19", writes=self.dir / "c.onnx"), {"c.onnx"})

    def test_what_fails_leaves_nothing(self):
        bad = self.write("bad.onnx", b"\x08\x07garbage")
        self.assertEqual(self.traced("run", bad, "--output-dir", self.dir / "out", code=MODEL), set())
        self.assertEqual(self.traced("optimize", bad, "-o", self.dir / "o.onnx", code=MODEL), set())
        keys = ob.data(13, ob.data(1, "location") + ob.data(2, "../../etc/passwd"))
        weight = ob.number(1, 4) + ob.number(2, ob.FLOAT) + ob.data(8, "w") + keys + ob.number(14, 1)
        outside = ob.model([ob.node("Add", ["x", "w"], ["y"])], [ob.value_info("x", [4])], [ob.value_info("y", [4])], [weight])
        self.assertEqual(self.traced("check", self.write("outside.onnx", outside), "--untrusted", code=MODEL), set())
        endless = self.write("endless.onnx", ob.endless())
        self.assertEqual(self.traced("run", endless, "--timeout", "0.2", "--output-dir", self.dir / "late", writes=self.dir / "late", code=RUN) - {"late"}, set())


if __name__ == "__main__":
    unittest.main()

"""Runs the examples on models of the cache. What needs a model that is not fetched, or a program that is not installed, is skipped and named.

Arguments: the source and the build directory.
"""

import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SOURCE, BUILD = map(Path, sys.argv[1:3])
CACHE = Path(os.environ.get("ONNXRUN_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onnxrun")


def run(program, *arguments, text=None, code=0):
    done = subprocess.run([str(program), *map(str, arguments)], input=text, capture_output=True, text=True, timeout=600)
    assert done.returncode == code, f"{program} {' '.join(map(str, arguments))} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def example(name, *arguments, **options):
    return run(BUILD / "examples" / name, *arguments, **options)


def tool(*arguments, **options):
    return run(BUILD / "bin/onnx-run", *arguments, **options)


class Case(unittest.TestCase):
    def model(self, name, what):
        path = CACHE / name / "model.onnx"
        if not path.exists():
            self.skipTest(f"{path} is not there; ./dev fetch {what} fetches it")
        return path


class Pictures(Case):
    def test_digits_are_told_apart(self):
        for digit in "02357":
            out = example("digits", SOURCE / "examples/digits/digits.onnx", SOURCE / f"examples/digits/{digit}.png").stdout
            self.assertRegex(out, rf"(?m)^{digit} .*<-$")

    def test_text_is_read(self):
        model = self.model("models/ppocrv4_rec", "models")
        out = example("read_text", model, SOURCE / "examples/read_text/hello.png").stdout
        self.assertIn("confidence", out)


class Embeddings(Case):
    CAT, DOG, MARKET = ("101 1037 4937 2003 5777 102", "101 1037 3899 2003 5777 102", "101 1996 4518 3006 3062 2651 1999 2899 102")

    def test_like_texts_are_more_alike_however_they_are_batched(self):
        model = self.model("models/minilm_l6_v2", "models")
        texts = [self.CAT, self.DOG, self.MARKET]
        done = example("embeddings", model, text="\n".join(texts * 8))
        numbers = list(map(float, done.stdout.split()))
        self.assertEqual(len(numbers), 24)
        self.assertAlmostEqual(numbers[0], 1, places=4)
        self.assertGreater(numbers[1], numbers[2] + 0.3)
        for i, number in enumerate(numbers):
            self.assertAlmostEqual(number, numbers[i % 3], places=3)
        self.assertIn('onnxrun_run_seconds_count{session="embeddings"}', done.stderr)

    def test_bad_input_is_named(self):
        model = self.model("models/minilm_l6_v2", "models")
        self.assertIn("is no list", example("embeddings", model, text="101 cat 102", code=1).stderr)
        self.assertIn("999999999", example("embeddings", model, text="101 999999999 102", code=1).stderr)


def wav(samples, rate):
    data = struct.pack(f"<{len(samples)}h", *samples)
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
            + b"data" + struct.pack("<I", len(data)) + data)


class Speech(Case):
    def setUp(self):
        self.vad = self.model("models/silero_vad", "models")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def stretches(self, data):
        path = self.folder / "sound.wav"
        path.write_bytes(data)
        return [tuple(map(float, line.split())) for line in example("find_speech", self.vad, path).stdout.splitlines()]

    def test_words_are_found_between_silence(self):
        speaker = shutil.which("espeak-ng")
        if not speaker:
            self.skipTest("espeak-ng is not installed")
        path = self.folder / "words.wav"
        run(speaker, "-w", path, "The quick brown fox jumps over the lazy dog, and then it does so again.")
        spoken = path.read_bytes()
        rate = struct.unpack_from("<I", spoken, 24)[0]
        words = struct.unpack(f"<{(len(spoken) - 44) // 2}h", spoken[44:44 + (len(spoken) - 44) // 2 * 2])
        length = len(words) / rate
        pause = [0] * (2 * rate)
        found = self.stretches(wav([*pause, *words, *pause, *words], rate))
        self.assertGreaterEqual(len(found), 2)
        for begin, end in found:
            self.assertTrue(any(start - 0.3 <= begin < end <= start + length + 0.3 for start in (2, 4 + length)), found)
        self.assertGreater(sum(end - begin for begin, end in found), length)

    def test_silence_and_tones_are_no_speech(self):
        self.assertEqual(self.stretches(wav([0] * 32000, 16000)), [])
        self.assertEqual(self.stretches(wav([int(9000 * math.sin(i * 0.4)) for i in range(32000)], 16000)), [])
        self.assertEqual(self.stretches(wav([], 8000)), [])

    def test_files_that_are_no_sound_are_refused(self):
        path = self.folder / "sound.wav"
        for data in (b"", b"RIFF", wav([1] * 10, 16000)[:30], b"RIFF0000WAVEfmt \xff\xff\xff\xff"):
            path.write_bytes(data)
            self.assertTrue(example("find_speech", self.vad, path, code=1).stderr.strip())


class Generation(Case):
    PROMPT = "1 17 200 42 9"

    def tokens(self, model, *flags, text=PROMPT):
        return example("generate", model, *flags, text=text)

    def test_in_place_and_by_hand_agree(self):
        model = self.model("exports/genai_llama_fp32", "exports")
        done = self.tokens(model, "--tokens", 12)
        self.assertIn("in place", done.stderr)
        tokens = done.stdout.split()
        self.assertEqual(len(tokens), 12)
        # The token after a longer prompt is what generation came to step by step.
        again = self.tokens(model, "--tokens", 1, text=self.PROMPT + " " + " ".join(tokens[:7])).stdout.split()
        self.assertEqual(again, tokens[7:8])

    def test_keys_and_values_are_handed_on(self):
        model = self.model("exports/llama_60m_kv_ts", "exports")
        done = self.tokens(model, "--tokens", 4)
        self.assertIn("handed on", done.stderr)
        tokens = done.stdout.split()
        again = self.tokens(model, "--tokens", 1, text=self.PROMPT + " " + " ".join(tokens[:3])).stdout.split()
        self.assertEqual(again, tokens[3:4])

    def test_sampling_depends_on_the_seed_and_its_limits(self):
        model = self.model("exports/genai_llama_fp32", "exports")
        def sampled(*flags):
            return self.tokens(model, "--temperature", 5, *flags).stdout
        greedy = self.tokens(model).stdout
        self.assertEqual(sampled("--seed", 3), sampled("--seed", 3))
        self.assertNotEqual(sampled("--seed", 3), sampled("--seed", 4))
        self.assertEqual(sampled("--top-k", 1), greedy)
        self.assertEqual(sampled("--top-p", 0), greedy)
        self.assertNotEqual(sampled("--top-k", 50), greedy)

    def test_bad_input_is_named(self):
        model = self.model("exports/genai_llama_fp32", "exports")
        self.assertIn("no token ids", example("generate", model, text="", code=1).stderr)
        self.assertIn("--top-k", example("generate", model, "--top-k", "many", text="1", code=1).stderr)
        self.assertIn("past_key_values", example("generate", SOURCE / "examples/digits/digits.onnx", text="1", code=1).stderr)


class Extensions(Case):
    MODEL = SOURCE / "examples/custom_operator/geglu.txt"
    OPS = BUILD / "examples/custom_operator.so"
    PROVIDER = BUILD / "examples/custom_provider.so"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def outputs(self, values, *flags):
        """y for the rows of `values`, four numbers each."""
        flat = [number for row in values for number in row]
        (self.folder / "x.raw").write_bytes(struct.pack(f"<{len(flat)}f", *flat))
        tool("run", self.MODEL, "--op-library", self.OPS, "--dim", f"batch={len(values)}", "--input", f"x={self.folder / 'x.raw'}",
             "--output-dir", self.folder, "--quiet", *flags)
        data = (self.folder / "y.npy").read_bytes()
        return struct.unpack(f"<{len(flat)}f", data[10 + int.from_bytes(data[8:10], "little"):])

    def test_the_operator_runs(self):
        rows = [[1, -2, 0.5, 3], [0, 1, 2, -1]]
        found = self.outputs(rows)
        for number, x in zip(found, (x for row in rows for x in row)):
            self.assertAlmostEqual(number, 0.5 * x * (x * (1 + math.erf(2 * x / math.sqrt(2)))), places=5)
        self.assertIn("float32[batch,4]", tool("inspect", self.MODEL, "--op-library", self.OPS, "--shapes").stdout)

    def test_the_operator_is_saved_with_its_domain(self):
        path = self.folder / "gated.onnx"
        tool("convert", self.MODEL, "-o", path, "--op-library", self.OPS)
        self.assertIn("example 1", tool("inspect", path, "--op-library", self.OPS).stdout)

    def test_the_operator_is_unknown_without_its_library(self):
        self.assertIn("GeGlu", tool("run", self.MODEL, code=3).stderr)
        self.assertIn("/nowhere.so", tool("run", self.MODEL, "--op-library", "/nowhere.so", code=2).stderr)
        self.assertIn("onnxrun_ops_create", tool("run", self.MODEL, "--op-library", self.PROVIDER, code=2).stderr)

    def test_the_provider_takes_products_and_leaves_the_rest(self):
        rows = [[1, -2, 0.5, 3]]
        exact = self.outputs(rows)
        flags = ["--level", 0, "--provider", "fixed", "--provider", "cpu", "--provider-library"]
        for bits, places in ((8, 2), (16, 4)):
            for a, b in zip(exact, self.outputs(rows, *flags, f"{self.PROVIDER},bits={bits}")):
                self.assertAlmostEqual(a, b, places=places)
        steps = tool("inspect", self.MODEL, "--op-library", self.OPS, "--explain", *flags, self.PROVIDER).stdout
        self.assertRegex(steps, r"MatMul.*fixed")
        self.assertRegex(steps, r"GeGlu.*cpu")
        self.assertIn("bits may be", tool("providers", "--provider-library", f"{self.PROVIDER},bits=9", code=2).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

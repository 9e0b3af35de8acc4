"""onnxrun.quantize."""

import unittest
from pathlib import Path

import numpy as np
import onnx
import onnxrun

DIGITS = Path(__file__).resolve().parents[2] / "examples/digits/digits.onnx"


def pictures(count):
    rng = np.random.default_rng(1)
    return [{"image": rng.uniform(0, 1, (1, 1, 8, 8)).astype(np.float32)} for _ in range(count)]


class Quantizing(unittest.TestCase):
    def distance(self, model):
        (sample,) = pictures(1)
        before, after = (onnxrun.Session(each).run(sample)["probabilities"] for each in (DIGITS, model))
        return float(np.abs(before - after).max())

    def test_weights(self):
        made = onnxrun.quantize(DIGITS, type="int4", block=16)
        self.assertEqual(made.report["type"], "int4")
        self.assertTrue(0 < self.distance(made.model) < 0.1)
        self.assertLess(len(made.model.to_bytes()), DIGITS.stat().st_size / 4)
        onnx.checker.check_model(made.model.to_proto())

    def test_static_from_a_list_and_from_a_function(self):
        samples = pictures(4)
        made = [onnxrun.quantize(onnxrun.Model(DIGITS), given, mode="static", method="percentile", percentile=99.9)
                for given in (samples, iter(samples), lambda i: samples[i] if i < len(samples) else None)]
        self.assertEqual(len({each.model.to_bytes() for each in made}), 1)
        self.assertEqual(made[0].report["samples"], 4)
        self.assertTrue(0 < self.distance(made[0].model) < 0.1)
        self.assertGreater(made[0].report["error"], 0)

    def test_refusals(self):
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "samples are needed"):
            onnxrun.quantize(DIGITS, mode="static")
        with self.assertRaisesRegex(onnxrun.InvalidArgument, "image"):
            onnxrun.quantize(DIGITS, [{"image": np.zeros((1, 1, 8, 9), np.float32)}], mode="static")
        with self.assertRaisesRegex(onnxrun.Unsupported, "quantised already"):
            onnxrun.quantize(onnxrun.quantize(DIGITS).model)
        with self.assertRaises(TypeError):
            onnxrun.quantize(DIGITS, bits=4)

    def test_an_error_of_the_samples_is_raised(self):
        def fails(index):
            raise LookupError("no disk")

        with self.assertRaisesRegex(LookupError, "no disk"):
            onnxrun.quantize(DIGITS, fails, mode="static")


if __name__ == "__main__":
    unittest.main()

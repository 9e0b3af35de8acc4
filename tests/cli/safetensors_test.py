"""onnx-run edit: weights to and from .safetensors."""

import json
import unittest

import onnx_bytes as ob
from cli_case import MODEL, USAGE
from editing_case import EditingCase


class Safetensors(EditingCase):
    def test_weights_go_to_safetensors_and_back(self):
        large = ob.model([ob.node("Add", ["x", "w"], ["y"])], [ob.value_info("x", [1, 512])], [ob.value_info("y", [1, 512])],
                         [ob.tensor([3] * 512, [512], name="w")])
        model, weights, bare = self.write("large.onnx", large), self.dir / "w.safetensors", self.dir / "bare.onnx"
        self.assertIn("1 tensors", self.call("edit", model, "-o", bare, "--save-weights", weights, "--strip-weights"))
        self.assertLess(bare.stat().st_size, 600)
        data = weights.read_bytes()
        length = int.from_bytes(data[:8], "little")
        self.assertEqual(json.loads(data[8:8 + length]), {"w": {"dtype": "F32", "shape": [512], "data_offsets": [0, 2048]}})
        self.assertEqual(len(data), 8 + length + 2048)
        x = self.write("wide.npy", ob.npy([0] * 512, [1, 512]))
        for source in (bare, model):
            self.call("edit", source, "-o", self.out, "--load-weights", weights)
            self.assertEqual(self.result(given=f"x={x}"), [3] * 512)

    def test_safetensors_are_checked(self):
        def file(header, data=b"\0" * 8):
            text = header if isinstance(header, bytes) else json.dumps(header).encode()
            return len(text).to_bytes(8, "little") + text + data

        def one(dtype="F32", shape=(2,), offsets=(0, 8)):
            return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}

        for content, says in (
            (b"", "shorter"), (b"\xff" * 16, "header"), ((1 << 40).to_bytes(8, "little"), "header"), (file(b"{"), "no JSON"), (file(b"[]"), "no JSON object"),
            (file(b"[" * 100000), "deep"), (file(b'{"b": 1}'), "'b'"), (file({"b": {"dtype": "F32"}}), "shape"), (file({"b": one("F99")}), "F99"),
            (file({"b": one(3)}), "dtype"), (file({"b": one(shape=(-2,))}), "shape"), (file({"b": one(shape=(1 << 62, 8))}), "shape"),
            (file({"b": one(offsets=(0, 9))}), "beyond"), (file({"b": one(offsets=(8, 0))}), "beyond"), (file({"b": one(shape=(3,))}), "12"),
            (file({"b": one(offsets=(0, 1 << 63))}), "beyond"), (file({"b": one(), "c": one()}), "overlaps"),
            (file({"b": one(shape=(1,), offsets=(4, 8))}), "gap"), (file({"b": one(shape=(1,), offsets=(0, 4))}), "follow"),
            (file(b'{"b": %s, "b": %s}' % ((json.dumps(one()).encode(),) * 2)), "twice"), (file({"b": one("BOOL", (8,))}, b"\2" * 8), "neither true nor false"),
        ):  # fmt: skip
            with self.subTest(content[:60]):
                self.call("edit", self.model, "-o", self.out, "--load-weights", self.write("bad.safetensors", content), code=MODEL, says=says)
        for content, says in ((file({"b": one("I32")}), ["int32[2]", "float32[2]"]), (file({"q": one()}), "'q'"), (file({"b": one(shape=(1, 2))}), ["[1,2]", "[2]"])):
            self.call("edit", self.model, "-o", self.out, "--load-weights", self.write("bad.safetensors", content), code=USAGE, says=says)
        self.assertFalse(self.out.exists())
        self.edit("--load-weights", self.write("good.safetensors", file({"__metadata__": {"b": "text"}, "b": one()})))
        plain = self.result()
        self.edit("--constant", "b=" + self.write("b.npy", ob.npy([0, 0], [2])))
        self.assertEqual(self.result(), plain)


if __name__ == "__main__":
    unittest.main()

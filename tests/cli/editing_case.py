"""What the tests of onnx-run edit share."""

import onnx_bytes as ob
from cli_case import CliCase
from small_models import chain


class EditingCase(CliCase):
    """A chain of nodes to edit, and a way to run the result."""

    def setUp(self):
        super().setUp()
        self.model = self.write("m.onnx", chain())
        self.out = self.dir / "out.onnx"
        self.x = self.write("x.npy", ob.npy([1, 1], [1, 2]))

    def edit(self, *args):
        return self.call("edit", self.model, "-o", self.out, *args)

    def result(self, name="y", model=None, given=None):
        folder = self.dir / "results"
        self.call("run", model or self.out, "--quiet", "--input", given or f"x={self.x}", "--output-dir", folder)
        return ob.read_npy((folder / f"{name}.npy").read_bytes())[0]

"""Small models for the tests, from ONNX's text form."""

import onnx.parser


def parse(text):
    """The bytes of a model of IR version 10 and opset 21, with ai.onnx.ml 5; `text` is its graph."""
    head = '<ir_version: 10, opset_import: ["" : 21, "ai.onnx.ml" : 5]>\n'
    return onnx.parser.parse_model(head + text).SerializeToString()


ADD = parse("sums (float[n,3] x, float[n,3] y) => (float[n,3] z) { z = Add(x, y) }")


def identity(dtype, shape="n"):
    """A model that gives its input `x` back as `y`."""
    return parse(f"same ({dtype}[{shape}] x) => ({dtype}[{shape}] y) {{ y = Identity(x) }}")


# A loop whose number of turns is its input: seconds of work in a few bytes.
LONG = parse("""
long (int64 turns, float[n] x) => (float[n] y) {
  yes = Constant <value_int: int = 1> ()
  go = Cast <to = 9> (yes)
  y = Loop (turns, go, x) <body = turn (int64 i, bool c, float[n] before) => (bool c_out, float[n] after) {
    c_out = Identity(c)
    s = Sin(before)
    after = Cos(s)
  }>
}""")

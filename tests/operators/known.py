"""Where the references are not the standard, each with the reason, and what is tested elsewhere."""

# Operators whose tests are not models of one node.
ELSEWHERE = {"ImageDecoder": "tests/cpu/image_test.cpp and the official suite"}

REMARKS = {("ai.onnx.preview.training", "Gradient"): "training is out of scope: an error says so"}

# onnx.reference, where ONNX Runtime agrees with us.
DISPUTES = {
    "GridSample": "cubic with padding border: onnx.reference moves the sampled place to the border, ONNX Runtime and PyTorch each of its neighbours",
}


def disputed(gen):
    return gen.op in DISPUTES

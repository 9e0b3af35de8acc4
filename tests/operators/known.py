"""Where references and the standard differ, each with the reason, and what is tested elsewhere."""

# Operators whose tests are not one-node models: (operator) or (operator, version) and where.
ELSEWHERE = {"ImageDecoder": "tests/cpu/image_test.cpp and the official suite"}

# onnx.reference, where ONNX Runtime agrees with us.
DISPUTES = {
    "GridSample": "cubic with padding border: onnx.reference moves the sampled place to the border, ONNX Runtime and PyTorch each of its neighbours",
}

REFUSED = {}

OPEN = {}


def disputed(gen, case):
    return DISPUTES.get((gen.op, gen.version)) or DISPUTES.get(gen.op)


def open_question(gen, case):
    return OPEN.get((gen.op, gen.version)) or OPEN.get(gen.op)


def refused(gen, case, message):
    return None

"""ONNX messages and .npy files written byte by byte, so that the tests need only Python itself."""

import struct

FLOAT, INT8, INT16, INT64, STRING, BOOL = 1, 3, 5, 7, 8, 9


def varint(value):
    out = b""
    value &= (1 << 64) - 1
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def data(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(values, dims, dtype=FLOAT, name=""):
    raw = struct.pack(f"<{len(values)}{'f' if dtype == FLOAT else 'q'}", *values)
    return b"".join(number(1, d) for d in dims) + number(2, dtype) + (data(8, name) if name else b"") + data(9, raw)


def value_info(name, dims, dtype=FLOAT):
    shape = b"".join(data(1, data(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return data(1, name) + data(2, data(1, number(1, dtype) + data(2, shape)))


def node(op, inputs, outputs, name="", domain=""):
    out = b"".join(data(1, i) for i in inputs) + b"".join(data(2, o) for o in outputs) + data(3, name) + data(4, op)
    return out + (data(7, domain) if domain else b"")


def model(nodes, inputs, outputs, initializers=(), opset=17):
    graph = b"".join(data(1, n) for n in nodes) + data(2, "g") + b"".join(data(5, t) for t in initializers)
    graph += b"".join(data(11, v) for v in inputs) + b"".join(data(12, v) for v in outputs)
    return number(1, 8) + data(2, "tests") + data(7, graph) + data(8, data(1, "") + number(2, opset))


def npy(values, dims, descr="<f4"):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': ({''.join(f'{d},' for d in dims)}), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    code = {"<f4": "f", "<f8": "d", "<i8": "q"}[descr]
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + struct.pack(f"<{len(values)}{code}", *values)


def read_npy(raw):
    size = struct.unpack("<H", raw[8:10])[0]
    header = eval(raw[10:10 + size])  # our own output
    code = {"<f4": "f", "<f8": "d", "<i8": "q"}[header["descr"]]
    body = raw[10 + size:]
    return list(struct.unpack(f"<{len(body) // struct.calcsize(code)}{code}", body)), header["shape"]


def sums():
    """z = x + y over [n, 3]; a second output has a name that no file can have."""
    nodes = [node("Add", ["x", "y"], ["z"], "add"), node("Mul", ["x", "y"], ["a/b:0"], "mul")]
    return model(nodes, [value_info("x", ["n", 3]), value_info("y", ["n", 3])], [value_info("z", ["n", 3]), value_info("a/b:0", ["n", 3])])


def endless():
    """A Loop that never ends; y has the shape [1]."""
    body = data(1, node("Identity", ["on"], ["still_on"])) + data(1, node("Identity", ["v"], ["same"])) + data(2, "body")
    body += data(11, value_info("i", [], INT64)) + data(11, value_info("on", [], BOOL)) + data(11, value_info("v", [1]))
    body += data(12, value_info("still_on", [], BOOL)) + data(12, value_info("same", [1]))
    loop = node("Loop", ["", "go", "x"], ["y"], "forever") + data(5, data(1, "body") + number(20, 5) + data(6, body))
    return model([loop], [value_info("go", [], BOOL), value_info("x", [1])], [value_info("y", [1])])

"""Cases of operators: random models of one node at one version, and values for their inputs."""

import zlib
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, defs, helper

NEWEST = 28
SHAPES = [(), (1,), (7,), (3, 5), (2, 3, 4), (0,), (2, 0, 3), (1, 17), (2, 1, 3, 5), (33, 5)]

GENERATORS = {}


def operator(*names, domain=""):
    """Registers a generator: a function of a Gen that yields Cases of the operators named."""

    def register(function):
        for name in names:
            GENERATORS.setdefault((domain, name), []).append(function)
        return function

    return register


@dataclass
class Case:
    inputs: list  # arrays; None: absent; lists: sequences
    attributes: dict = field(default_factory=dict)
    outputs: int = 1
    expect: object = None  # a function of the inputs that returns one array or a tuple; None: onnx.reference decides
    rtol: float = None  # of float32; other types follow
    atol: float = None
    magnitude: float = 0  # of intermediate results, whose rounding shows
    slack: int = 0  # by which integers may differ that are rounded from real numbers
    twin: tuple = None  # (version, attributes[, inputs]) that mean the same, for onnx.reference
    single: bool = False  # references compute float64 in float32
    check: object = None  # instead of a comparison: a function of the outputs that returns what is wrong or None
    types: dict = field(default_factory=dict)  # TypeProto of input i where it does not follow from the array
    constants: object = None  # which inputs are initializers; None: by chance
    ignore: tuple = ()  # outputs that the standard leaves open
    judge: str = "NumPy"  # who gives what `expect` returns
    refused: str = None  # words of the error that must come instead of results


class Gen:
    """What a generator draws from: one operator at one version."""

    def __init__(self, name, version, domain="", seed=0):
        self.op, self.version, self.domain, self.seed = name, version, domain, seed
        self.schema = defs.get_schema(name, version, domain)
        self.rng = np.random.default_rng([zlib.crc32(f"{domain}.{name}".encode()), version, seed])

    def types(self, index=0, outputs=False):
        """Element types of tensors that the schema allows for an input (or output), as numpy dtypes."""
        ports = self.schema.outputs if outputs else self.schema.inputs
        port = ports[min(index, len(ports) - 1)]
        # complex numbers are compared as such by the operators that have them.
        return [dtype for dtype in map(to_dtype, sorted(port.types)) if dtype is not None]

    def floats(self, index=0):
        return [t for t in self.types(index) if is_float(t)]

    def pick(self, options):
        return options[int(self.rng.integers(len(options)))]

    def chance(self, p=0.5):
        return bool(self.rng.random() < p)

    def some(self, options, count):
        order = self.rng.permutation(len(options))[:count]
        return [options[i] for i in sorted(order)]

    def dims(self, rank, least=1, most=6):
        return tuple(int(d) for d in self.rng.integers(least, most + 1, rank))

    def shapes_for(self, dtype, count=3):
        """All shapes for float32, some for the others."""
        return SHAPES if dtype == np.float32 else self.some(SHAPES, count)

    def array(self, dtype, shape, low=-4, high=4):
        dtype = np.dtype(dtype)
        if dtype == object:
            words = np.array(["", "a", "Ab", "zeta", "ß", "snö", "a b"], dtype=object)
            return words[self.rng.integers(len(words), size=shape)] if shape != () else np.array(self.pick(list(words)), dtype=object)
        if dtype == bool:
            return self.rng.integers(2, size=shape).astype(bool)
        if dtype.kind == "c":
            return (self.rng.uniform(low, high, shape) + 1j * self.rng.uniform(low, high, shape)).astype(dtype)
        if is_integer(dtype):
            least, most = integer_range(dtype)
            return np.asarray(self.rng.integers(max(low, least), min(high, most), size=shape, endpoint=True)).astype(dtype)
        return np.asarray(self.rng.uniform(low, high, shape)).astype(dtype)

    def special(self, dtype, shape):
        """Floats among which are zeros of both signs, infinities and NaN."""
        values = np.asarray(self.array(dtype, shape))
        if values.size and is_float(values.dtype):
            flat = values.reshape(-1).copy()
            extremes = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0], dtype=np.float64).astype(values.dtype)
            for k, extreme in enumerate(extremes[: flat.size]):
                flat[(k * 3 + 1) % flat.size] = extreme
            values = flat.reshape(shape)
        return values

    def broadcast_pair(self, shape):
        """Two shapes that broadcast to about `shape`."""
        def thin(dims):
            dims = tuple(1 if self.chance(0.3) else d for d in dims)
            return dims[int(self.rng.integers(0, len(dims) + 1)):] if self.chance(0.3) else dims

        return (shape, thin(shape)) if self.chance() else (thin(shape), shape)

    def permuted(self, rank):
        return [int(p) for p in self.rng.permutation(rank)]

    def axis(self, rank):
        return int(self.rng.integers(-rank, rank)) if self.version >= 11 else int(self.rng.integers(0, rank))


def is_float(dtype):
    return np.dtype(dtype).name in ("float16", "bfloat16", "float32", "float64")


def is_integer(dtype):
    dtype = np.dtype(dtype)
    return dtype.kind in "iu" or dtype.name in ("int4", "uint4", "int2", "uint2")


def integer_range(dtype):
    import ml_dtypes

    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" and "int4" not in str(dtype) and "int2" not in str(dtype) else ml_dtypes.iinfo(dtype)
    return int(info.min), int(info.max)


def to_dtype(text):
    """The numpy dtype of "tensor(float)"; None for what is no tensor."""
    if not text.startswith("tensor("):
        return None
    name = text[len("tensor("):-1]
    if name == "string":
        return np.dtype(object)
    return helper.tensor_dtype_to_np_dtype(elem_type_of(name))


def elem_type_of(name):
    return getattr(TensorProto, {"float": "FLOAT", "double": "DOUBLE"}.get(name, name.upper()))


def elem_type(dtype):
    dtype = np.dtype(dtype)
    return TensorProto.STRING if dtype == object or dtype.kind in "US" else helper.np_dtype_to_tensor_dtype(dtype)


def type_of(value):
    if isinstance(value, list):
        return helper.make_sequence_type_proto(helper.make_tensor_type_proto(elem_type(value[0].dtype if value else np.float32), None))
    return helper.make_tensor_type_proto(elem_type(value.dtype), value.shape)


def build(gen, case, opset, variant):
    """A model of the case and what to feed it. `variant` chooses which inputs are initializers and how much of the shapes is declared."""
    from native import to_tensor

    names = ["" if value is None and i not in case.types else f"x{i}" for i, value in enumerate(case.inputs)]
    while names and names[-1] == "":
        names.pop()
    outputs = [f"y{i}" for i in range(case.outputs)]
    node = helper.make_node(gen.op, names, outputs, name="node", domain=gen.domain, **case.attributes)
    inputs, initializers, feeds = [], [], {}
    for i, name in enumerate(names):
        value = case.inputs[i]
        if not name:
            continue
        constant = i in case.constants if case.constants is not None else variant.random() < 0.25
        if constant and not isinstance(value, (list, dict)) and i not in case.types:
            initializers.append(to_tensor(value))
            initializers[-1].name = name
            continue
        kind = case.types.get(i) or type_of(value)
        if kind.HasField("tensor_type") and variant.random() < 0.5:
            for axis, dim in enumerate(kind.tensor_type.shape.dim):
                dim.dim_param = f"d{i}_{axis}"
        inputs.append(onnx.ValueInfoProto(name=name, type=kind))
        feeds[name] = value
    graph = helper.make_graph([node], "case", inputs, [onnx.ValueInfoProto(name=name) for name in outputs], initializers)
    imports = [helper.make_opsetid(gen.domain, opset)]
    if gen.domain:
        imports.append(helper.make_opsetid("", NEWEST))
    return helper.make_model(graph, opset_imports=imports, ir_version=13), feeds

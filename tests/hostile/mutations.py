"""Changes to a model and its inputs that leave it a well-formed message (attributes, shapes, types, names, values), and changes to bytes."""

import copy

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

INTEGERS = [0, 1, -1, 2, -2, 3, 7, 64, 65, 127, 255, 1000, -1000, 2**31 - 1, 2**31, -(2**31), 2**32, 2**33 + 1, 2**40, 2**62, -(2**62), 2**63 - 1, -(2**63)]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e30, -1e30, 3e38, float("inf"), float("-inf"), float("nan")]
TEXTS = [b"", b"linear", b"cubic", b"reflect", b"constant", b"edge", b"SAME_UPPER", b"SAME_LOWER", b"VALID", b"NOTSET", b"max", b"add", b"mean", b"\xff\xfe", b"a" * 70,
         b"(a*)*b", b"i,ij->j", b"...ii->", b"->", b"bidirectional", b"reverse", b"Tanh", b"half_pixel"]
MUTATIONS = []


def mutation(function):
    MUTATIONS.append(function)
    return function


class Subject:
    """A model with its inputs, {name: TensorProto or bytes of another kind}, under a random generator."""

    def __init__(self, model, feeds, rng):
        self.model, self.feeds, self.rng = copy.deepcopy(model), dict(feeds), rng

    def pick(self, options):
        return options[int(self.rng.integers(len(options)))]

    def chance(self, p=0.5):
        return bool(self.rng.random() < p)

    def nodes(self):
        found, graphs = [], [self.model.graph]
        while graphs:
            graph = graphs.pop()
            for node in graph.node:
                found.append(node)
                graphs += [a.g for a in node.attribute if a.type == AttributeProto.GRAPH]
        for function in self.model.functions:
            found += function.node
        return found

    def node(self):
        return self.pick(self.nodes() or [onnx.NodeProto()])

    def tensors(self):
        """Every tensor of numbers or text, with how to put another in its place."""
        found = [(t, t.CopyFrom) for t in self.model.graph.initializer]
        found += [(a.t, a.t.CopyFrom) for n in self.nodes() for a in n.attribute if a.type == AttributeProto.TENSOR]

        def replace(name):
            return lambda tensor: self.feeds.__setitem__(name, tensor)

        found += [(value, replace(name)) for name, value in self.feeds.items() if isinstance(value, TensorProto)] * 3
        return found


def array_of(tensor):
    try:
        return numpy_helper.to_array(tensor)
    except Exception:
        return None


def tensor_of(array, name, like):
    if array.dtype == object or array.dtype.kind in "SU":
        return TensorProto(data_type=TensorProto.STRING, dims=array.shape, name=name, string_data=[s if isinstance(s, bytes) else str(s).encode() for s in array.ravel()])
    result = numpy_helper.from_array(np.ascontiguousarray(array), name)
    if result.data_type == like.data_type or array.dtype != array_dtype(like):
        return result
    result.data_type = like.data_type
    return result


def array_dtype(tensor):
    try:
        return helper.tensor_dtype_to_np_dtype(tensor.data_type)
    except Exception:
        return None


@mutation
def attribute_value(s):
    node = s.node()
    if not node.attribute:
        return
    a = s.pick(node.attribute)
    if a.type == AttributeProto.INT:
        a.i = s.pick(INTEGERS)
    elif a.type == AttributeProto.FLOAT:
        a.f = s.pick(FLOATS)
    elif a.type == AttributeProto.STRING:
        a.s = s.pick(TEXTS)
    elif a.type in (AttributeProto.INTS, AttributeProto.FLOATS, AttributeProto.STRINGS):
        field, values = {AttributeProto.INTS: (a.ints, INTEGERS), AttributeProto.FLOATS: (a.floats, FLOATS), AttributeProto.STRINGS: (a.strings, TEXTS)}[a.type]
        change = s.pick(["set", "set", "set", "append", "drop", "clear", "all"])
        if change == "append" or not field:
            field.append(s.pick(values))
        elif change == "drop":
            field.pop()
        elif change == "clear":
            del field[:]
        elif change == "all":
            field[:] = [s.pick(values)] * len(field)
        else:
            field[int(s.rng.integers(len(field)))] = s.pick(values)


@mutation
def attribute_presence(s):
    node = s.node()
    if node.attribute and s.chance(0.7):
        del node.attribute[int(s.rng.integers(len(node.attribute)))]
        return
    # One that the operator knows and this node does not set.
    try:
        known = [a for name, a in onnx.defs.get_schema(node.op_type, domain=node.domain).attributes.items() if name not in {b.name for b in node.attribute}]
    except onnx.defs.SchemaError:
        return
    if not known:
        return
    wanted = s.pick(known)
    made = {"INT": s.pick(INTEGERS), "FLOAT": s.pick(FLOATS), "STRING": s.pick(TEXTS), "INTS": [s.pick(INTEGERS) for _ in range(int(s.rng.integers(1, 5)))],
            "FLOATS": [s.pick(FLOATS)], "STRINGS": [s.pick(TEXTS)]}.get(wanted.type.name)
    if made is not None:
        node.attribute.append(helper.make_attribute(wanted.name, made))


@mutation
def attribute_kind(s):
    node = s.node()
    if node.attribute:
        a = s.pick(node.attribute)
        other = helper.make_attribute(a.name, s.pick([1, 1.5, b"x", [1, 2], [0.5], [b"a"]]))
        a.CopyFrom(other)


@mutation
def tensor_shape(s):
    tensors = s.tensors()
    if not tensors:
        return
    tensor, put = s.pick(tensors)
    array = array_of(tensor)
    if array is None:
        return
    shape = list(array.shape)
    change = s.pick(["more", "less", "zero", "grow", "shrink", "flat", "scalar", "swap", "deep"])
    if change == "more":
        shape.insert(int(s.rng.integers(len(shape) + 1)), s.pick([1, 1, 2]))
    elif change == "less" and shape:
        shape.pop(int(s.rng.integers(len(shape))))
    elif change == "zero" and shape:
        shape[int(s.rng.integers(len(shape)))] = 0
    elif change == "grow" and shape:
        shape[int(s.rng.integers(len(shape)))] += s.pick([1, 1, 3])
    elif change == "shrink" and shape:
        k = int(s.rng.integers(len(shape)))
        shape[k] = max(0, shape[k] - s.pick([1, 1, 2]))
    elif change == "flat":
        shape = [array.size]
    elif change == "scalar":
        shape = []
    elif change == "swap":
        shape = shape[::-1]
    elif change == "deep":
        shape = [1] * s.pick([6, 12, 40, 70]) + shape
    count = int(np.prod(shape, dtype=np.int64))
    if count > 100_000 or len(shape) > 60 and array.ndim > 60:
        return
    flat = np.resize(array.ravel(), count) if array.size else np.zeros(count, array.dtype)
    made = tensor_of(flat, tensor.name, tensor)
    del made.dims[:]
    made.dims.extend(shape)
    put(made)


@mutation
def tensor_values(s):
    tensors = s.tensors()
    if not tensors:
        return
    tensor, put = s.pick(tensors)
    array = array_of(tensor)
    if array is None or array.size == 0:
        return
    array = array.copy()
    flat = array.reshape(-1)
    places = range(flat.size) if s.chance(0.2) else s.rng.integers(0, flat.size, int(s.rng.integers(1, 4)))
    value = None
    for place in places:
        if value is None or s.chance(0.8):
            if array.dtype == object or array.dtype.kind in "SU":
                value = s.pick(TEXTS)
            elif array.dtype.kind in "iu":
                info = np.iinfo(array.dtype)
                value = s.pick([info.min, info.max, 0, 1, *(v for v in INTEGERS if info.min <= v <= info.max)])
            elif array.dtype.kind == "b":
                value = s.chance()
            else:
                value = s.pick(FLOATS)
        try:
            with np.errstate(all="ignore"):
                flat[place] = value
        except Exception:
            return
    put(tensor_of(array, tensor.name, tensor))


@mutation
def tensor_type(s):
    tensors = s.tensors()
    if not tensors:
        return
    tensor, put = s.pick(tensors)
    array = array_of(tensor)
    target = s.pick([np.float32, np.float64, np.float16, np.int64, np.int32, np.int8, np.uint8, np.uint64, bool, object])
    if array is None:
        return
    try:
        with np.errstate(all="ignore"):
            put(tensor_of(array.astype(target), tensor.name, TensorProto(data_type=helper.np_dtype_to_tensor_dtype(np.dtype(target)))))
    except Exception:
        return
    if s.chance(0.7):
        for port in s.model.graph.input:
            if port.name == tensor.name or port.name in s.feeds and s.feeds[port.name] is tensor:
                port.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(target))


@mutation
def constant_input(s):
    names = [name for name, value in s.feeds.items() if isinstance(value, TensorProto)]
    if not names:
        return
    name = s.pick(names)
    made = TensorProto()
    made.CopyFrom(s.feeds.pop(name))
    made.name = name
    s.model.graph.initializer.append(made)
    ports = [p for p in s.model.graph.input if p.name != name]
    del s.model.graph.input[:]
    s.model.graph.input.extend(ports)


@mutation
def declared_shape(s):
    ports = [p for p in [*s.model.graph.input, *s.model.graph.output, *s.model.graph.value_info] if p.type.HasField("tensor_type")]
    if not ports:
        return
    tensor = s.pick(ports).type.tensor_type
    change = s.pick(["none", "symbols", "one", "extra", "rank"])
    if change == "none":
        tensor.ClearField("shape")
    elif change == "symbols":
        for k, dim in enumerate(tensor.shape.dim):
            dim.Clear()
            if s.chance():
                dim.dim_param = s.pick(["n", "m", f"d{k}"])
    elif change == "one" and tensor.shape.dim:
        s.pick(tensor.shape.dim).dim_value = s.pick([0, 1, 2, 5, -1, 2**31, 2**62])
    elif change == "extra":
        tensor.shape.dim.add().dim_value = s.pick([1, 0, 3])
    elif change == "rank" and tensor.shape.dim:
        tensor.shape.dim.pop()


@mutation
def inputs_of_a_node(s):
    node = s.node()
    if not node.input:
        return
    k = int(s.rng.integers(len(node.input)))
    change = s.pick(["absent", "drop", "swap", "same", "more", "other"])
    if change == "absent":
        node.input[k] = ""
    elif change == "drop":
        node.input.pop()
    elif change == "swap":
        j = int(s.rng.integers(len(node.input)))
        node.input[k], node.input[j] = node.input[j], node.input[k]
    elif change == "same":
        node.input[k] = node.input[int(s.rng.integers(len(node.input)))]
    elif change == "more":
        node.input.append(node.input[k])
    else:
        node.input[k] = s.pick([p.name for p in s.model.graph.input] + [o for n in s.nodes() for o in n.output] or [""])


@mutation
def outputs_of_a_node(s):
    node = s.node()
    if not node.output:
        return
    change = s.pick(["absent", "drop", "more", "same"])
    if change == "absent":
        node.output[int(s.rng.integers(len(node.output)))] = ""
    elif change == "drop":
        node.output.pop()
    elif change == "more":
        node.output.append(f"extra{int(s.rng.integers(1000))}")
    else:
        node.output[0] = node.output[-1]


@mutation
def opset(s):
    s.pick(s.model.opset_import).version = int(s.rng.integers(1, 29))


@mutation
def operator(s):
    node = s.node()
    names = [schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == node.domain]
    if names:
        node.op_type = s.pick(names)


# Those that reach kernels most often are tried most often.
WEIGHTS = {attribute_value: 5, tensor_values: 6, tensor_shape: 6, constant_input: 3, attribute_presence: 2, declared_shape: 2}
CHOICES = [m for m in MUTATIONS for _ in range(WEIGHTS.get(m, 1))]


def mutate(model, feeds, rng):
    """A changed copy: model and feeds."""
    subject = Subject(model, feeds, rng)
    if subject.chance(0.5):
        declared_free(subject)
    for _ in range(int(rng.integers(1, 5))):
        subject.pick(CHOICES)(subject)
    return subject.model, subject.feeds


def declared_free(s):
    """Takes the declared shapes away, so that other shapes get as far as the kernels."""
    for port in [*s.model.graph.input, *s.model.graph.output]:
        if port.type.HasField("tensor_type"):
            port.type.tensor_type.ClearField("shape")


def damage(data, rng):
    """Bytes with some bits flipped, or a part of them cut out, repeated or overwritten."""
    data = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        if not data:
            break
        begin = int(rng.integers(len(data)))
        end = min(len(data), begin + int(rng.integers(1, 24)))
        change = ["flip", "flip", "flip", "set", "cut", "repeat", "end"][int(rng.integers(7))]
        if change == "flip":
            for place in rng.integers(0, len(data), int(rng.integers(1, 5))):
                data[int(place)] ^= 1 << int(rng.integers(8))
        elif change == "set":
            data[begin:end] = bytes([[0, 1, 0x7F, 0x80, 0xFF][int(rng.integers(5))]]) * (end - begin)
        elif change == "cut":
            del data[begin:end]
        elif change == "repeat":
            data[end:end] = data[begin:end]
        else:
            del data[begin:]
    return bytes(data)

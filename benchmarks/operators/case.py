"""One operator with its inputs, as a model of one node."""

from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION, MICROSOFT_VERSION = 23, 11, 1

TYPES = {np.dtype(t): n for t, n in (("float32", "f32"), ("float16", "f16"), ("float64", "f64"), ("int32", "i32"), ("int64", "i64"), ("int8", "i8"), ("uint8", "u8"),
                                     ("bool", "bool"))}


@dataclass
class Input:
    """An input that is drawn when it is wanted; a fixed one becomes an initializer."""

    shape: tuple
    dtype: np.dtype
    draw: object
    fixed: bool = False

    def label(self):
        values = f"={self.draw(None).tolist()}" if self.fixed and np.prod(self.shape) <= 6 and self.dtype == np.int64 else ""
        return (values or f"{TYPES[self.dtype]}{list(self.shape)}").replace(" ", "")


@dataclass
class Case:
    op: str
    inputs: list
    attributes: dict = field(default_factory=dict)
    outputs: int = 1
    domain: str = ""

    @property
    def name(self):
        attributes = [f"{key}={value}".replace(" ", "") for key, value in self.attributes.items()]
        attributes += [f"outputs={self.outputs}"] if self.outputs > 1 else []
        return " ".join([self.op, *(i.label() if i else "-" for i in self.inputs), *attributes])

    def build(self):
        """The model, and the arrays to feed by their names."""
        rng = np.random.default_rng(0)
        feeds, initializers, ports, names = {}, [], [], []
        for index, given in enumerate(self.inputs):
            names.append(f"x{index}" if given else "")
            if not given:
                continue
            array = np.asarray(given.draw(rng), given.dtype).reshape(given.shape)
            if given.fixed:
                initializers.append(numpy_helper.from_array(array, names[-1]))
            else:
                feeds[names[-1]] = array
                ports.append(helper.make_tensor_value_info(names[-1], helper.np_dtype_to_tensor_dtype(array.dtype), array.shape))
        results = [f"y{index}" for index in range(self.outputs)]
        node = helper.make_node(self.op, names, results, domain=self.domain, **self.attributes)
        graph = helper.make_graph([node], self.op, ports, [helper.make_empty_tensor_value_info(name) for name in results], initializers)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", MICROSOFT_VERSION)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION), feeds


def drawn(dtype, *shape, low=None, high=None):
    """Numbers between low and high; floats without bounds are normal, integers up to 100."""
    dtype = np.dtype(dtype)

    def draw(rng):
        if dtype == np.bool_:
            return rng.random(shape) < 0.5
        if dtype.kind in "iu":
            return rng.integers(0 if low is None else low, 100 if high is None else high, shape)
        return rng.normal(size=shape) if low is None else rng.uniform(low, high, shape)

    return Input(shape, dtype, draw)


def f32(*shape, **bounds):
    return drawn(np.float32, *shape, **bounds)


def i64(*shape, **bounds):
    return drawn(np.int64, *shape, **bounds)


def fixed(values, dtype=np.int64):
    array = np.asarray(values, dtype)
    return Input(array.shape, array.dtype, lambda _: array, fixed=True)


def weight(*shape, dtype=np.float32):
    """A constant tensor, as a layer's weights are."""
    given = drawn(dtype, *shape)
    return Input(given.shape, given.dtype, given.draw, fixed=True)


def tensor_type(dtype):
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype)) if dtype is not None else TensorProto.UNDEFINED


def save(case, path):
    model, feeds = case.build()
    onnx.save(model, path)
    return feeds

"""Random models of one operator, with what is needed to compare their results."""

import random
import zlib

import ml_dtypes
import numpy as np
from onnx import TensorProto, helper

FLOATS = {"float32": (TensorProto.FLOAT, np.float32), "float16": (TensorProto.FLOAT16, np.float16), "float64": (TensorProto.DOUBLE, np.float64),
          "bfloat16": (TensorProto.BFLOAT16, ml_dtypes.bfloat16)}
BOUNDS = {"float32": 2e-5, "float64": 2e-5, "float16": 8e-3, "bfloat16": 6e-2}


class Random:
    """Seeded choices; a case is drawn from one alone."""

    def __init__(self, family, seed, index):
        state = zlib.crc32(f"{family}/{seed}/{index}".encode())
        self.index = index
        self.choices = random.Random(state)
        self.numbers = np.random.default_rng(state)

    def pick(self, *values):
        return self.choices.choice(values)

    def chance(self, share=0.5):
        return self.choices.random() < share

    def between(self, low, high):
        return self.choices.randint(low, high)

    def normal(self, *shape, scale=1.0):
        return self.numbers.standard_normal(shape) * scale

    def uniform(self, low, high, *shape):
        return self.numbers.uniform(low, high, shape)

    def ints(self, low, high, *shape):
        """From low to high, without high."""
        return self.numbers.integers(low, high, shape)


class Case:
    """One node with inputs fed at run time or kept as initializers.

    inputs: arrays, None where absent; float64 arrays become the case's type, all others keep theirs. peer_inputs:
    others for ONNX Runtime that mean the same. shared: inputs whose memory ONNX Runtime must be given as that of an output.
    wide_peer: its float32 model is the reference, as that of the narrow type is wrong. expected: a
    function that computes the results where ONNX Runtime has no kernel. outputs: a count, or a list of
    whether each is there. symbolic: dims of fed inputs are left open in the model."""

    def __init__(self, op, inputs, attributes=None, outputs=1, dtype="float32", domain="com.microsoft", constant=(), tolerance=None, symbolic=False,
                 select=None, output_types=None, opset=21, peer_inputs=None,
                 shared=None, wide_peer=False, expected=None):
        self.op, self.domain, self.dtype, self.opset = op, domain, dtype, opset
        self.inputs = inputs
        self.attributes = attributes or {}
        self.outputs = [True] * outputs if isinstance(outputs, int) else outputs
        self.constant, self.symbolic = set(constant), symbolic
        self.tolerance = tolerance or BOUNDS[dtype]
        self.select = select or (lambda index, array: array)
        self.output_types = output_types or {}
        self.peer_inputs, self.shared, self.wide_peer, self.expected = peer_inputs, shared or {}, wide_peer, expected

    def align(self, ours, theirs):
        """The results as they are compared."""
        return ours, theirs

    def for_peer(self):
        """This case, or one that means the same where ONNX Runtime cannot take it as it is."""
        drawn = self.with_inputs(self.peer_inputs) if self.peer_inputs else self
        return drawn.as_float32() if self.wide_peer else drawn

    def with_inputs(self, inputs, dtype=None):
        return Case(self.op, inputs, self.attributes, self.outputs, dtype or self.dtype, self.domain, self.constant, self.tolerance, self.symbolic,
                    self.select, self.output_types, self.opset, shared=self.shared)

    def typed(self, array):
        array = np.asarray(array)
        return array.astype(FLOATS[self.dtype][1]) if array.dtype == np.float64 else array

    def as_float32(self):
        """The float32 case with the values of this one."""
        return self.with_inputs([None if x is None else self.typed(x).astype(np.float64) if np.asarray(x).dtype == np.float64 else x for x in self.inputs],
                                "float32")

    def named(self):
        return [(f"in{i}", None if x is None else self.typed(x)) for i, x in enumerate(self.inputs)]

    def feeds(self):
        return {name: x for i, (name, x) in enumerate(self.named()) if x is not None and i not in self.constant}

    def model(self):
        inputs, initializers, names = [], [], []
        for i, (name, x) in enumerate(self.named()):
            names.append("" if x is None else name)
            if x is None:
                continue
            if i in self.constant:
                initializers.append(tensor(name, x))
            else:
                dims = [f"d{i}_{d}" for d in range(x.ndim)] if self.symbolic else list(x.shape)
                inputs.append(helper.make_tensor_value_info(name, element_type(x), dims))
        while names and not names[-1]:
            names.pop()
        outs = [f"out{i}" if there else "" for i, there in enumerate(self.outputs)]
        node = helper.make_node(self.op, names, outs, domain=self.domain, **self.attributes)
        declared = [helper.make_tensor_value_info(name, self.output_types.get(i, FLOATS[self.dtype][0]), None) for i, name in enumerate(outs) if name]
        graph = helper.make_graph([node], "case", inputs, declared, initializers)
        imports = [helper.make_opsetid("", self.opset)] + ([helper.make_opsetid(self.domain, 1)] if self.domain else [])
        model = helper.make_model(graph, opset_imports=imports)
        model.ir_version = 10
        return model

    def describe(self):
        shapes = ", ".join("-" if x is None else f"{np.asarray(x).dtype.name if np.asarray(x).dtype != np.float64 else self.dtype}{list(np.shape(x))}"
                           for x in self.inputs)
        return f"{self.op}({shapes}) {self.attributes} outputs {self.outputs}{' symbolic' if self.symbolic else ''}"


def element_type(array):
    if array.dtype.kind in "OU":
        return TensorProto.STRING
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def tensor(name, array):
    if array.dtype.kind in "OU":
        return helper.make_tensor(name, TensorProto.STRING, array.shape, [s.encode() for s in array.reshape(-1).tolist()])
    return helper.make_tensor(name, element_type(array), array.shape, array.tobytes(), raw=True)

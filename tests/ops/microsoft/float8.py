"""Cases of products of float8, against NumPy in float64: ONNX Runtime has them on GPUs only."""

import itertools

import ml_dtypes
import numpy as np
from onnx import TensorProto

from cases import Case, element_type

F = np.float32
E4M3, E5M2, BF16 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.bfloat16
# Whole 16s, as tensor cores take them, and others.
SIZES = ((16, 32, 48), (1, 64, 16), (33, 128, 64), (5, 37, 16), (64, 64, 70), (130, 129, 131), (3, 1, 1), (7, 500, 24))
BITS = {F: 24, np.float16: 11, BF16: 8, E4M3: 4, E5M2: 3}
LARGEST = {E4M3: 448, E5M2: 57344}


class Product:
    """Drawn inputs of one node and what they give."""

    def __init__(self, rng, size, kinds, turned, result=F, stack=()):
        m, k, n = size
        self.attributes = {"transA": int(turned[0]), "transB": int(turned[1])}
        if result != F or rng.random() < 0.5:
            self.attributes["dtype"] = element_type(np.zeros(0, result))
        self.result, self.note = result, f"{size} {' '.join(np.dtype(kind).name for kind in (*kinds, result))} {turned[0]:d}{turned[1]:d}"
        draw = lambda shape, kind: rng.uniform(-4, 4, shape).astype(F).astype(kind)  # noqa: E731
        self.a = draw((*stack, *((k, m) if turned[0] else (m, k))), kinds[0])
        self.b = draw((n, k) if turned[1] else (k, n), kinds[1])
        self.c = self.scale_a = self.scale_b = self.scale_y = None
        wide = [np.swapaxes(x, -1, -2) if turn else x for x, turn in zip((self.a.astype(np.float64), self.b.astype(np.float64)), turned)]
        self.sums, self.sizes = wide[0] @ wide[1], np.abs(wide[0]) @ np.abs(wide[1])

    def case(self, constant, **more):
        self.attributes.update(more)
        factor = self.attributes.get("alpha", 1.0) * np.prod([1.0 if s is None else s.astype(np.float64) for s in (self.scale_a,)]).item()
        factor = factor * (1.0 if self.scale_b is None else self.scale_b.astype(np.float64))
        y = self.sums * factor
        if self.c is not None:
            y = y + self.attributes.get("beta", 0.0) * self.c.astype(np.float64)
        activation = self.attributes.get("activation", "NONE")
        if activation == "RELU":
            y = np.maximum(y, 0)
        if activation == "GELU":
            y = 0.5 * y * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))
        last = 1.0 if self.scale_y is None else self.scale_y.astype(np.float64)
        y = y * last
        if self.result in LARGEST:
            y = np.clip(y, -LARGEST[self.result], LARGEST[self.result])
        # Tensor cores keep 13 bits or more of the sums of a few products; Gelu is nowhere steeper than 1.13.
        slack = float(np.max(np.abs(self.sizes * factor) * np.abs(last), initial=0)) * 2.0**-12 * 1.2
        inputs = [self.a, self.b, self.c, self.scale_a, self.scale_b, self.scale_y]
        if constant:
            inputs = [inputs[0], *(None if value is None else (value,) for value in inputs[1:])]
        elif self.c is not None and self.c.dtype == BF16:
            inputs[2] = (self.c,)
        while inputs[-1] is None:
            inputs.pop()
        return Case("GemmFloat8", inputs, self.attributes, expected=[y.astype(F)], output_type=TensorProto.FLOAT, atol=slack + 1e-5,
                    rtol=2.0 ** (1 - BITS[self.result]) * 1.01,
                    note=f"{self.note} {activation}{' constant' if constant else ''}{'' if self.c is None else f' C {self.c.dtype.name}{list(self.c.shape)}'}")


def cases(seed):
    rng = np.random.default_rng(seed)
    result = []
    turns = list(itertools.product((False, True), (False, True)))
    scale = lambda shape=(): rng.uniform(0.1, 0.9, shape).astype(F)  # noqa: E731
    for kinds, kind in itertools.product(itertools.product((E4M3, E5M2), (E4M3, E5M2)), BITS):
        product = Product(rng, (7, 64, 48), kinds, (False, True), kind)
        product.scale_a, product.scale_b = scale(), scale((1,))
        result.append(product.case(constant=False))
    for size, turned, kind in itertools.product(SIZES, turns, (F, np.float16, BF16)):
        product = Product(rng, size, (E4M3, E4M3), turned, kind)
        product.scale_a, product.scale_b = scale((1,)), scale()
        result.append(product.case(constant=bool(rng.random() < 0.5)))
    for kind, activation, columns in itertools.product((F, np.float16, BF16, E4M3, E5M2), ("NONE", "RELU", "GELU"), (48, 50)):
        product = Product(rng, (20, 96, columns), (E4M3, E5M2), (False, True), kind)
        product.scale_a, product.scale_b = scale(), scale((columns,) if columns == 50 else ())
        if activation != "RELU":
            product.scale_y = scale()
        shape = {0: (columns,), 1: (20, columns), 2: (20, 1), 3: ()}[int(rng.integers(4))]
        product.c = rng.uniform(-9, 9, shape).astype(F).astype(kind if kind not in LARGEST else F)
        result.append(product.case(constant=columns == 48, activation=activation, alpha=0.25, beta=float(rng.choice((1.0, -2.0)))))
    for kind in (F, np.float16, BF16):  # a bias in the library's epilogue
        product = Product(rng, (20, 96, 64), (E4M3, E4M3), (False, True), kind)
        product.scale_a, product.scale_b, product.c = scale(), scale(), rng.uniform(-9, 9, 64).astype(F).astype(kind)
        result.append(product.case(constant=True, activation="RELU", beta=1.0))
    for stack, size in (((3,), (5, 32, 16)), ((2, 3), (4, 33, 10)), ((0,), (5, 32, 16)), ((), (0, 16, 16)), ((), (4, 0, 6)), ((), (4, 16, 0))):
        product = Product(rng, size, (E4M3, E4M3), (False, True), stack=stack)
        product.scale_b = scale((size[2],))
        product.c = rng.uniform(-9, 9, size[2]).astype(F)
        product.note += f" stack {stack}"
        result.append(product.case(constant=False, beta=1.0))
    for kinds in ((F, E4M3), (np.float16, np.float16), (F, F), (E5M2, F)):  # not of float8 alone
        product = Product(rng, (6, 40, 9), kinds, (True, False))
        product.scale_b = scale()
        result.append(product.case(constant=False))
    return result

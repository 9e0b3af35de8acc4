"""Cases of operators whose weights have a few bits each."""

import itertools

import ml_dtypes
import numpy as np

from cases import Case

F = np.float32


def pack(values, bits):
    """Rows of numbers packed into bytes, the first in the low bits; a last byte may be part empty."""
    per_byte = 8 // bits
    padded = np.zeros((*values.shape[:-1], -(-values.shape[-1] // per_byte) * per_byte), np.uint8)
    padded[..., : values.shape[-1]] = values
    parts = padded.reshape(*values.shape[:-1], -1, per_byte)
    return sum(parts[..., i] << (bits * i) for i in range(per_byte)).astype(np.uint8)


class Weights:
    """Random weights of MatMulNBits with their float64 values."""

    def __init__(self, rng, n, k, bits, block, zeros, g_idx=False, kind=F):
        self.n, self.k, self.bits, self.block = n, k, bits, block
        blocks = -(-k // block)
        numbers = rng.integers(0, 1 << bits, (n, blocks * block)).astype(np.uint8)
        self.scales = rng.uniform(0.01, 0.05, (n, blocks)).astype(kind)
        middle = 1 << (bits - 1)
        if zeros == "packed":
            zero = rng.integers(0, 1 << bits, (n, blocks)).astype(np.uint8)
            self.zeros = pack(zero, bits)
        elif zeros == "float":
            self.zeros = zero = (middle + rng.standard_normal((n, blocks))).astype(kind)
        else:
            self.zeros, zero = None, np.full((n, blocks), middle)
        groups = np.arange(blocks * block) // block
        self.g_idx = None
        if g_idx:
            groups[:k] = rng.permutation(groups[:k])
            self.g_idx = groups[:k].astype(np.int32)
        self.data = pack(numbers, bits).reshape(n, blocks, -1)
        self.values = ((numbers.astype(np.float64) - zero.astype(np.float64)[:, groups]) * self.scales.astype(np.float64)[:, groups])[:, :k]

    def case(self, a, bias=None, constant=True, level=0, **more):
        inputs = [self.data, self.scales.reshape(-1), None if self.zeros is None else self.zeros.reshape(-1), self.g_idx, bias]
        while inputs[-1] is None:
            inputs.pop()
        if constant:
            inputs = [None if value is None else (value,) for value in inputs]
        expected = a.astype(np.float64) @ self.values.T + (0 if bias is None else bias.astype(np.float64))
        attributes = {"K": self.k, "N": self.n, "bits": self.bits, "block_size": self.block}
        if level:
            attributes["accuracy_level"] = level
        return Case("MatMulNBits", [a, *inputs], attributes, expected=[expected.astype(a.dtype)], **more)


def n_bits(rng):
    """Against float64. The bound of accuracy level 4 is that of activations rounded to 1/254 of their block's largest."""
    result = []
    for bits in (2, 4, 8):
        for zeros in ("none", "packed", "float"):
            for n, k, block, shape in ((70, 64, 32, (1,)), (64, 96, 16, (3,)), (33, 130, 32, (2, 7)), (200, 256, 128, (40,)), (5, 20, 64, (9,))):
                weights = Weights(rng, n, k, bits, block, zeros)
                a = rng.standard_normal((*shape, k)).astype(F)
                bias = rng.standard_normal(n).astype(F) if n != 64 else None
                note = f"{bits} bits, zeros {zeros}, N={n} K={k} block {block} {shape}"
                size = float(np.abs(weights.values).sum(axis=1).max())
                result.append(weights.case(a, bias, note=note, atol=2e-6 * size, levels=k in (96, 130)))
                result.append(weights.case(a, bias, constant=False, note=f"{note} fed", atol=2e-6 * size))
                result.append(weights.case(a, bias, level=4, note=f"{note} level 4", atol=float(np.abs(a).max()) / 254 * size, levels=k in (96, 130)))
        weights = Weights(rng, 40, 96, bits, 32, "packed", g_idx=True)
        for rows in (1, 20):
            a = rng.standard_normal((rows, 96)).astype(F)
            result.append(weights.case(a, note=f"{bits} bits g_idx {rows}", atol=1e-4, levels=True))
            result.append(weights.case(a, constant=False, note=f"{bits} bits g_idx {rows} fed", atol=1e-4))
        weights = Weights(rng, 40, 96, bits, 32, "none", kind=np.float16)
        result.append(weights.case(rng.standard_normal((3, 96)).astype(np.float16), note=f"{bits} bits float16", atol=1e-3, rtol=1e-3))
    weights = Weights(rng, 8, 32, 4, 32, "none")
    result.append(weights.case(np.zeros((0, 32), F), note="no rows"))
    return result


def n_bits_with_peer(rng):
    """ONNX Runtime's own results, for the forms that it runs."""
    result = []
    for bits, zeros in ((4, "none"), (4, "packed"), (8, "packed"), (4, "float")):
        weights = Weights(rng, 48, 128, bits, 32, zeros)
        case = weights.case(rng.standard_normal((5, 128)).astype(F), note=f"ONNX Runtime {bits} bits, zeros {zeros}", atol=1e-4)
        case.expected = None
        result.append(case)
    return result


# bitsandbytes' tables: FP4 has a sign, two bits of exponent and one of mantissa, over 12; NF4 are quantiles of the normal distribution.
FP4 = np.array([0, 0.0625, 8, 12, 4, 6, 2, 3, -0.0, -0.0625, -8, -12, -4, -6, -2, -3]) / 12
NF4 = np.array([-1.0, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0.0, 0.0795803, 0.1609302, 0.2461123, 0.33791524,
                0.44070983, 0.562617, 0.72295684, 1.0])


def bnb4(rng):
    result = []
    for kind, (n, k, block), transposed in itertools.product((0, 1), ((24, 64, 16), (5, 19, 32), (16, 32, 128)), (1, 0)):
        data, absmax = rng.integers(0, 256, (n * k + 1) // 2).astype(np.uint8), rng.uniform(0.5, 2, -(-n * k // block)).astype(F)
        attributes = {"K": k, "N": n, "block_size": block, "quant_type": kind, "transB": transposed}
        a = rng.standard_normal((3, k if transposed else n)).astype(F)
        expected = None
        if not transposed:  # ONNX Runtime multiplies with the transpose, beyond its end
            numbers = np.stack([data >> 4, data & 15], axis=1).reshape(-1)[: n * k]
            values = (NF4 if kind else FP4)[numbers] * np.repeat(absmax, block)[: n * k]
            expected = [(a @ values.reshape(n, k)).astype(F)]
        result.append(Case("MatMulBnb4", [a, (data,), (absmax,)], attributes, note=f"{kind} {n} {k} {block} {transposed}", expected=expected, rtol=1e-5, atol=1e-4))
    return result


def gather_blocks(rng):
    result = []
    indices = np.array([[0, 3, -1], [2, 2, 7]], np.int64)
    for kind, with_zeros in itertools.product((ml_dtypes.int4, ml_dtypes.uint4), (False, True)):
        low, high = int(ml_dtypes.iinfo(kind).min), int(ml_dtypes.iinfo(kind).max)
        for gather, quantise, shape, where in ((0, 1, (8, 40), indices), (0, -1, (8, 3, 48), indices), (1, 0, (40, 8), indices), (0, 0, (48, 6), indices % 40),
                                               (-1, 1, (2, 33, 8), indices)):
            blocks = list(shape)
            blocks[quantise] = -(-blocks[quantise] // 16)
            inputs = [(rng.integers(low, high + 1, shape).astype(kind),), where.astype(np.int32 if gather else np.int64), (rng.uniform(0.1, 1, blocks).astype(F),),
                      (rng.integers(low, high + 1, blocks).astype(kind),) if with_zeros else None]
            result.append(Case("GatherBlockQuantized", inputs, {"gather_axis": gather, "quantize_axis": quantise, "block_size": 16},
                               note=f"{np.dtype(kind).name} {shape} {gather} {quantise} zeros={with_zeros}", rtol=1e-6))
    for bits, with_zeros, kind in itertools.product((4, 8), (False, True), (F, np.float16)):
        numbers, zeros = rng.integers(0, 1 << bits, (9, 48)).astype(np.uint8), rng.integers(0, 1 << bits, (9, 3)).astype(np.uint8)
        inputs = [(pack(numbers, bits),), indices, (rng.uniform(0.1, 1, (9, 3)).astype(kind),), (pack(zeros, bits),) if with_zeros else None]
        result.append(Case("GatherBlockQuantized", inputs, {"gather_axis": 0, "quantize_axis": 1, "block_size": 16, "bits": bits},
                           note=f"uint8 {bits} bits zeros={with_zeros} {np.dtype(kind).name}", rtol=1e-6 if kind == F else 1e-3))
    return result


def cases(seed):
    rng = np.random.default_rng(seed)
    return [*n_bits(rng), *n_bits_with_peer(rng), *bnb4(rng), *gather_blocks(rng)]

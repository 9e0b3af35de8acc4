"""65: caches of another type than the attributes say; attention and tables of no numbers."""

import numpy as np
from onnx import TensorProto, helper

from refusal_cases.building import CASES, F, I, ints, one, ones, whole


def add():
    numbers = lambda *shape: np.ones(shape, np.int32)  # noqa: E731
    heads = {"domain": "com.microsoft", "num_heads": 1, "kv_num_heads": 1}
    scaled = {"k_quant_type": "PER_TENSOR", "v_quant_type": "PER_TENSOR"}
    rest = [None] * 5 + [ones(1)] * 2
    one("65 caches of floats said to be of 4 bits", "GroupQueryAttention", [ones(1, 2, 64)] * 3 + [ones(1, 1, 16384, 32)] * 2 + [numbers(1) * 16383, numbers(1) * 16384] + rest,
        "k_quant_type", outputs=3, constants=False, kv_cache_bit_width=4, **heads, **scaled)
    one("65 caches of bytes said to be of floats", "GroupQueryAttention", [ones(1, 2, 8)] * 3 + [np.zeros((1, 1, 16, 8), np.int8)] * 2 + [numbers(1), numbers(1) * 2],
        "k_quant_type", outputs=3, constants=False, **heads)
    for rank in (19, 40):  # which nothing tells before the run
        many = ones(*[1] * rank)
        for op in ("MaxPool", "AveragePool", "LpPool"):
            whole(f"65 {op} of rank {rank}", [helper.make_node(op, ["x"], ["y"], kernel_shape=[1] * (rank - 2))],
                  [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)], ["y"], {"x": many}, "spatial axes", op)
    length = 100_000
    one("65 a prompt longer than the cache", "GroupQueryAttention", [ones(1, length, 8)] * 3 + [np.zeros((1, 1, 16, 8), np.int8)] * 2 + [numbers(1) * 0, numbers(1) * length] + rest,
        "", outputs=3, constants=False, local_window_size=16, sliding_window_cache=1, **heads, **scaled)
    one("65 no total length", "GroupQueryAttention", [ones(1, 2, 8)] * 3 + [None, None, numbers(1), numbers(1, 0)], "total_sequence_length", constants=False, **heads)
    empty = np.zeros(0, I)
    one("65 no match of the step before", "BifurcationDetector", [ints(1, 2), ints(1), empty, ints(1, 2, 3)], "prev_suffix_match_idx", outputs=2, domain="com.microsoft")
    one("65 filters at no rate", "MelWeightMatrix", [I(4), I(16), empty, F(0), F(1)], "sample_rate")
    one("65 filters between no edges", "MelWeightMatrix", [I(4), I(16), I(8), np.zeros(0, F), F(1)], "lower_edge_hertz")
    one("65 tokens of no sequence", "VarlenNGramHashMapping", [np.arange(1000, dtype=I), ints(3, 5), ints(7), np.array([500, 502], np.int32)], "sequences", domain="com.microsoft",
        constants=False, max_ngram_size=2, n_head_per_ngram=1, pad_id=0)
    for size in (1026, 100_000):
        one(f"53 {size} pads of a scalar", "Pad", [F(1), np.full(size, 7)], "pads")
    one("53 pads of no axes", "Pad", [ones(4), np.full(5000, 1_000_000), None, empty], "pads")
    one("53 a transform along one of two axes", "DFT", [ones(4125, 521, 1), None, I(1)], "", constants=False)
    CASES[-1].seconds = 20

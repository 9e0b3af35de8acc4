"""66–69: division by 0, long shifts, lengths of recurrent nets."""

import numpy as np

from refusal_cases.building import ints, one, ones


def add():
    one("66 division by 0", "Div", [ints(1, 2), ints(1, 0)], "zero|0")
    one("66 remainder by 0", "Mod", [ints(1, 2), ints(1, 0)], "zero|0")
    one("66 the least divided by -1", "Div", [ints(-(1 << 63)), ints(-1)], "")
    one("66 the least's remainder by -1", "Mod", [ints(-(1 << 63)), ints(-1)], "")
    for shift in (64, 65, 255):
        one(f"67 shift by {shift}", "BitShift", [np.array([1], np.uint64), np.array([shift], np.uint64)], "", direction="LEFT")
    w, r = ones(1, 4, 2), ones(1, 4, 1)
    one("68 a sequence of length 0", "LSTM", [ones(3, 1, 2), w, r, None, np.array([0], np.int32)], "", outputs=3, hidden_size=1)
    for length in (-1, 9, 2**31 - 1):
        one(f"68 a sequence of length {length}", "LSTM", [ones(3, 1, 2), w, r, None, np.array([length], np.int32)], "sequence_lens|length", outputs=3, hidden_size=1)
    one("69 another hidden size", "LSTM", [ones(3, 1, 2), w, r], "hidden|shape", outputs=3, hidden_size=7)
    one("69 no hidden size", "LSTM", [ones(3, 1, 2), w, r], "hidden", outputs=3, hidden_size=0)
    one("69 an initial state of another size", "LSTM", [ones(3, 1, 2), w, r, None, None, ones(1, 1, 5)], "initial_h|shape", outputs=3, hidden_size=1)

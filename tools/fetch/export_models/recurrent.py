"""LSTM and GRU taggers: embedding, a recurrent stack over batch-first sequences, one label score a token."""

from __future__ import annotations

from torch import nn

from export_models.case import NEWER, Case, Input

VOCABULARY = 2000
TAGS = 17


class Tagger(nn.Module):
    def __init__(self, kind: type[nn.RNNBase], layers: int, bidirectional: bool):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, 96)
        self.rnn = kind(96, 128, num_layers=layers, batch_first=True, bidirectional=bidirectional)
        self.score = nn.Linear(256 if bidirectional else 128, TAGS)

    def forward(self, ids):
        states, _ = self.rnn(self.embedding(ids))
        return self.score(states)


class PackedTagger(Tagger):
    """Takes the length of every row too, so that the file's LSTM has its sequence_lens input."""

    def forward(self, ids, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(ids), lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=ids.shape[1])
        return self.score(states)


class StreamingTagger(Tagger):
    """Carries the recurrent state from one call to the next, as streaming callers do."""

    def forward(self, ids, hidden, cell):
        states, (hidden, cell) = self.rnn(self.embedding(ids), (hidden, cell))
        return self.score(states), hidden, cell


IDS = Input("ids", "int64", ("batch", "sequence"), "integers", 0, VOCABULARY)
STATE = ("batch", 128)
SIZES = [{"batch": 1, "sequence": 12}, {"batch": 3, "sequence": 7}, {"batch": 17, "sequence": 33}]
EXAMPLE = {"batch": 2, "sequence": 9}

CASES = [
    (1, Case("lstm_tagger", lambda: Tagger(nn.LSTM, 2, True), [IDS], ["scores"], SIZES, EXAMPLE)),
    (1, Case("gru_tagger", lambda: Tagger(nn.GRU, 2, True), [IDS], ["scores"], SIZES, EXAMPLE, NEWER)),
    (
        1,
        Case(
            "lstm_streaming",
            lambda: StreamingTagger(nn.LSTM, 1, False),
            [IDS, Input("hidden", "float32", (1, *STATE)), Input("cell", "float32", (1, *STATE))],
            ["scores", "hidden_out", "cell_out"],
            SIZES,
            EXAMPLE,
        ),
    ),
    (
        1,
        Case(
            "lstm_packed",
            lambda: PackedTagger(nn.LSTM, 1, True),
            [IDS, Input("lengths", "int64", ("batch",), "integers", 3, 8)],
            ["scores"],
            SIZES,
            EXAMPLE,
            {"ts": 17},
        ),
    ),
]

"""Transformer encoders: BERT-base with its pooler."""

from __future__ import annotations

import transformers

from export_models.case import Adapter, Case, Input


def encode(model, ids, mask, types):
    out = model(input_ids=ids, attention_mask=mask, token_type_ids=types, return_dict=True)
    return out.last_hidden_state, out.pooler_output


def bert():
    config = transformers.BertConfig(attn_implementation="sdpa")
    return Adapter(transformers.BertModel(config).eval(), encode)


TOKENS = ("batch", "sequence")

CASES = [
    (
        9,
        Case(
            "bert_base",
            bert,
            [
                Input("input_ids", "int64", TOKENS, "integers", 0, 30522),
                Input("attention_mask", "int64", TOKENS, "mask"),
                Input("token_type_ids", "int64", TOKENS, "integers", 0, 2),
            ],
            ["last_hidden_state", "pooler_output"],
            [{"batch": 1, "sequence": 16}, {"batch": 3, "sequence": 9}, {"batch": 2, "sequence": 128}],
            {"batch": 2, "sequence": 11},
        ),
    ),
]

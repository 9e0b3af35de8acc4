"""Decoder-only language models: prefill (no cache in) and one with the key and value cache as inputs and outputs."""

from __future__ import annotations

import transformers

from export_models.case import Adapter, Case, Input


def gpt2():
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(attn_implementation="sdpa")).eval()


def llama():
    """60 million parameters, eight query heads to two key-value heads."""
    config = transformers.LlamaConfig(
        vocab_size=32000,
        hidden_size=512,
        intermediate_size=1536,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        attn_implementation="sdpa",
    )
    return transformers.LlamaForCausalLM(config).eval()


def generate(model, ids, mask, positions, *past):
    """Logits of every position, then the keys and values of every layer, past ones first."""
    layers = [(past[i], past[i + 1]) for i in range(0, len(past), 2)]
    cache = transformers.DynamicCache(layers) if layers else transformers.DynamicCache()
    out = model(input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True)
    return (out.logits, *(t for layer in out.past_key_values.layers for t in (layer.keys, layer.values)))


def cases(
    rank: int, name: str, build, vocabulary: int, layers: int, heads: int, width: int, exporters: dict[str, int]
) -> list[tuple[int, Case]]:
    def tokens(total: str, offset: str) -> list[Input]:
        return [
            Input("input_ids", "int64", ("batch", "sequence"), "integers", 0, vocabulary),
            Input("attention_mask", "int64", ("batch", total), "mask", pad="left"),
            Input("position_ids", "int64", ("batch", "sequence"), "range", offset=offset),
        ]

    slots = [f"{layer}.{part}" for layer in range(layers) for part in ("key", "value")]
    present = ["logits", *(f"present.{slot}" for slot in slots)]
    past = [Input(f"past_key_values.{slot}", "float32", ("batch", heads, "past", width)) for slot in slots]
    return [
        (
            rank,
            Case(
                f"{name}_prefill",
                lambda: Adapter(build(), generate),
                tokens("sequence", ""),
                present,
                [{"batch": 1, "sequence": 16}, {"batch": 3, "sequence": 6}],
                {"batch": 2, "sequence": 11},
                exporters,
                "attention_mask",
            ),
        ),
        (
            rank,
            Case(
                f"{name}_kv",
                lambda: Adapter(build(), generate),
                tokens("total", "past") + past,
                present,
                [
                    {"batch": 1, "sequence": 1, "past": 15, "total": 16},
                    {"batch": 3, "sequence": 4, "past": 6, "total": 10},
                    {"batch": 2, "sequence": 5, "past": 0, "total": 5},
                ],
                {"batch": 2, "sequence": 3, "past": 8, "total": 11},
                exporters,
                "attention_mask",
            ),
        ),
    ]


STANDARD = {"ts": 17, "dynamo": 20}
# Opset 23 gives Attention, RMSNormalization and RotaryEmbedding nodes.
CASES = cases(8, "llama_60m", llama, 32000, 8, 2, 64, {**STANDARD, "dynamo23": 23}) + cases(
    10, "gpt2", gpt2, 50257, 12, 12, 64, STANDARD
)

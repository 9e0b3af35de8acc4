"""Encoder and decoder halves of T5-small and Whisper-tiny as separate files."""

from __future__ import annotations

import torch
import transformers

from export_models.case import NEWER, Adapter, Case, Input


def t5() -> transformers.T5ForConditionalGeneration:
    config = transformers.T5Config(
        d_model=512, d_kv=64, d_ff=2048, num_layers=6, num_heads=8, use_cache=False, decoder_start_token_id=0
    )
    return transformers.T5ForConditionalGeneration(config).eval()


def t5_encode(model, ids, mask):
    return model.encoder(input_ids=ids, attention_mask=mask).last_hidden_state


def t5_decode(model, ids, encoded, mask):
    return model(
        encoder_outputs=(encoded,), attention_mask=mask, decoder_input_ids=ids, use_cache=False, return_dict=True
    ).logits


def whisper() -> transformers.WhisperForConditionalGeneration:
    config = transformers.WhisperConfig(
        d_model=384,
        encoder_layers=4,
        decoder_layers=4,
        encoder_attention_heads=6,
        decoder_attention_heads=6,
        encoder_ffn_dim=1536,
        decoder_ffn_dim=1536,
        use_cache=False,
        attn_implementation="sdpa",
    )
    return transformers.WhisperForConditionalGeneration(config).eval()


def whisper_encode(model, features):
    return model.model.encoder(features).last_hidden_state


def whisper_decode(model, ids, encoded):
    # Without a mask transformers looks for packed sequences by aten::diff, which the TorchScript exporter lacks.
    mask = torch.ones_like(ids)
    out = model.model.decoder(input_ids=ids, attention_mask=mask, encoder_hidden_states=encoded, use_cache=False)
    return model.proj_out(out.last_hidden_state)


TOKENS = ("batch", "sequence")
SOURCE = ("batch", "source")
DECODER_SIZES = [{"batch": 1, "sequence": 12, "source": 20}, {"batch": 3, "sequence": 5, "source": 9}]
DECODER_EXAMPLE = {"batch": 2, "sequence": 7, "source": 11}

CASES = [
    (
        7,
        Case(
            "t5_small_encoder",
            lambda: Adapter(t5(), t5_encode),
            [
                Input("input_ids", "int64", TOKENS, "integers", 0, 32128),
                Input("attention_mask", "int64", TOKENS, "mask"),
            ],
            ["last_hidden_state"],
            [{"batch": 1, "sequence": 24}, {"batch": 3, "sequence": 9}],
            {"batch": 2, "sequence": 11},
            NEWER,
        ),
    ),
    (
        7,
        Case(
            "t5_small_decoder",
            lambda: Adapter(t5(), t5_decode),
            [
                Input("decoder_input_ids", "int64", TOKENS, "integers", 0, 32128),
                Input("encoder_hidden_states", "float32", (*SOURCE, 512)),
                Input("encoder_attention_mask", "int64", SOURCE, "mask"),
            ],
            ["logits"],
            DECODER_SIZES,
            DECODER_EXAMPLE,
        ),
    ),
    (
        4,
        Case(
            "whisper_tiny_encoder",
            lambda: Adapter(whisper(), whisper_encode),
            [Input("input_features", "float32", ("batch", 80, 3000), "normal", mean=0.0, std=0.5)],
            ["last_hidden_state"],
            [{"batch": 1}, {"batch": 2}],
            {"batch": 2},
        ),
    ),
    (
        4,
        Case(
            "whisper_tiny_decoder",
            lambda: Adapter(whisper(), whisper_decode),
            [
                Input("decoder_input_ids", "int64", TOKENS, "integers", 0, 51865),
                Input("encoder_hidden_states", "float32", (*SOURCE, 384)),
            ],
            ["logits"],
            DECODER_SIZES,
            DECODER_EXAMPLE,
        ),
    ),
]

"""The sizes at which benchmarks run real models."""

import re

# What a model is measured at: sizes of the symbols in its description. The first pattern that matches counts.
SIZES = (
    (r"(resnet50|mobilenet_v3|efficientnet_b0|convnext_tiny|vit_b_16|whisper_tiny_encoder|whisper_encoder)_.*", {"batch": 1}),
    (r"unet_.*", {"batch": 1, "height": 256, "width": 256}),
    (r"bert_base_.*", {"batch": 1, "sequence": 128}),
    (r"minilm_.*", {"batch": 1, "sequence": 64}),
    (r"(gpt2|llama_60m)_prefill_.*|llama_(dynamic_int8|int4)", {"batch": 1, "sequence": 64}),
    (r"(gpt2|llama_60m|llama)_kv_.*", {"batch": 1, "sequence": 1, "past": 127, "total": 128}),
    (r"t5_small_encoder_.*", {"batch": 1, "sequence": 64}),
    (r"(t5_small|whisper_tiny|whisper)_decoder_.*", {"batch": 1, "sequence": 32, "source": 64}),
    (r"(lstm_tagger|gru_tagger|lstm_streaming)_.*", {"batch": 1, "sequence": 128}),
    (r"ppocrv\d_det(_.*)?", {"batch": 1, "height": 640, "width": 640}),
    (r"ppocrv\d_rec(_.*)?", {"batch": 1, "width": 320}),
    (r"ppocrv\d_cls|magika_v3_3|digits", {"batch": 1}),
    (r"silero_vad|silero_vad_16k_op15|silero_vad_op18_ifless", {"batch": 1, "samples": 576, "rate": 16000}),
    (r"light_.*|genai_.*", {}),
)


def size_of(name, description):
    for pattern, size in SIZES:
        if re.fullmatch(pattern, name):
            return size or description["sizes"][0]
    return None

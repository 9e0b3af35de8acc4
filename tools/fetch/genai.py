#!/usr/bin/env python3
"""Builds a small Llama of drawn weights with onnxruntime-genai's model builder: OUT_DIR/genai_llama_fp32/{model.onnx, inputs.json}, and
QUANTIZED_DIR/genai_llama_{int4,int8} with the same and float.onnx, as quantized.py leaves them.

    genai.py OUT_DIR QUANTIZED_DIR [--missing]

Its files are for ONNX Runtime: GroupQueryAttention with a rotary embedding and a cache inside, SkipSimplifiedLayerNormalization, MatMulNBits.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx
import torch
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

VOCABULARY, LAYERS, HEADS, KV_HEADS, WIDTH = 512, 2, 8, 2, 256
SIZES = [{"batch": 1, "sequence": 1, "past": 15, "total": 16}, {"batch": 1, "sequence": 9, "past": 0, "total": 9}, {"batch": 2, "sequence": 5, "past": 0, "total": 5}]


def save_original(folder):
    """The model as transformers saves it, with a tokenizer of as many words."""
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=VOCABULARY, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
                         num_key_value_heads=KV_HEADS, max_position_embeddings=256, bos_token_id=1, eos_token_id=2, pad_token_id=0)
    LlamaForCausalLM(config).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(VOCABULARY)}, unk_token="t0"))
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="t0", bos_token="t1", eos_token="t2", pad_token="t0").save_pretrained(folder)


def description():
    cache = {"dtype": "float32", "shape": ["batch", KV_HEADS, "past", WIDTH // HEADS], "kind": "normal", "mean": 0.0, "std": 1.0}
    inputs = {"input_ids": {"dtype": "int64", "shape": ["batch", "sequence"], "kind": "integers", "low": 0, "high": VOCABULARY},
              "attention_mask": {"dtype": "int64", "shape": ["batch", "total"], "kind": "integers", "low": 1, "high": 2}}
    inputs |= {f"past_key_values.{layer}.{part}": cache for layer in range(LAYERS) for part in ("key", "value")}
    return {"model": "genai_llama", "exporter": "genai", "inputs": inputs, "sizes": SIZES}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("quantized_dir", type=Path)
    parser.add_argument("--missing", action="store_true", help="skip what OUT_DIR already has")
    options = parser.parse_args()
    folders = {kind: (options.out_dir if kind == "fp32" else options.quantized_dir) / f"genai_llama_{kind}" for kind in ("fp32", "int4", "int8")}
    if options.missing and all((folder / "inputs.json").exists() for folder in folders.values()):
        return 0
    options.quantized_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=options.out_dir) as work:
        work = Path(work)
        save_original(work / "original")
        for kind, folder in folders.items():
            made, partial = work / kind, folder.with_name(f".{folder.name}.partial")
            command = [sys.executable, "-W", "ignore", "-m", "onnxruntime_genai.models.builder", "-i", work / "original", "-o", made, "-p", kind, "-e", "cpu", "-c", work / "cache"]
            subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"HF_HUB_OFFLINE": "1"})
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            onnx.save(onnx.load(made / "model.onnx"), partial / "model.onnx")
            if kind != "fp32":
                shutil.copyfile(folders["fp32"] / "model.onnx", partial / "float.onnx")
            (partial / "inputs.json").write_text(json.dumps(description(), indent=1) + "\n")
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
            print(f"{folder.name:30} written", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

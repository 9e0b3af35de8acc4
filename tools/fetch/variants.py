#!/usr/bin/env python3
"""Writes float16 and bfloat16 forms of exported models: OUT_DIR/<name>_<exporter>_{fp16,bf16}/{model.onnx, inputs.json}.

    variants.py OUT_DIR [--missing]

Their inputs.json has two keys more: "narrow", the type's name, and "narrow_of", the folder of the float32 model.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import onnx

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "models"))
import narrow  # noqa: E402

SUFFIXES = {"fp16": "float16", "bf16": "bfloat16"}
MODELS = (
    "resnet50_ts", "mobilenet_v3_large_ts", "bert_base_ts", "gru_tagger_ts", "llama_60m_prefill_dynamo23", "whisper_tiny_encoder_ts",
    "whisper_tiny_decoder_ts",
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out_dir", type=Path)
    parser.add_argument("--missing", action="store_true", help="skip what OUT_DIR already has")
    options = parser.parse_args()
    for name in MODELS:
        for suffix, kind in SUFFIXES.items():
            source, folder = options.out_dir / name, options.out_dir / f"{name}_{suffix}"
            if options.missing and (folder / "inputs.json").exists():
                continue
            partial = folder.with_name(f".{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            onnx.save(narrow.narrow(source / "model.onnx", narrow.KINDS[kind]), partial / "model.onnx")
            onnx.checker.check_model(str(partial / "model.onnx"))
            description = json.loads((source / "inputs.json").read_text())
            description.update(narrow=kind, narrow_of=name)
            (partial / "inputs.json").write_text(json.dumps(description, indent=1) + "\n")
            shutil.rmtree(folder, ignore_errors=True)
            partial.rename(folder)
            print(f"{folder.name:30} written", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

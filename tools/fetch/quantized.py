#!/usr/bin/env python3
"""Quantises the fetched real models with ONNX Runtime's own tools, as their users do.

    quantized.py MODELS_DIR OUT_DIR [--exports DIR] [--only REGEX] [--missing] [--list]

MODELS_DIR is what models.py filled, DIR what exports.py did: without it the models made from exports are left out. Result: OUT_DIR/<name>/model.onnx, inputs.json (what its inputs hold, as tests/models/inputs.py reads it) and
float.onnx, the model that was quantised:

    minilm_dynamic_int8                       dynamic quantisation: DynamicQuantizeLinear, MatMulInteger
    minilm_int4, _int4_blocks128, _int8       weights only: MatMulNBits; blocks128 with zero points
    minilm_int4_level4                        the same with accuracy_level 4
    <model>_qdq, <model>_qoperator            static quantisation of ppocrv4_rec, ppocrv4_det, resnet50: QuantizeLinear and DequantizeLinear around
                                              each operator, or QLinear operators; resnet50_qdq_int8 with signed activations, by channel
    mobilenet_v3_qdq, _qoperator              static quantisation of the export
    llama_*, whisper_*                        of the exports: dynamic, and weights only

resnet50 is the graph of light_resnet50, whose weights are constants, with drawn ones: every channel then matters. A folder appears whole or not at all.
"""

import argparse
import json
import logging
import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process

sys.path.append(str(Path(__file__).resolve().parents[2] / "tests" / "models"))
import inputs  # noqa: E402


def draw_weights(path, target):
    """light_resnet50 with weights drawn so that activations keep their size, and at a newer opset."""
    model = onnx.load(path)
    graph = model.graph
    rng = np.random.default_rng(1)
    made = {node.output[0]: node for node in graph.node if node.op_type == "ConstantOfShape"}
    shapes = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    roles = {}
    for node in graph.node:
        for place, name in enumerate(node.input):
            roles[name] = (node.op_type, place)
    drawn = []
    for name, node in made.items():
        shape = [int(n) for n in shapes[node.input[0]]]
        kind, place = roles[name]
        if kind in ("Conv", "Gemm") and len(shape) > 1:
            value = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        elif kind == "BatchNormalization" and place == 1:
            value = rng.uniform(0.4, 0.8, shape)
        elif kind == "BatchNormalization" and place == 4:
            value = rng.uniform(0.8, 1.2, shape)
        else:
            value = rng.normal(0, 0.1, shape)
        drawn.append(numpy_helper.from_array(value.astype(np.float32), name))
    nodes = [node for node in graph.node if node.op_type != "ConstantOfShape"]
    read = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend([*kept, *drawn])
    weights = {tensor.name for tensor in graph.initializer}
    images = [value for value in graph.input if value.name in read - weights]
    del graph.input[:]
    graph.input.extend(images)
    model.ir_version = 8
    onnx.save(onnx.version_converter.convert_version(model, 13), target)


class Calibration(CalibrationDataReader):
    def __init__(self, description):
        size = description["sizes"][0]
        self.feeds = iter([inputs.draw(description, size, seed) for seed in range(100, 104)])

    def get_next(self):
        return next(self.feeds, None)


def dynamic(source, target, description):
    quantize_dynamic(source, target, weight_type=QuantType.QInt8)


def weights_only(**options):
    def quantise(source, target, description):
        quantizer = MatMulNBitsQuantizer(onnx.load(source), **options)
        quantizer.process()
        onnx.save(quantizer.model.model, target)

    return quantise


def static(quant_format, **options):
    def quantise(source, target, description):
        with tempfile.TemporaryDirectory() as folder:
            prepared = Path(folder) / "prepared.onnx"
            quant_pre_process(source, prepared, skip_symbolic_shape=True)
            quantize_static(prepared, target, Calibration(description), quant_format=quant_format, **options)

    return quantise


UNSIGNED = {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8}
SIGNED = {"activation_type": QuantType.QInt8, "weight_type": QuantType.QInt8, "per_channel": True}
MODELS = {
    "minilm_dynamic_int8": ("minilm_l6_v2", dynamic),
    "minilm_int4": ("minilm_l6_v2", weights_only(bits=4, block_size=32, is_symmetric=True)),
    "minilm_int4_blocks128": ("minilm_l6_v2", weights_only(bits=4, block_size=128, is_symmetric=False)),
    "minilm_int4_level4": ("minilm_l6_v2", weights_only(bits=4, block_size=32, is_symmetric=True, accuracy_level=4)),
    "minilm_int8": ("minilm_l6_v2", weights_only(bits=8, block_size=32, is_symmetric=True)),
    "resnet50_qdq": ("light_resnet50", static(QuantFormat.QDQ, **UNSIGNED)),
    "resnet50_qdq_int8": ("light_resnet50", static(QuantFormat.QDQ, **SIGNED)),
    "resnet50_qoperator": ("light_resnet50", static(QuantFormat.QOperator, **UNSIGNED)),
    "ppocrv4_rec_qdq": ("ppocrv4_rec", static(QuantFormat.QDQ, **UNSIGNED)),
    "ppocrv4_rec_qoperator": ("ppocrv4_rec", static(QuantFormat.QOperator, **UNSIGNED)),
    "ppocrv4_det_qdq": ("ppocrv4_det", static(QuantFormat.QDQ, **UNSIGNED)),
    "ppocrv4_det_qoperator": ("ppocrv4_det", static(QuantFormat.QOperator, **UNSIGNED)),
    "mobilenet_v3_qdq": ("mobilenet_v3_large_ts", static(QuantFormat.QDQ, **SIGNED)),
    "mobilenet_v3_qoperator": ("mobilenet_v3_large_ts", static(QuantFormat.QOperator, **UNSIGNED)),
    "llama_dynamic_int8": ("llama_60m_prefill_ts", dynamic),
    "llama_int4": ("llama_60m_prefill_ts", weights_only(bits=4, block_size=32, is_symmetric=True)),
    "llama_kv_int8": ("llama_60m_kv_ts", weights_only(bits=8, block_size=32, is_symmetric=False)),
    "whisper_encoder_dynamic_int8": ("whisper_tiny_encoder_ts", dynamic),
    "whisper_encoder_int4": ("whisper_tiny_encoder_ts", weights_only(bits=4, block_size=32, is_symmetric=True)),
    "whisper_decoder_dynamic_int8": ("whisper_tiny_decoder_ts", dynamic),
    "whisper_decoder_int8": ("whisper_tiny_decoder_ts", weights_only(bits=8, block_size=32, is_symmetric=True)),
}
EXPORTED = re.compile("mobilenet|llama|whisper")


def describe(source, original, model):
    """The inputs' description: the one beside the original; of the drawn ResNet a picture, of others what the tests know."""
    beside = original.parent / "inputs.json"
    if beside.exists():
        return json.loads(beside.read_text())
    if source == "light_resnet50":
        (image,) = model.graph.input
        shape = ["batch", 3, 224, 224]
        return {"inputs": {image.name: {"dtype": "float32", "shape": shape, "kind": "page", "low": -2.0, "high": 2.0}}, "sizes": [{"batch": 1}]}
    if known := inputs.known_by_name(source):
        return known
    raise ValueError(f"the tests know no inputs of {source}")


def produce(name, folder_of_originals, out):
    source, quantise = MODELS[name]
    original = folder_of_originals / source / "model.onnx"
    if not original.exists():
        raise FileNotFoundError(f"{original} is missing; run ./dev fetch {'exports' if EXPORTED.match(source) else 'models'} first")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        folder = Path(folder) / name
        folder.mkdir()
        if source == "light_resnet50":
            draw_weights(original, folder / "float.onnx")
        else:
            shutil.copyfile(original, folder / "float.onnx")
        description = describe(source, original, onnx.load(folder / "float.onnx"))
        (folder / "inputs.json").write_text(json.dumps(description, indent=1))
        quantise(str(folder / "float.onnx"), str(folder / "model.onnx"), description)
        shutil.rmtree(out / name, ignore_errors=True)
        folder.rename(out / name)
    print(f"{name}: {(out / name / 'model.onnx').stat().st_size / 1e6:.1f} MB", flush=True)


def is_there(name, folder):
    """Whether the model was made, from samples such as the tests draw now."""
    if not (folder / "model.onnx").exists():
        return False
    known = inputs.known_by_name(MODELS[name][0])
    return not known or inputs.own_description(folder / "model.onnx") == json.loads(json.dumps(known))


def main():
    parser = argparse.ArgumentParser(description="Quantise the fetched models.")
    parser.add_argument("models_dir", type=Path, metavar="MODELS_DIR")
    parser.add_argument("out_dir", type=Path, metavar="OUT_DIR")
    parser.add_argument("--exports", type=Path, metavar="DIR")
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--missing", action="store_true", help="only what is not there yet, or was made from other samples")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    options = parser.parse_args()
    exported = {name for name, (source, _) in MODELS.items() if EXPORTED.match(source)}
    names = [name for name in MODELS if re.search(options.only, name) and (options.exports or options.list or name not in exported)]
    if options.list:
        print("\n".join(names))
        return 0
    if not names:
        parser.error(f"no model matches {options.only!r}")
    logging.disable(logging.WARNING)
    for name in names:
        if not (options.missing and is_there(name, options.out_dir / name)):
            produce(name, options.exports if name in exported else options.models_dir, options.out_dir)
    return 0


if __name__ == "__main__":
    sys.exit(main())

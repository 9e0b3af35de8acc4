"""What the inputs of each test model hold, and arrays drawn from that by a seed.

A description is {"inputs": {name: {"dtype", "shape", "kind", …}}, "sizes": [{symbol: size}, …]}, the form of the inputs.json that
tools/fetch/exports.py writes next to a model. A shape mixes numbers and symbols. Kinds:

    normal    mean + std × standard normal
    uniform   low ≤ value < high
    integers  low ≤ value < high
    mask      rows of ones padded with zeros on the side `pad` (left or right), at least half of each row ones
    range     start, start + 1, … along the last axis; start is the size of symbol `offset` (0 without one)
    page      a picture (…, height, width) of dark strokes on light paper in rows, between low and high
    lines     pictures (…, height, width) of printed text, dark on light paper, between low and high
    size      the size of symbol `of`
    bytes     a file's bytes (…, length), each row from an alphabet that its place and the seed choose; 256 is padding
    voice     sound (…, samples) at 16 kHz: harmonics of a gliding pitch, and some noise, within ±1

An optional "still" lists outputs that need not move when the inputs change, each with its reason.
"""

import functools
import json
import math
import re
from pathlib import Path

import numpy as np

LINES = Path(__file__).resolve().parents[1] / "quantise" / "data" / "lines.npz"


def picture(height, width, kind="page"):
    return {"dtype": "float32", "shape": ["batch", 3, height, width], "kind": kind, "low": -1.0, "high": 1.0}


def tokens(high):
    return {"dtype": "int64", "shape": ["batch", "sequence"], "kind": "integers", "low": 0, "high": high}


def silero(state="batch", with_rate=True):
    inputs = {"input": {"dtype": "float32", "shape": ["batch", "samples"], "kind": "voice"},
              "state": {"dtype": "float32", "shape": [2, state, 128], "kind": "normal", "std": 0.3}}
    if with_rate:
        inputs["sr"] = {"dtype": "int64", "shape": [], "kind": "size", "of": "rate"}
    return inputs


RATE_16K = {"samples": 576, "rate": 16000}
RATE_8K = {"samples": 288, "rate": 8000}
BATCHES = [{"batch": 1}, {"batch": 3}]
ONE_SIZE = [{"batch": 1}]

# (pattern of the model's name, description)
KNOWN = (
    (r"digits", {"inputs": {"image": {"dtype": "float32", "shape": ["batch", 1, 8, 8], "kind": "uniform"}},
                 "sizes": BATCHES}),
    (r"ppocrv\d_det", {"inputs": {"x": picture("height", "width")},
                       "sizes": [{"batch": 1, "height": 320, "width": 320}, {"batch": 2, "height": 192, "width": 256}]}),
    (r"ppocrv\d_rec", {"inputs": {"x": picture(48, "width", "lines")},
                       "sizes": [{"batch": 1, "width": 320}, {"batch": 2, "width": 200}]}),
    (r"ppocrv\d_cls", {"inputs": {"x": picture(48, 192)}, "sizes": BATCHES}),
    (r"silero_vad_16k_sequence", {
        "inputs": {"input": {"dtype": "float32", "shape": ["steps", 576], "kind": "voice"},
                   "h": {"dtype": "float32", "shape": [1, 1, 128], "kind": "normal", "std": 0.3},
                   "c": {"dtype": "float32", "shape": [1, 1, 128], "kind": "normal", "std": 0.3}},
        "sizes": [{"steps": 1}, {"steps": 7}]}),
    (r"silero_vad_openvino_16k", {"inputs": silero(1, with_rate=False), "sizes": [{"batch": 1, **RATE_16K}]}),
    (r"silero_vad_half", {"inputs": silero(with_rate=False),
                          "sizes": [{"batch": 1, **RATE_16K}, {"batch": 3, **RATE_16K}]}),
    (r"silero_vad_16k_op15", {"inputs": silero(), "sizes": [{"batch": 1, **RATE_16K}, {"batch": 3, **RATE_16K}]}),
    (r"silero_vad(_op18_ifless)?", {"inputs": silero(), "sizes": [
        {"batch": 1, **RATE_16K}, {"batch": 3, **RATE_16K}, {"batch": 1, **RATE_8K}, {"batch": 2, **RATE_8K}]}),
    # Its LayerNormalization takes the variance as E[x^2] - E[x]^2. Where a column hardly varies that amplifies the rounding of ONNX Runtime's sums:
    # against float64 they are off by 7e-7 (the same with and without optimisation), those of onnxrun by 7e-8. So float64 decides.
    (r"magika.*", {"inputs": {"bytes": {"dtype": "int32", "shape": ["batch", 2048], "kind": "bytes"}}, "sizes": BATCHES, "judge": "float64"}),
    (r"minilm_l6_v2", {"inputs": {"input_ids": tokens(30522),
                                  "attention_mask": {"dtype": "int64", "shape": ["batch", "sequence"], "kind": "mask"},
                                  "token_type_ids": tokens(2)},
                       "sizes": [{"batch": 1, "sequence": 16}, {"batch": 3, "sequence": 9}]}),
)


def draw_page(shape, low, high, rng):
    """Rows of upright, level and slanted strokes: to a text model it is more like writing than noise is."""
    *outer, height, width = shape
    row = 48
    out = np.empty((math.prod(outer[:-1]), height, width))
    for image in out:
        image[:] = rng.uniform(0.8, 1.0)
        for top in range(0, height - row + 1, row):
            x = int(rng.integers(2, 20))
            while x < width - 24:
                ink = rng.uniform(0.0, 0.25)
                for _ in range(int(rng.integers(2, 5))):
                    y0, y1 = np.sort(rng.integers(top + 8, top + row - 8, 2))
                    x0, x1 = np.sort(rng.integers(x, x + 18, 2))
                    if rng.random() < 0.4:
                        image[y0:y1 + 4, x0:x0 + 4] = ink
                    elif rng.random() < 0.6:
                        image[y0:y0 + 4, x0:x1 + 4] = ink
                    else:
                        steps = np.linspace(0, 1, 32)
                        for t in steps:
                            y, z = int(y0 + t * (y1 - y0)), int(x0 + t * (x1 - x0))
                            image[y:y + 3, z:z + 4] = ink
                x += int(rng.integers(20, 30)) + (14 if rng.random() < 0.2 else 0)
    out += rng.normal(0, 0.01, out.shape)
    colour = np.broadcast_to(out.reshape(*outer[:-1], 1, height, width), shape)
    return low + (high - low) * np.clip(colour, 0, 1)


@functools.cache
def printed_lines():
    """Pictures of lines, bytes (height, width) of heights and widths of their own."""
    with np.load(LINES) as data:
        return [data[key] for key in sorted(data.files) if key.startswith("line")]


def draw_lines(shape, low, high, rng):
    """One line beside the other, the last cut at the right."""
    *outer, height, width = shape
    out = np.empty((math.prod(outer[:-1]), height, width))
    for image in out:
        at = 0
        while at < width:
            line = printed_lines()[int(rng.integers(len(printed_lines())))]
            rows = line[np.arange(height) * line.shape[0] // height][:, :width - at]
            image[:, at:at + rows.shape[1]] = rows / 255
            at += rows.shape[1]
    out = np.clip(out + rng.normal(0, 0.01, out.shape), 0, 1)
    return low + (high - low) * np.broadcast_to(out.reshape(*outer[:-1], 1, height, width), shape)


ALPHABETS = (b"0123456789,,,.\n", b"  abcdefghijklmnopqrstuvwxyz.\n", b"  (){};=+-*/<>abcdeint\n\t", b"<>/=\"divspanhref \n", bytes(range(256)))


def draw_bytes(shape, rng):
    rows = math.prod(shape[:-1])
    out = np.full((rows, shape[-1]), 256)
    first = int(rng.integers(len(ALPHABETS)))
    for i, row in enumerate(out):
        alphabet = np.frombuffer(ALPHABETS[(first + i) % len(ALPHABETS)], np.uint8)
        length = int(rng.integers(row.size // 2, row.size + 1))
        row[:length] = rng.choice(alphabet, length)
    return out.reshape(shape)


def draw_voice(shape, rng):
    """A second of a vowel-like sound is cut into rows of samples, each row starting anywhere."""
    *outer, samples = shape
    rows = math.prod(outer)
    time = (np.arange(samples) / 16000)[None] + rng.uniform(0, 1, (rows, 1))
    pitch = rng.uniform(100, 220, (rows, 1))
    phase = 2 * np.pi * (pitch * time + 5 * np.sin(2 * np.pi * 3 * time))
    sound = np.zeros((rows, samples))
    for harmonic in range(1, 21):
        loudness = sum(1 / (1 + ((harmonic * pitch - formant) / 120) ** 2) for formant in (500, 1500, 2500))
        sound += loudness * np.sin(harmonic * phase)
    sound = sound / np.abs(sound).max() * rng.uniform(0.2, 0.8, (rows, 1))
    return (sound + rng.normal(0, 0.01, sound.shape)).clip(-1, 1).reshape(shape)


def draw_input(about, size, rng):
    shape = [size[d] if isinstance(d, str) else d for d in about["shape"]]
    kind = about["kind"]
    if kind == "normal":
        value = about.get("mean", 0.0) + about.get("std", 1.0) * rng.standard_normal(shape)
    elif kind == "uniform":
        value = rng.uniform(about.get("low", 0.0), about.get("high", 1.0), shape)
    elif kind == "integers":
        value = rng.integers(int(about["low"]), int(about["high"]), shape)
    elif kind == "mask":
        length = shape[-1]
        ones = rng.integers(math.ceil(length / 2), length + 1, shape[:-1] + [1])
        position = np.arange(length)
        value = position < ones if about.get("pad", "right") == "right" else position >= length - ones
    elif kind == "range":
        start = size[about["offset"]] if about.get("offset") else 0
        value = np.broadcast_to(start + np.arange(shape[-1]), shape)
    elif kind == "size":
        value = np.full(shape, size[about["of"]])
    elif kind == "bytes":
        value = draw_bytes(shape, rng)
    elif kind == "page":
        value = draw_page(shape, about["low"], about["high"], rng)
    elif kind == "lines":
        value = draw_lines(shape, about["low"], about["high"], rng)
    elif kind == "voice":
        value = draw_voice(shape, rng)
    else:
        raise ValueError(f"unknown kind {kind!r}")
    return np.array(value, dtype=about["dtype"], order="C")


def draw(description, size, seed):
    """All inputs at one size. Masks and ranges depend on the size and the first seed only, so that a change of the seed changes
    what is seen and not how much."""
    inputs = {}
    for index, (name, about) in enumerate(description["inputs"].items()):
        own_seed = 0 if about["kind"] in ("mask", "range") else seed
        inputs[name] = draw_input(about, size, np.random.default_rng([own_seed, index]))
    return inputs


ONNX_DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16", "tensor(int64)": "int64",
               "tensor(int32)": "int32", "tensor(uint8)": "uint8", "tensor(int8)": "int8", "tensor(bool)": "bool"}


def derive(session):
    """A description from the declared inputs alone: numbers are normal, integers 0 or 1, a free dimension is 1 and then 2."""
    inputs, symbols = {}, {}
    for value in session.get_inputs():
        shape = []
        for axis, dim in enumerate(value.shape):
            if not isinstance(dim, int):
                dim = dim if isinstance(dim, str) and dim != "?" else f"{value.name}.{axis}"
                symbols[dim] = None
            shape.append(dim)
        dtype = ONNX_DTYPES[value.type]
        kind = {"kind": "normal"} if dtype.startswith("float") else {"kind": "integers", "low": 0, "high": 2}
        inputs[value.name] = {"dtype": dtype, "shape": shape, **kind}
    return {"inputs": inputs, "sizes": [dict.fromkeys(symbols, n) for n in ((1, 2) if symbols else (1,))]}


def own_description(path):
    """The inputs.json next to a model, or None."""
    own = path.parent / "inputs.json"
    return json.loads(own.read_text()) if own.exists() else None


def known_by_name(name):
    """What is known of the model of that name, or None."""
    return next((description for pattern, description in KNOWN if re.fullmatch(pattern, name)), None)


def known_description(name, path):
    """inputs.json next to the model, else what is known by its name, else None."""
    return own_description(path) or known_by_name(name)


def describe(name, path, session):
    """The description of a model: what is known of it, else what its inputs say."""
    return known_description(name, path) or derive(session)

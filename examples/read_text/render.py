#!/usr/bin/env python3
"""Renders the sample text lines with a free font and, given the recognition model, checks that it reads them.

    render.py [--font FILE] [--check MODEL]

Needs pillow; the check also numpy and onnxruntime. The font is DejaVu Sans (Debian: fonts-dejavu-core).
"""

import argparse
import math
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
HEIGHT = 48

# File: text, image height, font size, margin left and right, mode, paper, ink.
LINES = {
    "hello.png": ("onnxrun reads this line 2026", 96, 64, 6, "L", 255, 20),
    "colour.png": ("Every operator, every opset.", 64, 46, 10, "RGB", (235, 240, 250), (20, 50, 120)),
}


def render(text, height, size, margin, mode, paper, ink, font_file):
    font = ImageFont.truetype(font_file, size)
    image = Image.new(mode, (math.ceil(font.getlength(text)) + 2 * margin, height), paper)
    ImageDraw.Draw(image).text((margin, height / 2), text, font=font, fill=ink, anchor="lm")
    return image


def read(session, image):
    """The text of a line and the lowest probability among its characters, by the rules of README.md."""
    import numpy as np

    width = math.ceil(HEIGHT * image.width / image.height)
    pixels = np.asarray(image.convert("RGB").resize((width, HEIGHT), Image.Resampling.BILINEAR), np.float32)
    x = (pixels[:, :, ::-1] / 255 - 0.5) / 0.5
    x = np.ascontiguousarray(x.transpose(2, 0, 1)[None])
    (steps,) = session.run(None, {session.get_inputs()[0].name: x})[0]
    table = [""] + session.get_modelmeta().custom_metadata_map["character"].split("\n") + [" "]
    best = steps.argmax(1)
    kept = (best != 0) & np.concatenate([[True], best[1:] != best[:-1]])
    return "".join(table[i] for i in best[kept]), float(steps.max(1)[kept].min())


def main():
    parser = argparse.ArgumentParser(description="Render the sample text lines.")
    parser.add_argument("--font", default=FONT)
    parser.add_argument("--check", metavar="MODEL", help="ch_PP-OCRv4_rec_infer.onnx")
    args = parser.parse_args()
    folder = Path(__file__).resolve().parent
    for name, line in LINES.items():
        render(*line, args.font).save(folder / name, optimize=True)
    if not args.check:
        return 0

    import onnxruntime

    session = onnxruntime.InferenceSession(args.check, providers=["CPUExecutionProvider"])
    failed = 0
    for name, line in LINES.items():
        text, worst = read(session, Image.open(folder / name))
        print(f"{name}: {text!r}, lowest probability {worst:.3f}")
        if text != line[0]:
            print(f"error: expected {line[0]!r}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())

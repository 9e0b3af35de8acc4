#!/usr/bin/env python3
"""Makes the data of the tasks from their sources: sentences as tokens, pictures of lines, digits.

    make.py sentences VOCABULARY    sentences.json from sentences.txt, with all-MiniLM-L6-v2's vocab.txt; needs tokenizers
    make.py lines                   lines.npz; needs pillow, numpy and the DejaVu fonts
    make.py files                   files.npz from this repository's files: what Magika reads of each; needs numpy
    make.py digits                  digits.npz from scikit-learn's digits; needs scikit-learn
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
HEIGHT = 48
FONTS = "/usr/share/fonts/truetype/dejavu/"
STYLES = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "DejaVuSans-Bold", "DejaVuSerif-Italic", "DejaVuSansCondensed")
# The first are read, the last calibrate.
TEXTS = (
    "Invoice 20417, due 31 March", "Total amount: 1,284.50", "Please keep this side up", "Platform 9 to Edinburgh", "Serial no. AX-77310-B",
    "open daily from 8 to 17", "Do not cover the vents", "Rue de la Paix 12, Paris", "Version 3.14.159 (beta)", "Fragile: handle with care",
    "ISBN 978-0-262-03384-8", "The quick brown fox jumps", "over the lazy dog again", "Warranty void if removed", "Net weight 750 g",
    "Gate B42 closes at 10:25", "Emergency exit only", "Best before: see lid", "Page 118 of 240", "Wi-Fi password: hunter2",
    "Made of recycled paper", "No parking after 6 pm", "Boil for 7 to 9 minutes", "Room 305, second floor",
    "Return to sender", "Receipt no. 55120", "Mind the gap, please", "Lot 18-C, 4.2 litres", "Quiet carriage, seat 61", "Zone 2, valid 90 min",
    "Answer yes or no below", "Kilometre 1,204 of 3,070")


def sentences(vocabulary):
    from tokenizers import BertWordPieceTokenizer

    tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
    texts = (HERE / "sentences.txt").read_text().split("\n")[:-1]
    tokens = [tokenizer.encode(text).ids for text in texts]
    (HERE / "sentences.json").write_text("[" + ",\n".join(json.dumps(ids) for ids in tokens) + "]\n")


def lines():
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    arrays = {"texts": np.array(TEXTS)}
    for i, text in enumerate(TEXTS):
        font = ImageFont.truetype(f"{FONTS}{STYLES[i % len(STYLES)]}.ttf", 26 + i % 4 * 3)
        image = Image.new("L", (int(font.getlength(text)) + 16 + i % 5 * 4, HEIGHT), 235 - i % 3 * 20)
        ImageDraw.Draw(image).text((8, HEIGHT / 2), text, font=font, fill=15 + i % 4 * 20, anchor="lm")
        arrays[f"line{i:02}"] = np.asarray(image)
    np.savez_compressed(HERE / "lines.npz", **arrays)


FOLDERS = ("src", "tests", "tools", "python", "providers", "examples", "proto", "include", "cmake")
ENDINGS = ("py", "cpp", "h", "md", "txt", "sh", "js", "css", "cmake", "png", "jpg", "bmp", "tif", "webp", "jp2", "pnm", "ppm", "onnx", "npz", "json", "toml", "proto",
           "in", "cu", "hpp", "pyi", "yml")


def features(file):
    """The first and the last 1,024 bytes; 256 where there are none."""
    import numpy as np

    content = file.read_bytes()
    begin, end = content[:4096].lstrip()[:1024], content[-4096:].rstrip()[-1024:]
    result = np.full(2048, 256, np.uint16)
    result[:len(begin)] = list(begin)
    result[2048 - len(end):] = list(end)
    return result


def files():
    import numpy as np

    read, calibrating = [], []
    for ending in ENDINGS:
        # But for the fuzzers' files, which are damaged.
        found = sorted(f for folder in FOLDERS for f in (ROOT / folder).rglob("*." + ending)
                       if f.is_file() and f.stat().st_size >= 64 and "corpus" not in f.parts)
        chosen = found[:: max(1, len(found) // 16)][:16]
        held_back = len(chosen) // 4
        read += chosen[: len(chosen) - held_back]
        calibrating += chosen[len(chosen) - held_back:]
    np.savez_compressed(HERE / "files.npz", read=np.stack([features(f) for f in read]), calibrating=np.stack([features(f) for f in calibrating]))


def digits():
    import numpy as np
    from sklearn.datasets import load_digits

    data = load_digits()
    images = data.images.astype(np.uint8)
    # What examples/digits/train.py held out, and some of what it trained on.
    np.savez_compressed(HERE / "digits.npz", images=images[-360:], labels=data.target[-360:].astype(np.uint8), training=images[:128])


if __name__ == "__main__":
    {"sentences": sentences, "lines": lines, "files": files, "digits": digits}[sys.argv[1]](*sys.argv[2:])

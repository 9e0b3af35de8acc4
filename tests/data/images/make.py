#!/usr/bin/env python3
"""Writes the images beside this file, and what Pillow (an independent decoder for most of them) makes of them: NAME.ext and NAME.ext.ppm.

Needs Pillow and NumPy; run once, the results are kept."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
rng = np.random.default_rng(7)
WIDTH, HEIGHT = 13, 9
ramp = np.stack([np.add.outer(np.arange(HEIGHT) * 20, np.arange(WIDTH) * 5), np.add.outer(np.arange(HEIGHT) * 3, np.arange(WIDTH) * 17),
                 rng.integers(0, 256, (HEIGHT, WIDTH))], -1).clip(0, 255).astype(np.uint8)
rgb = Image.fromarray(ramp)
smooth = Image.fromarray(np.repeat(ramp[..., :1], 3, -1) // 2 + ramp[..., [0, 1, 0]] // 2)


def save(name, image, **options):
    stream = io.BytesIO()
    image.save(stream, **options)
    write(name, stream.getvalue())


def write(name, data, expected=None):
    (HERE / name).write_bytes(data)
    expected = Image.open(io.BytesIO(data)).convert("RGB") if expected is None else expected
    expected.save(HERE / f"{name}.ppm", format="PPM")


save("plain.jpg", smooth, format="JPEG", quality=90)
save("progressive.jpg", smooth, format="JPEG", quality=80, progressive=True)
save("gray.jpg", smooth.convert("L"), format="JPEG")
save("cmyk.jpg", smooth.convert("CMYK"), format="JPEG", quality=95)
save("plain.png", rgb, format="PNG")
save("palette.png", rgb.convert("P", palette=Image.Palette.ADAPTIVE, colors=16), format="PNG", bits=4)
save("gray.png", rgb.convert("L"), format="PNG")
save("bits.png", rgb.convert("1"), format="PNG")
alpha = rgb.copy()
alpha.putalpha(100)
write("alpha.png", (lambda s: (alpha.save(s, format="PNG"), s.getvalue())[1])(io.BytesIO()), rgb)
save("lzw.tif", rgb, format="TIFF", compression="tiff_lzw")
save("deflate.tif", rgb, format="TIFF", compression="tiff_adobe_deflate")
save("gray.tif", rgb.convert("L"), format="TIFF")
save("bits.tif", rgb.convert("1"), format="TIFF", compression="group4")
save("lossless.webp", rgb, format="WEBP", lossless=True)
save("lossy.webp", smooth, format="WEBP", quality=90)
save("animated.webp", rgb, format="WEBP", lossless=True, save_all=True, append_images=[smooth])
save("lossless.jp2", rgb, format="JPEG2000")
save("gray.jp2", rgb.convert("L"), format="JPEG2000")
save("stream.j2k", rgb, format="JPEG2000", no_jp2=True)
save("plain.bmp", rgb, format="BMP")
save("palette.bmp", rgb.convert("P", palette=Image.Palette.ADAPTIVE), format="BMP")
save("bits.bmp", rgb.convert("1"), format="BMP")
save("alpha.bmp", rgb.convert("RGBA"), format="BMP")

# Kinds of bitmaps that Pillow reads but does not write: 16 bits with and without bit fields, run lengths, the OS/2 header, top down.
def bitmap(bits, compression, pixels, palette=b"", height=HEIGHT, masks=b"", size=40):
    if size == 12:
        header = b"".join(v.to_bytes(n, "little") for v, n in ((12, 4), (WIDTH, 2), (HEIGHT, 2), (1, 2), (bits, 2)))
    else:
        header = b"".join(v.to_bytes(n, "little", signed=v < 0) for v, n in (
            (40, 4), (WIDTH, 4), (height, 4), (1, 2), (bits, 2), (compression, 4), (len(pixels), 4), (0, 4), (0, 4), (len(palette) // 4, 4), (0, 4)))
    start = 14 + len(header) + len(masks) + len(palette)
    return b"BM" + (start + len(pixels)).to_bytes(4, "little") + bytes(4) + start.to_bytes(4, "little") + header + masks + palette + pixels


five = (ramp >> 3).astype(np.uint16)
wide = np.zeros((HEIGHT, WIDTH + 1), np.uint16)
wide[:, :WIDTH] = five[..., 0] << 10 | five[..., 1] << 5 | five[..., 2]
write("five.bmp", bitmap(16, 0, wide[::-1].tobytes()))
six = np.zeros((HEIGHT, WIDTH + 1), np.uint16)
six[:, :WIDTH] = five[..., 0] << 11 | (ramp[..., 1].astype(np.uint16) >> 2) << 5 | five[..., 2]
write("six.bmp", bitmap(16, 3, six[::-1].tobytes(), masks=b"".join(m.to_bytes(4, "little") for m in (0xF800, 0x7E0, 0x1F))))
rows = np.zeros((HEIGHT, (WIDTH * 3 + 3) // 4 * 4), np.uint8)
rows[:, :WIDTH * 3] = ramp[..., ::-1].reshape(HEIGHT, -1)
write("down.bmp", bitmap(24, 0, rows.tobytes(), height=-HEIGHT))
write("os2.bmp", bitmap(24, 0, rows[::-1].tobytes(), size=12))
colours = bytes(v for i in range(256) for v in (i, 255 - i, i // 2, 0))
index = (ramp[..., 0] // 40).astype(np.uint8)
runs = b""
for row in index[::-1]:
    runs += bytes([0, 3, *row[:3], 0])
    for value in row[3:]:
        runs += bytes([1, int(value)])
    runs += b"\0\0"
write("runs.bmp", bitmap(8, 1, runs + b"\0\1", colours), Image.fromarray(np.stack([index // 2, 255 - index, index], -1).astype(np.uint8)))

gray = np.asarray(rgb.convert("L"))
write("raw.ppm", f"P6 # remark\n{WIDTH} {HEIGHT}\n255\n".encode() + ramp.tobytes())
write("text.ppm", f"P3\n{WIDTH} {HEIGHT}\n255\n{' '.join(map(str, ramp.ravel()))}\n".encode(), rgb)
write("raw.pgm", f"P5\n{WIDTH} {HEIGHT} 255\n".encode() + gray.tobytes())
deep = gray.astype(np.uint16) * 257
write("deep.pgm", f"P5\n{WIDTH} {HEIGHT} 65535\n".encode() + deep.astype(">u2").tobytes(), rgb.convert("L").convert("RGB"))
write("text.pgm", f"P2\n{WIDTH} {HEIGHT} 255\n{' '.join(map(str, gray.ravel()))}".encode(), rgb.convert("L").convert("RGB"))
bits = gray > 127
white = Image.fromarray(np.repeat((bits * 255).astype(np.uint8)[..., None], 3, -1))
write("raw.pbm", f"P4\n{WIDTH} {HEIGHT}\n".encode() + np.packbits(~bits, axis=1).tobytes(), white)
write("text.pbm", f"P1\n{WIDTH} {HEIGHT}\n{''.join('01'[int(not b)] for b in bits.ravel())}\n".encode(), white)
write("pam.pam", f"P7\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n".encode() + np.asarray(rgb.convert("RGBA")).tobytes(), rgb)

"""Convolutions of the rarer kinds, products, recurrent networks, detection and signals."""

import numpy as np
from case import Case, Input, drawn, f32, fixed, i64, weight


def cases():
    yield from convolutions()
    yield from products()
    yield from recurrent()
    yield from detection()
    yield from signals()


def convolution(op, image, filters, **attributes):
    return Case(op, [f32(*image), weight(*filters), weight(filters[0] if op == "Conv" else filters[1] * attributes.get("group", 1))], attributes)


def convolutions():
    same = {"pads": [1, 1, 1, 1]}
    yield convolution("Conv", (1, 80, 3000), (384, 80, 3), pads=[1, 1])
    yield convolution("Conv", (1, 64, 1000), (64, 64, 7), pads=[9, 9], dilations=[3])
    yield convolution("Conv", (1, 1, 16000), (512, 1, 10), strides=[5])
    yield convolution("Conv", (1, 512, 400), (512, 1, 31), pads=[15, 15], group=512)
    yield convolution("Conv", (1, 16, 16, 28, 28), (32, 16, 3, 3, 3), pads=[1] * 6)
    yield convolution("Conv", (1, 128, 28, 28), (128, 4, 3, 3), group=32, **same)
    yield convolution("Conv", (1, 120, 28, 28), (120, 1, 5, 5), group=120, pads=[2] * 4)
    yield convolution("Conv", (1, 96, 56, 56), (96, 1, 7, 7), group=96, pads=[3] * 4)
    yield convolution("Conv", (1, 96, 56, 56), (96, 1, 3, 3), group=96, strides=[2, 2], **same)
    yield convolution("Conv", (1, 64, 28, 28), (64, 64, 3, 3), dilations=[2, 2], pads=[2] * 4)
    yield convolution("Conv", (1, 3, 224, 224), (16, 3, 3, 3), strides=[2, 2], **same)
    yield convolution("Conv", (1, 1, 28, 28), (6, 1, 5, 5))
    yield convolution("Conv", (1, 3, 112, 112), (5, 3, 3, 3), **same)
    yield convolution("ConvTranspose", (1, 64, 28, 28), (64, 32, 2, 2), strides=[2, 2])
    yield convolution("ConvTranspose", (1, 64, 28, 28), (64, 32, 4, 4), strides=[2, 2], **same)
    yield convolution("ConvTranspose", (1, 64, 28, 28), (64, 32, 3, 3), strides=[2, 2], output_padding=[1, 1], **same)
    yield convolution("ConvTranspose", (1, 256, 100), (256, 128, 16), strides=[8], pads=[4, 4])


def products():
    for a, b in (((12, 128, 64), (12, 64, 128)), ((12, 1, 64), (12, 64, 512)), ((1, 768), (768, 768)), ((512, 512), (512, 512)), ((128, 768), (768,)), ((64, 3, 3), (64, 3, 3))):
        yield Case("MatMul", [f32(*a), f32(*b)])
    for rows in (2, 4, 8, 9):
        for columns in (15, 31, 512):
            yield Case("MatMul", [f32(rows, 768), f32(768, columns)])
    yield Case("MatMul", [drawn("float64", 256, 256), drawn("float64", 256, 256)])
    yield Case("MatMul", [drawn("int32", 256, 256), drawn("int32", 256, 256)])
    yield Case("Gemm", [f32(64, 256), weight(256, 128), weight(128)])
    yield Case("MatMulInteger", [drawn("uint8", 128, 512), weight(512, 512, dtype=np.int8)])
    for equation, *shapes in (("bhid,bhjd->bhij", (1, 8, 128, 64), (1, 8, 128, 64)), ("bij,bjk->bik", (8, 128, 64), (8, 64, 128)), ("bd,d->b", (64, 512), (512,)),
                              ("bchw,hkc->bkhw", (1, 64, 14, 14), (14, 14, 64)), ("ij,ij->i", (256, 256), (256, 256)), ("ij->ji", (512, 512))):
        yield Case("Einsum", [f32(*shape) for shape in shapes], {"equation": equation})
    yield Case("Det", [f32(64, 8, 8)])


def recurrent():
    for steps, batch, size, hidden in ((50, 1, 128, 128), (100, 8, 256, 256)):
        for op, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
            weights = [weight(1, gates * hidden, size), weight(1, gates * hidden, hidden), weight(1, 2 * gates * hidden)]
            yield Case(op, [f32(steps, batch, size, low=-1, high=1), *weights], {"hidden_size": hidden})


def detection():
    for count in (300, 8400):
        boxes = Input((1, count, 4), np.dtype(np.float32), lambda rng, n=count: np.concatenate([corner := rng.uniform(0, 600, (n, 2)), corner + rng.uniform(8, 60, (n, 2))], 1))
        scores = f32(1, 4, count, low=0, high=1)
        yield Case("NonMaxSuppression", [boxes, scores, fixed(100), fixed([0.5], np.float32), fixed([0.5], np.float32)])
    yield Case("MaxRoiPool", [f32(1, 64, 28, 28), fixed([[0, 1, 1, 20, 20]] * 32, np.float32)], {"pooled_shape": [7, 7]})


def signals():
    window = np.hanning(400)
    yield Case("STFT", [f32(1, 16000, 1), fixed(160), fixed(window, np.float32)])
    yield Case("STFT", [f32(1, 16000, 1), fixed(128), None, fixed(512)])
    for size in (512, 400, 1000):
        yield Case("DFT", [f32(64, size, 1), None, fixed(1)], {"onesided": 1})
        yield Case("DFT", [f32(64, size, 2), None, fixed(1)])
    yield Case("DFT", [f32(64, 512, 2), None, fixed(1)], {"inverse": 1})
    yield Case("MelWeightMatrix", [fixed(80), fixed(512), fixed(16000), fixed(0.0, np.float32), fixed(8000.0, np.float32)])
    yield Case("TfIdfVectorizer", [drawn("int64", 64, 100, high=50)],
               {"mode": "TF", "min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0, "ngram_counts": [0], "ngram_indexes": list(range(50)),
                "pool_int64s": list(range(50))})

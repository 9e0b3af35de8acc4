"""44–55: sizes from values, refused before anything is allocated."""

import numpy as np

from refusal_cases.building import BIG, F, HUGE, LIMIT, ints, one, ones


def add():
    one("44 filling 2^40", "ConstantOfShape", [ints(BIG)], LIMIT)
    one("44 filling beyond 64 bits", "ConstantOfShape", [ints(1 << 33, 1 << 33)], LIMIT)
    one("44 filling a negative size", "ConstantOfShape", [ints(-1)], "negative|-1")
    one("45 folding 3 GB", "Expand", [ones(1), ints(3 << 28)], LIMIT)
    one("46 tiling", "Tile", [ones(2), ints(BIG)], LIMIT)
    one("46 tiling beyond 64 bits", "Tile", [ones(4, 4), ints(HUGE, HUGE)], LIMIT)
    one("46 tiling a negative number of times", "Tile", [ones(2), ints(-3)], "negative|-3")
    one("46 tiling with a wrong number of repeats", "Tile", [ones(2), ints(1, 2)], "repeats")
    one("47 expanding", "Expand", [ones(1, 1), ints(1 << 32, 1 << 32)], LIMIT)
    one("47 expanding to a negative size", "Expand", [ones(1), ints(-4)], "negative|-4")
    one("48 a range of 2^62", "Range", [np.int64(0), np.int64(HUGE), np.int64(1)], LIMIT)
    one("48 a range from one end to the other", "Range", [np.int64(-(1 << 63)), np.int64((1 << 63) - 1), np.int64(1)], LIMIT)
    one("48 a range to infinity", "Range", [F(0), F("inf"), F(1)], LIMIT + "|finite|infinit|inf")
    one("48 a range of nan", "Range", [F("nan"), F(1), F(1)], "finite|nan|number")
    one("48 a range with step 0", "Range", [np.int64(0), np.int64(3), np.int64(0)], "delta")
    one("49 one-hot depth", "OneHot", [ints(1), np.int64(BIG), np.array([0, 1], F)], LIMIT)
    one("49 negative one-hot depth", "OneHot", [ints(1), np.int64(-5), np.array([0, 1], F)], "depth")
    one("50 the largest of too few", "TopK", [ones(3), ints(5)], "5", outputs=2)
    one("50 the largest -1", "TopK", [ones(3), ints(-1)], "-1|negative", outputs=2)
    for pad in (HUGE, -HUGE):
        one(f"51 pads of {pad}", "Pad", [ones(3), ints(pad, pad)], LIMIT + "|pad")
    one("51 cropping to 2^62", "CenterCropPad", [ones(3, 3), ints(HUGE, HUGE)], LIMIT)
    one("51 cropping to -2^62", "CenterCropPad", [ones(3, 3), ints(-HUGE, 3)], "negative|shape")
    for scale in (1e30, 0, float("nan"), -2):
        one(f"52 scales of {scale}", "Resize", [ones(1, 1, 4, 4), None, np.array([1, 1, scale, scale], F)], LIMIT + "|scale")
    one("52 wrong number of scales", "Resize", [ones(1, 1, 4, 4), None, np.array([2, 2], F)], "scales")
    one("52 wrong number of sizes", "Resize", [ones(1, 1, 4, 4), None, None, ints(2)], "sizes")
    one("52 sizes of 2^40", "Resize", [ones(1, 1, 4, 4), None, None, ints(1, 1, BIG, BIG)], LIMIT)
    one("53 columns to a huge image", "Col2Im", [ones(1, 4, 1), ints(BIG, BIG), ints(2, 2)], LIMIT + "|columns|blocks|image")
    one("53 columns to no image", "Col2Im", [ones(1, 4, 1), ints(-1, 1), ints(2, 2)], "image|negative|-1")
    for name, value in (("strides", [0, 0]), ("dilations", [0, 1]), ("pads", [HUGE] * 4), ("pads", [-1] * 4)):
        one(f"53 columns with {name} {value}", "Col2Im", [ones(1, 4, 1), ints(2, 2), ints(2, 2)], name, **{name: value})
    one("53 columns of blocks of size 0", "Col2Im", [ones(1, 4, 1), ints(2, 2), ints(0, 2)], "block|positive|0")
    for op in ("HannWindow", "HammingWindow", "BlackmanWindow"):
        one(f"54 a window of 2^40, {op}", op, [np.int64(BIG)], LIMIT)
        one(f"54 a window of -1, {op}", op, [np.int64(-1)], "size|negative")
    one("54 a huge mel matrix", "MelWeightMatrix", [np.int64(1 << 30), np.int64(1 << 30), np.int64(8000), F(0), F(4000)], LIMIT)
    one("54 a negative mel matrix", "MelWeightMatrix", [np.int64(-4), np.int64(8), np.int64(8000), F(0), F(4000)], "num_mel_bins|negative|-4")
    one("55 split into 2^40", "Split", [ones(4)], "num_outputs|outputs", num_outputs=BIG)
    one("55 split with a wrong sum", "Split", [ones(4), ints(1, 1)], "split|4", outputs=2)
    one("55 a split of negative parts", "Split", [ones(4), ints(-1, 5)], "negative|-1", outputs=2)

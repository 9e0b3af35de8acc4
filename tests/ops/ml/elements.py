"""Cases of operators on elements, labels and maps."""

import numpy as np
from onnx import TensorProto as T
from onnx import helper, numpy_helper

from node_case import Case

F, D, I, J = np.float32, np.float64, np.int64, np.int32
NUMBERS = (F, D, I, J)
KIND = {np.dtype(F): T.FLOAT, np.dtype(D): T.DOUBLE, np.dtype(I): T.INT64, np.dtype(J): T.INT32, np.dtype(np.int16): T.INT16, np.dtype("O"): T.STRING}


def kind_of(array):
    return KIND[array.dtype]


def strings(values, shape=None):
    array = np.array(values, dtype=object)
    return array if shape is None else array.reshape(shape)


def numbers(rng, dtype, *shape):
    return (rng.standard_normal(shape) * 4).astype(dtype)


def array_feature_extractor(rng):
    for dtype in NUMBERS:
        x = numbers(rng, dtype, 3, 5)
        yield Case("ArrayFeatureExtractor", [x, np.array([[4, 0, 0]])], [kind_of(x)], note=f"{np.dtype(dtype)}")
    words = strings(list("abcdef"), (2, 3))
    yield Case("ArrayFeatureExtractor", [words, np.array([2, 1])], [T.STRING], note="strings", expected=[words[:, [2, 1]]])
    x = numbers(rng, F, 2, 3, 4)
    yield Case("ArrayFeatureExtractor", [x, np.array([[1], [3]])], [T.FLOAT], note="three dims")
    yield Case("ArrayFeatureExtractor", [x[0, 0], np.array([3, 1])], [T.FLOAT], note="vector")
    yield Case("ArrayFeatureExtractor", [x[:0], np.array([3, 1])], [T.FLOAT], note="no rows", expected=[x[:0, :, [3, 1]]])
    yield Case("ArrayFeatureExtractor", [x, np.array([], I)], [T.FLOAT], note="no indices", expected=[x[..., :0]])


def binarizer(rng):
    for dtype in NUMBERS:
        x = numbers(rng, dtype, 4, 5)
        for threshold in (0.0, 1.5, -2.0, 1e30, -1e30):
            yield Case("Binarizer", [x], [kind_of(x)], {"threshold": threshold}, note=f"{np.dtype(dtype)} {threshold}", expected=[(x > threshold).astype(dtype)])
    x = np.array([np.nan, np.inf, -np.inf, 0.0], F)
    yield Case("Binarizer", [x], [T.FLOAT], note="default and NaN", expected=[np.array([0, 1, 0, 0], F)])
    edge = np.array([2**53 + 1, 2**63 - 1, -(2**63)], I)
    yield Case("Binarizer", [edge], [T.INT64], {"threshold": float(2**53)}, note="beyond doubles", expected=[np.array([1, 1, 0], I)])


def imputer(rng):
    for dtype in NUMBERS:
        floats = np.dtype(dtype).kind == "f"
        x = rng.integers(-2, 3, (5, 4)).astype(dtype)
        old, new = ("replaced_value_float", "imputed_value_floats") if floats else ("replaced_value_int64", "imputed_value_int64s")
        cast = float if floats else int
        yield Case("Imputer", [x], [kind_of(x)], {old: cast(-1), new: [cast(7)]}, note=f"{np.dtype(dtype)} one", expected=[np.where(x == -1, 7, x).astype(dtype)])
        values = [cast(v) for v in (7, 8, 9, 10)]
        yield Case("Imputer", [x], [kind_of(x)], {new: values}, note=f"{np.dtype(dtype)} each", expected=[np.where(x == 0, np.array(values, dtype), x)])
        if floats:
            x[x == 2] = np.nan
            yield Case("Imputer", [x], [kind_of(x)], {old: float("nan"), new: values}, note=f"{np.dtype(dtype)} NaN", expected=[np.where(np.isnan(x), np.array(values, dtype), x)])
            yield Case("Imputer", [x[0]], [kind_of(x)], {old: float("nan"), new: values}, note=f"{np.dtype(dtype)} vector", expected=[np.where(np.isnan(x[0]), np.array(values, dtype), x[0])])


def scaler(rng):
    offset, scale = [0.5, -1.0, 3.0], [2.0, 0.25, -1.0]
    for dtype in NUMBERS:
        x = numbers(rng, dtype, 4, 3)
        yield Case("Scaler", [x], [T.FLOAT], {"offset": offset, "scale": scale}, note=f"{np.dtype(dtype)} each")
        yield Case("Scaler", [x], [T.FLOAT], {"offset": [1.5], "scale": [0.1]}, note=f"{np.dtype(dtype)} one")
        yield Case("Scaler", [x[0]], [T.FLOAT], {"offset": offset, "scale": scale}, note=f"{np.dtype(dtype)} vector")
    yield Case("Scaler", [numbers(rng, F, 0, 3)], [T.FLOAT], {"offset": offset, "scale": scale}, note="no rows", expected=[np.zeros((0, 3), F)])
    x = numbers(rng, F, 2, 3)
    yield Case("Scaler", [x], [T.FLOAT], {"scale": [3.0]}, note="no offset", expected=[x * F(3)])


def normalizer(rng):
    for norm in ("MAX", "L1", "L2"):
        for dtype in NUMBERS:
            x = numbers(rng, dtype, 4, 5)
            x[1] = 0
            magnitude = np.abs(x.astype(D))
            by = {"MAX": magnitude.max(1), "L1": magnitude.sum(1), "L2": np.sqrt((magnitude**2).sum(1))}[norm]
            by[by == 0] = 1
            yield Case("Normalizer", [x], [T.FLOAT], {"norm": norm}, note=f"{norm} {np.dtype(dtype)}", expected=[(x / by[:, None]).astype(F)])
            yield Case("Normalizer", [x[0]], [T.FLOAT], {"norm": norm}, note=f"{norm} {np.dtype(dtype)} vector", expected=[(x[0] / by[0]).astype(F)])


def feature_vectorizer(rng):
    for dtype in NUMBERS:
        parts = [numbers(rng, dtype, 3, 2), numbers(rng, dtype, 3, 1), numbers(rng, dtype, 3, 4)]
        out = np.concatenate([parts[0], parts[1], np.zeros((3, 1)), parts[2][:, :3]], axis=1).astype(F)
        yield Case("FeatureVectorizer", parts, [T.FLOAT], {"inputdimensions": [2, 2, 3]}, note=f"{np.dtype(dtype)}", expected=[out])
    a, b = numbers(rng, F, 3), numbers(rng, F, 1, 2)
    yield Case("FeatureVectorizer", [a, b], [T.FLOAT], {"inputdimensions": [3, 2]}, note="vector")


def one_hot_encoder(rng):
    for dtype in NUMBERS:
        x = rng.integers(-1, 4, (3, 2)).astype(dtype)
        if np.dtype(dtype).kind == "f":
            x += x.dtype.type(0.25)
        expected = np.stack([(x.astype(I) == k) for k in (3, 0, 1)], -1).astype(F)
        yield Case("OneHotEncoder", [x], [T.FLOAT], {"cats_int64s": [3, 0, 1]}, note=f"{np.dtype(dtype)}", expected=[expected])
    words = strings(["b", "a", "zz", "c"], (2, 2))
    yield Case("OneHotEncoder", [words], [T.FLOAT], {"cats_strings": ["a", "b", "c"]}, note="strings")
    yield Case("OneHotEncoder", [np.array([[[1, 2]]])], [T.FLOAT], {"cats_int64s": [2, 1], "zeros": 0}, note="three dims")
    yield Case("OneHotEncoder", [np.array(2)], [T.FLOAT], {"cats_int64s": [2, 1]}, note="scalar", expected=[np.array([1, 0], F)])
    yield Case("OneHotEncoder", [np.array([np.nan, np.inf, 1e30, 1.0], F)], [T.FLOAT], {"cats_int64s": [0, 1]}, note="no integers",
               expected=[np.array([[0, 0], [0, 0], [0, 0], [0, 1]], F)])


def label_lists(rng):
    """For each element type: keys, values, the elements to look up (one of which is no key), and a default."""
    floats = np.array([1.5, np.nan, -2.0, 0.0], F)
    return {
        "string": (strings(["p", "", "ünï", "q"]), strings(["one", "two", "three", ""]), strings(["q", "x", "p", "ünï", ""]), "none"),
        "int64": (np.array([5, -7, 2**40, 0]), np.array([10, 20, 2**50, 40]), np.array([0, 1, 5, 2**40, -7]), 99),
        "int32": (np.array([5, -7, 2**20, 0], J), np.array([1, 2, 3, 4], J), np.array([0, 1, 5, 2**20, -7], J), 98),
        "int16": (np.array([5, -7, 2**10, 0], np.int16), np.array([1, 2, 3, 4], np.int16), np.array([0, 1, 5, 2**10, -7], np.int16), 97),
        "float32": (floats, np.array([0.5, 1.5, 2.5, 3.5], F), np.array([np.nan, 7.0, -2.0, 1.5, -0.0], F), 0.25),
        "float64": (floats.astype(D), np.array([0.1, 0.2, 0.3, 0.4], D), np.array([np.nan, 7.0, -2.0, 1.5, -0.0], D), 0.125),
    }


def look_up(keys, values, x, default):
    out = []
    for element in x:
        found = [i for i, key in enumerate(keys) if key == element or (key != key and element != element)]
        out.append(values[found[-1]] if found else default)
    return np.array(out, values.dtype)


def list_attribute(prefix, array, as_tensor):
    if not as_tensor and array.dtype in (np.dtype(I), np.dtype(F), np.dtype("O")):
        return {prefix + {"i": "_int64s", "f": "_floats", "O": "_strings"}[array.dtype.kind]: array.tolist()}
    return {prefix + "_tensor": numpy_helper.from_array(array)}


DEFAULTS = {"string": "_Unused", "int64": -1, "int32": -1, "int16": -1, "float32": -0.0, "float64": -0.0}


def label_encoder(rng):
    lists = label_lists(rng)
    for from_, (keys, _, x, _) in lists.items():
        for to, (_, values, _, default) in lists.items():
            for as_tensor in (False, True):
                attributes = {**list_attribute("keys", keys, as_tensor), **list_attribute("values", values, as_tensor)}
                note = f"{from_} to {to}{' as tensors' if as_tensor else ''}"
                plain = look_up(keys, values, x, DEFAULTS[to])
                yield Case("LabelEncoder", [x], [KIND[values.dtype]], attributes, note + " no default", 4, [plain])
                with_default = [look_up(keys, values, x, default)]
                tensor = {"default_tensor": numpy_helper.from_array(np.array([default], values.dtype))}
                yield Case("LabelEncoder", [x], [KIND[values.dtype]], {**attributes, **tensor}, note + " default tensor", 4, with_default)
                own = {"string": "default_string", "int64": "default_int64", "float32": "default_float"}.get(to)
                if own:
                    yield Case("LabelEncoder", [x], [KIND[values.dtype]], {**attributes, own: default}, note + " default", 4, with_default)
                    if not as_tensor and from_ in ("string", "int64", "float32"):
                        yield Case("LabelEncoder", [x], [KIND[values.dtype]], {**attributes, own: default}, note + " version 2", 2, with_default)
    keys = {"keys_int64s": [1, 2, 1], "values_int64s": [10, 20, 30]}
    yield Case("LabelEncoder", [np.array([[1, 2], [3, 1]])], [T.INT64], keys, "repeated key", 4, [np.array([[30, 20], [-1, 30]])])
    yield Case("LabelEncoder", [np.array([], I)], [T.INT64], keys, "empty", 4, [np.array([], I)])
    yield Case("LabelEncoder", [np.array(2)], [T.INT64], keys, "scalar", 4, [np.array(20)])
    classes = {"classes_strings": ["a", "b", "c"]}
    yield Case("LabelEncoder", [strings(["c", "x", "a"])], [T.INT64], classes, "version 1 strings", 1)
    yield Case("LabelEncoder", [strings(["c", "x", "a"])], [T.INT64], {**classes, "default_int64": 7}, "version 1 strings default", 1)
    yield Case("LabelEncoder", [np.array([2, 5, 0])], [T.STRING], {**classes, "default_string": "none"}, "version 1 integers", 1)


def category_mapper(rng):
    categories = {"cats_int64s": [3, -1, 8], "cats_strings": ["three", "minus", "eight"]}
    yield Case("CategoryMapper", [strings(["eight", "?", "minus"])], [T.INT64], categories, "strings")
    yield Case("CategoryMapper", [strings(["eight", "?"], (1, 2))], [T.INT64], {**categories, "default_int64": 5}, "strings default")
    yield Case("CategoryMapper", [np.array([8, 3, 4])], [T.STRING], {**categories, "default_string": "none"}, "integers")


def maps(rng):
    x = numbers(rng, F, 3, 3)
    rows = lambda keys, x: [{k: v for k, v in sorted(zip(keys, row))} for row in x.tolist()]
    yield Case("ZipMap", [x], [(T.INT64, T.FLOAT)], {"classlabels_int64s": [5, 3, 4]}, "integers", expected=[rows([5, 3, 4], x)])
    yield Case("ZipMap", [x], [(T.STRING, T.FLOAT)], {"classlabels_strings": ["b", "a", "c"]}, "strings", expected=[rows(["b", "a", "c"], x)])
    yield Case("ZipMap", [x[0]], [(T.INT64, T.FLOAT)], {"classlabels_int64s": [1, 2, 3]}, "vector", expected=[rows([1, 2, 3], x[:1])])
    yield Case("ZipMap", [x[:0]], [(T.INT64, T.FLOAT)], {"classlabels_int64s": [1, 2, 3]}, "no rows", expected=[[]])
    words = ["a", "b", "c"]
    for dtype in (F, D, I):
        value = {"c": dtype(4), "a": dtype(2), "unknown": dtype(9)}
        yield Case("DictVectorizer", [value], [KIND[np.dtype(dtype)]], {"string_vocabulary": words}, f"strings to {np.dtype(dtype)}", expected=[np.array([[2, 0, 4]], dtype)])
    for dtype in (F, D):
        yield Case("DictVectorizer", [{7: dtype(1), 2: dtype(3)}], [KIND[np.dtype(dtype)]], {"int64_vocabulary": [9, 2, 7]}, f"integers to {np.dtype(dtype)}", expected=[np.array([[0, 3, 1]], dtype)])
    yield Case("DictVectorizer", [{7: "seven"}], [T.STRING], {"int64_vocabulary": [9, 7]}, "integers to strings", expected=[strings([["", "seven"]])])
    value = {4: F(2.5), 0: F(-1.25), 2: F(3)}
    yield Case("CastMap", [value], [T.FLOAT], {}, "dense")
    yield Case("CastMap", [value], [T.FLOAT], {"map_form": "SPARSE", "max_map": 6}, "sparse")
    yield Case("CastMap", [value], [T.INT64], {"cast_to": "TO_INT64"}, "dense to int64")
    yield Case("CastMap", [value], [T.INT64], {"cast_to": "TO_INT64", "map_form": "SPARSE", "max_map": 5}, "sparse to int64")
    yield Case("CastMap", [value], [T.STRING], {"cast_to": "TO_STRING"}, "dense to strings", expected=[strings([["-1.25", "3.0", "2.5"]])])
    texts = {1: "-2.5", 3: "8"}
    yield Case("CastMap", [texts], [T.FLOAT], {"map_form": "SPARSE", "max_map": 4}, "sparse from strings", expected=[np.array([[0, -2.5, 0, 8]], F)])
    yield Case("CastMap", [texts], [T.STRING], {"cast_to": "TO_STRING"}, "strings", expected=[strings([["-2.5", "8"]])])


def cases(seed):
    rng = np.random.default_rng(seed)
    for part in (array_feature_extractor, binarizer, imputer, scaler, normalizer, feature_vectorizer, one_hot_encoder, label_encoder, category_mapper, maps):
        yield from part(rng)

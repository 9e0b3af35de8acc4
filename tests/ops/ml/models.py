"""Cases of linear models and support vector machines."""

import numpy as np
from onnx import TensorProto as T

from node_case import Case

F, D, I, J = np.float32, np.float64, np.int64, np.int32
NUMBERS = (F, D, I, J)
TRANSFORMS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO")


def floats(rng, *shape):
    return rng.standard_normal(shape).astype(F)


def attribute(array):
    return array.reshape(-1).tolist()


def inputs(rng, dtype, rows, features):
    return (rng.standard_normal((rows, features)) * 3).astype(dtype)


def linear(rng):
    w, b = floats(rng, 4, 6) * F(0.3), floats(rng, 4)
    for dtype in NUMBERS:
        x = inputs(rng, dtype, 7, 6)
        for transform in TRANSFORMS:
            attributes = {"coefficients": attribute(w), "intercepts": attribute(b), "post_transform": transform}
            note = f"{np.dtype(dtype)} {transform}"
            yield Case("LinearClassifier", [x], [T.INT64, T.FLOAT], {**attributes, "classlabels_ints": [4, 3, 2, 9]}, note, rtol=1e-4, atol=1e-5)
            yield Case("LinearRegressor", [x], [T.FLOAT], {**attributes, "targets": 4}, note, rtol=1e-4, atol=1e-5, peer_type=F)
    x = inputs(rng, F, 7, 6)
    both = {"coefficients": attribute(w), "intercepts": attribute(b)}
    yield Case("LinearClassifier", [x], [T.STRING, T.FLOAT], {**both, "classlabels_strings": list("abcd")}, "strings", rtol=1e-4, atol=1e-5)
    yield Case("LinearClassifier", [x[0]], [T.INT64, T.FLOAT], {**both, "classlabels_ints": [1, 2, 3, 4]}, "vector", rtol=1e-4, atol=1e-5)
    yield Case("LinearRegressor", [x[:0]], [T.FLOAT], {**both, "targets": 4}, "no rows", expected=[np.zeros((0, 4), F)])
    yield Case("LinearRegressor", [x], [T.FLOAT], {"coefficients": attribute(w[0])}, "no intercept", expected=[x @ w[:1].T], rtol=1e-4, atol=1e-5)
    # PROBIT of probabilities.
    share = np.array([[0.1, 0.5, 0.9]], F)
    yield Case("LinearRegressor", [share], [T.FLOAT], {"coefficients": attribute(np.eye(3, dtype=F)), "intercepts": [0.0] * 3, "targets": 3, "post_transform": "PROBIT"}, "PROBIT", rtol=1e-3, atol=1e-5)
    # One row of coefficients for two classes: the score is the second class's, its opposite the first's.
    s = (x @ w[0] + b[0]).astype(D)
    one = {"coefficients": attribute(w[0]), "intercepts": [float(b[0])]}
    labels = np.where(s > 0, 7, 4)
    for transform, scores in {"NONE": np.stack([-s, s], 1), "LOGISTIC": 1 / (1 + np.exp(-np.stack([-s, s], 1))), "SOFTMAX": 1 / (1 + np.exp(-2 * np.stack([-s, s], 1)))}.items():
        yield Case("LinearClassifier", [x], [T.INT64, T.FLOAT], {**one, "classlabels_ints": [4, 7], "post_transform": transform}, f"one score {transform}",
                   expected=[labels, scores.astype(F)], rtol=1e-4, atol=1e-5)
    yield Case("LinearClassifier", [x], [T.STRING, T.FLOAT], {**one, "classlabels_strings": ["no", "yes"]}, "one score strings",
               expected=[np.where(s > 0, "yes", "no"), np.stack([-s, s], 1).astype(F)], rtol=1e-4, atol=1e-5)


KERNELS = {"LINEAR": [0.0, 0.0, 0.0], "POLY": [0.2, 0.5, 3.0], "RBF": [0.1, 0.0, 0.0], "SIGMOID": [0.05, 0.1, 0.0]}


def svm(rng):
    features = 5
    for kernel, parameters in KERNELS.items():
        per_class = [3, 4, 2]
        vectors = sum(per_class)
        attributes = {"kernel_type": kernel, "kernel_params": parameters, "support_vectors": attribute(floats(rng, vectors, features)),
                      "coefficients": attribute(floats(rng, 2, vectors)), "rho": attribute(floats(rng, 3)), "vectors_per_class": per_class}
        for dtype in NUMBERS:
            x = inputs(rng, dtype, 9, features)
            note = f"{kernel} {np.dtype(dtype)}"
            yield Case("SVMClassifier", [x], [T.INT64, T.FLOAT], {**attributes, "classlabels_ints": [5, 6, 7]}, note, rtol=1e-3, atol=1e-4)
            yield Case("SVMClassifier", [x], [T.STRING, T.FLOAT], {**attributes, "classlabels_strings": list("xyz"), "post_transform": "SOFTMAX"}, note + " strings SOFTMAX", rtol=1e-3, atol=1e-4)
            chances = {"prob_a": [-1.5, -0.7, -2.0], "prob_b": [0.1, -0.2, 0.0]}
            yield Case("SVMClassifier", [x], [T.INT64, T.FLOAT], {**attributes, **chances, "classlabels_ints": [5, 6, 7]}, note + " probabilities", rtol=2e-3, atol=2e-3)
            regression = {key: attributes[key] for key in ("kernel_type", "kernel_params", "support_vectors")}
            regression.update(coefficients=attributes["coefficients"][:vectors], rho=[0.25], n_supports=vectors)
            yield Case("SVMRegressor", [x], [T.FLOAT], regression, note, rtol=1e-3, atol=1e-4, peer_type=F)
            yield Case("SVMRegressor", [x], [T.FLOAT], {**regression, "one_class": 1}, note + " one class", rtol=1e-3, atol=1e-4, peer_type=F)
        x = inputs(rng, F, 9, features)
        two = {**attributes, "vectors_per_class": [5, 4], "coefficients": attributes["coefficients"][:vectors], "rho": [0.3], "classlabels_ints": [0, 1]}
        yield Case("SVMClassifier", [x], [T.INT64, T.FLOAT], two, f"{kernel} two classes", rtol=1e-3, atol=1e-4)
        yield Case("SVMClassifier", [x], [T.INT64, T.FLOAT], {**two, "prob_a": [-1.2], "prob_b": [0.1]}, f"{kernel} two classes probabilities", rtol=2e-3, atol=2e-3)
    x = inputs(rng, F, 9, features)
    linear = {"coefficients": attribute(floats(rng, 3, features)), "rho": [0.2], "classlabels_ints": [1, 2, 3], "kernel_type": "LINEAR", "kernel_params": [0.0, 0.0, 0.0]}
    for transform in TRANSFORMS:
        yield Case("SVMClassifier", [x], [T.INT64, T.FLOAT], {**linear, "post_transform": transform}, f"without vectors {transform}", rtol=1e-4, atol=1e-5)
    yield Case("SVMRegressor", [x], [T.FLOAT], {"coefficients": linear["coefficients"][:features], "rho": [0.2], "kernel_type": "LINEAR", "kernel_params": [0.0, 0.0, 0.0]}, "without vectors", rtol=1e-4, atol=1e-5)
    yield Case("SVMRegressor", [x[0]], [T.FLOAT], {"coefficients": linear["coefficients"][:features], "rho": [0.2]}, "vector",
               expected=[np.array([[x[0] @ np.array(linear["coefficients"][:features], F) + F(0.2)]], F)], rtol=1e-4, atol=1e-5)


def cases(seed):
    rng = np.random.default_rng(seed)
    yield from linear(rng)
    yield from svm(rng)

"""Cases of trees: random ones, written in the words of each operator and walked in Python."""

import numpy as np
from onnx import TensorProto as T
from onnx import numpy_helper

from node_case import Case

F, D, I, J, H = np.float32, np.float64, np.int64, np.int32, np.float16
MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER")
KIND = {np.dtype(F): T.FLOAT, np.dtype(D): T.DOUBLE, np.dtype(H): T.FLOAT16}


class Node:
    """A branch (mode, feature, threshold or members, missing, children) or, without a mode, a leaf with votes [(target, weight)]."""

    def __init__(self, mode=None, feature=0, threshold=0.0, missing=0, children=(), votes=()):
        self.mode, self.feature, self.threshold, self.missing, self.children, self.votes = mode, feature, threshold, missing, children, votes

    def walk(self, row):
        node = self
        while node.mode is not None:
            x, t = row[node.feature], node.threshold
            if np.isnan(x):
                passes = bool(node.missing)
            else:
                passes = {"BRANCH_LEQ": lambda: x <= t, "BRANCH_LT": lambda: x < t, "BRANCH_GTE": lambda: x >= t, "BRANCH_GT": lambda: x > t,
                          "BRANCH_EQ": lambda: x == t, "BRANCH_NEQ": lambda: x != t, "BRANCH_MEMBER": lambda: x in t}[node.mode]()
            node = node.children[0 if passes else 1]
        return node.votes


def grow(rng, depth, features, modes, votes, missing, grid):
    if depth == 0 or rng.random() < 0.15:
        return Node(votes=votes())
    mode = modes[rng.integers(len(modes))]
    threshold = [float(v) for v in rng.integers(-3, 4, 3) / grid] if mode == "BRANCH_MEMBER" else float(rng.integers(-3, 4) / grid)
    children = [grow(rng, depth - 1, features, modes, votes, missing, grid) for _ in range(2)]
    return Node(mode, int(rng.integers(features)), threshold, int(missing and rng.integers(2)), children)


def forest(rng, count, depth, features, targets, modes, several=False, missing=True, positive=False, only=None):
    def weight():
        value = float(F(rng.standard_normal()))
        return abs(value) if positive else value

    def votes():
        if several:
            return [(t, weight()) for t in range(targets) if rng.random() < 0.8]
        return [(int(rng.integers(targets)) if only is None else only, weight())]

    return [grow(rng, depth, features, modes, votes, missing, 2) for _ in range(count)]


def by_id(trees, votes, tensors=False):
    """Attributes of TreeEnsembleClassifier and -Regressor; ids count up from 0 in each tree."""
    nodes = {name: [] for name in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids", "missing_value_tracks_true")}
    leaves = {name: [] for name in ("treeids", "nodeids", "ids", "weights")}
    for number, tree in enumerate(trees):
        order, at = [tree], {}
        for node in order:
            at[id(node)] = len(at)
            order.extend(node.children)
        for node in order:
            true, false = [at[id(child)] for child in node.children] or (0, 0)
            values = (number, at[id(node)], node.feature, node.mode or "LEAF", float(node.threshold), true, false, node.missing)
            for name, value in zip(nodes, values):
                nodes[name].append(value)
            for target, weight in node.votes:
                for name, value in zip(leaves, (number, at[id(node)], target, weight)):
                    leaves[name].append(value)
    result = {f"nodes_{name}": values for name, values in nodes.items()} | {f"{votes}_{name}": values for name, values in leaves.items()}
    if tensors:
        for name in ("nodes_values", f"{votes}_weights"):
            result[name + "_as_tensor"] = numpy_helper.from_array(np.array(result.pop(name), D))
    return result


def by_position(trees, dtype):
    """Attributes of TreeEnsemble. A tree that is one leaf is a node whose branches both lead there."""
    names = ("featureids", "modes", "splits", "truenodeids", "falsenodeids", "trueleafs", "falseleafs", "missing_value_tracks_true")
    nodes, leaves, members, roots = {name: [] for name in names}, [], [], []

    def add(node):
        if node.mode is None:
            leaves.append(node.votes[0])
            return len(leaves) - 1, 1
        place = len(nodes["modes"])
        for values in nodes.values():
            values.append(0)
        if node.mode == "BRANCH_MEMBER":
            members.extend([*node.threshold, np.nan])
        (true, true_leaf), (false, false_leaf) = [add(child) for child in node.children]
        split = 0.0 if node.mode == "BRANCH_MEMBER" else node.threshold
        for name, value in zip(names, (node.feature, MODES.index(node.mode), split, true, false, true_leaf, false_leaf, node.missing)):
            nodes[name][place] = value
        return place, 0

    for tree in trees:
        place, leaf = add(tree if tree.mode else Node("BRANCH_LEQ", children=(tree, tree)))
        roots.append(place)
    result = {f"nodes_{name}": nodes[name] for name in names if name not in ("modes", "splits")}
    result["nodes_modes"] = numpy_helper.from_array(np.array(nodes["modes"], np.uint8))
    result["nodes_splits"] = numpy_helper.from_array(np.array(nodes["splits"], dtype))
    result["leaf_targetids"] = [target for target, _ in leaves]
    result["leaf_weights"] = numpy_helper.from_array(np.array([weight for _, weight in leaves], dtype))
    result["tree_roots"] = roots
    if members:
        result["membership_values"] = numpy_helper.from_array(np.array(members, dtype))
    return result


def rows_of(rng, dtype, rows, features, missing):
    """Many values lie on thresholds."""
    x = rng.integers(-8, 9, (rows, features)) / 4
    if missing and np.dtype(dtype).kind == "f":
        x[rng.random(x.shape) < 0.15] = np.nan
    return x.astype(dtype)


def aggregate(trees, x, targets, how):
    out = np.zeros((len(x), targets), D)
    for i, row in enumerate(x.astype(D)):
        votes = [[] for _ in range(targets)]
        for tree in trees:
            for target, weight in tree.walk(row):
                votes[target].append(weight)
        for t, list_ in enumerate(votes):
            if list_:
                out[i, t] = {"SUM": sum, "AVERAGE": lambda v: sum(v) / len(trees), "MIN": min, "MAX": max}[how](list_)
    return out


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


TRANSFORMS = {"NONE": lambda x: x, "SOFTMAX": softmax, "LOGISTIC": lambda x: 1 / (1 + np.exp(-x))}
NAMES = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")


def regressors(rng):
    for dtype in (F, D, I, J):
        for version in (1, 3, 5):
            for how in ("SUM", "AVERAGE", "MIN", "MAX"):
                for targets in (1, 3):
                    trees = forest(rng, 12, 5, 6, targets, MODES[:6], several=targets > 1)
                    x = rows_of(rng, dtype, 70, 6, True)
                    y = aggregate(trees, x, targets, how)
                    attributes = {**by_id(trees, "target", version > 1 and dtype is D), "n_targets": targets, "aggregate_function": how}
                    note = f"{np.dtype(dtype)} version {version} {how} {targets}"
                    yield Case("TreeEnsembleRegressor", [x], [T.FLOAT], attributes, note, version, [y.astype(F)], 1e-5, 1e-5)
    trees, x = forest(rng, 5, 4, 6, 2, MODES[:1]), rows_of(rng, F, 9, 6, True)
    y = aggregate(trees, x, 2, "SUM")
    for name, transform in TRANSFORMS.items():
        attributes = {**by_id(trees, "target"), "n_targets": 2, "base_values": [0.5, -1.5], "post_transform": name}
        yield Case("TreeEnsembleRegressor", [x], [T.FLOAT], attributes, f"base values {name}", 3, [transform(y + [0.5, -1.5]).astype(F)], 1e-5, 1e-5)
    yield Case("TreeEnsembleRegressor", [x[0]], [T.FLOAT], {**by_id(trees, "target"), "n_targets": 2}, "vector", 3, [y[:1].astype(F)], 1e-5, 1e-5)
    yield Case("TreeEnsembleRegressor", [x[:0]], [T.FLOAT], {**by_id(trees, "target"), "n_targets": 2}, "no rows", 3, [y[:0].astype(F)])
    shuffled = by_id(trees, "target")
    order = rng.permutation(len(shuffled["nodes_modes"]))
    for key, values in shuffled.items():
        if key.startswith("nodes_"):
            shuffled[key] = [values[i] for i in order]
    yield Case("TreeEnsembleRegressor", [x], [T.FLOAT], {**shuffled, "n_targets": 2}, "nodes in any order", 3, [y.astype(F)], 1e-5, 1e-5)


def many_trees(rng):
    """Several parts of trees, one row to several blocks of rows; with ONNX Runtime."""
    trees = forest(rng, 400, 6, 10, 1, MODES[:1])
    for rows in (1, 3, 8, 33, 257):
        x = rows_of(rng, F, rows, 10, False)
        yield Case("TreeEnsembleRegressor", [x], [T.FLOAT], {**by_id(trees, "target"), "n_targets": 1}, f"400 trees {rows} rows", 3, rtol=1e-5, atol=1e-4)
    deep = [Node(votes=[(0, 1.0)])]
    for level in range(300):
        deep.append(Node("BRANCH_LT", level % 4, float(level % 7) / 2, 0, [deep[-1], Node(votes=[(0, float(level))])]))
    x = rows_of(rng, F, 40, 4, False)
    y = aggregate(deep[-1:], x, 1, "SUM")
    yield Case("TreeEnsembleRegressor", [x], [T.FLOAT], {**by_id(deep[-1:], "target"), "n_targets": 1}, "300 levels", 3, [y.astype(F)])


def classifiers(rng):
    x = rows_of(rng, F, 60, 5, True)
    for version in (1, 3, 5):
        for dtype in (F, D, I, J):
            x = rows_of(rng, dtype, 60, 5, True)
            trees = forest(rng, 9, 4, 5, 4, MODES[:6], several=True)
            y = aggregate(trees, x, 4, "SUM") + [0.1, 0.2, 0.3, 0.4]
            for name, transform in TRANSFORMS.items():
                attributes = {**by_id(trees, "class", version > 1 and dtype is D), "base_values": [0.1, 0.2, 0.3, 0.4], "post_transform": name}
                note = f"{np.dtype(dtype)} version {version} {name}"
                scores = transform(y).astype(F)
                yield Case("TreeEnsembleClassifier", [x], [T.INT64, T.FLOAT], {**attributes, "classlabels_int64s": [7, 5, 3, 1]}, note, version, [np.array([7, 5, 3, 1])[y.argmax(1)], scores], 1e-4, 1e-5)
                yield Case("TreeEnsembleClassifier", [x], [T.STRING, T.FLOAT], {**attributes, "classlabels_strings": list("dcba")}, note + " strings", version, [np.array(list("dcba"))[y.argmax(1)], scores], 1e-4, 1e-5)
    x = rows_of(rng, F, 60, 5, True)
    # Two classes that both get votes.
    trees = forest(rng, 9, 4, 5, 2, MODES[:6], several=True)
    y = aggregate(trees, x, 2, "SUM")
    yield Case("TreeEnsembleClassifier", [x], [T.INT64, T.FLOAT], {**by_id(trees, "class"), "classlabels_int64s": [4, 6]}, "two classes", 3, [np.array([4, 6])[y.argmax(1)], y.astype(F)], 1e-4, 1e-5)
    # Two classes, votes for the first only: ONNX Runtime's conventions.
    for positive in (False, True):
        trees = forest(rng, 9, 4, 5, 2, MODES[:6], positive=positive, only=0)
        s = aggregate(trees, x, 2, "SUM")[:, 0] * (0.1 if positive else 1)
        if positive:
            for tree in trees:
                scale(tree, 0.1)
        for base in ([], [0.05]):
            total = s + sum(base)
            for name in ("NONE", "LOGISTIC"):
                probability = positive and name == "NONE"
                scores = np.stack([1 - total if probability else -total, total], 1)
                labels = np.where(total > (0.5 if probability else 0), 6, 4)
                attributes = {**by_id(trees, "class"), "classlabels_int64s": [4, 6], "post_transform": name, **({"base_values": base} if base else {})}
                note = f"one score {'positive' if positive else 'mixed'} {name} {len(base)}"
                yield Case("TreeEnsembleClassifier", [x], [T.INT64, T.FLOAT], attributes, note, 3, [labels, TRANSFORMS[name](scores).astype(F)], 1e-4, 1e-5)
                if not (positive and name == "LOGISTIC"):
                    whole = np.where(np.isnan(x), F(0.3), x)  # that sends NaN the wrong way at BRANCH_NEQ
                    yield Case("TreeEnsembleClassifier", [whole], [T.INT64, T.FLOAT], attributes, note + " as ONNX Runtime", 3, rtol=1e-4, atol=1e-5)
                strings = {**attributes, "classlabels_strings": ["no", "yes"]}
                del strings["classlabels_int64s"]
                yield Case("TreeEnsembleClassifier", [x], [T.STRING, T.FLOAT], strings, note + " strings", 3, [np.where(labels == 6, "yes", "no"), TRANSFORMS[name](scores).astype(F)], 1e-4, 1e-5)


def scale(node, factor):
    node.votes = [(target, float(F(weight * factor))) for target, weight in node.votes]
    for child in node.children:
        scale(child, factor)


def ensembles(rng):
    for dtype in (F, D, H):
        for number, how in enumerate(("AVERAGE", "SUM", "MIN", "MAX")):
            for targets in (1, 3):
                trees = forest(rng, 12, 5, 6, targets, MODES)
                for tree in trees:
                    halve(tree)
                x = rows_of(rng, dtype, 50, 6, True)
                y = aggregate(trees, x, targets, how)
                for transform in range(3):
                    attributes = {**by_position(trees, dtype), "n_targets": targets, "aggregate_function": number, "post_transform": transform}
                    note = f"{np.dtype(dtype)} {how} {targets} {NAMES[transform]}"
                    tolerance = (2e-3, 2e-3) if dtype is H else (1e-5, 1e-5)
                    yield Case("TreeEnsemble", [x], [KIND[np.dtype(dtype)]], attributes, note, 5, [TRANSFORMS[NAMES[transform]](y).astype(dtype)], *tolerance)
    trees, x = forest(rng, 12, 5, 6, 2, MODES[:6]), rows_of(rng, F, 50, 6, False)
    yield Case("TreeEnsemble", [x], [T.FLOAT], {**by_position(trees, F), "n_targets": 2}, "as ONNX Runtime", 5, rtol=1e-5, atol=1e-5)


def halve(node):
    """Weights that float16 holds."""
    node.votes = [(target, float(H(weight))) for target, weight in node.votes]
    for child in node.children:
        halve(child)


def cases(seed):
    rng = np.random.default_rng(seed)
    for part in (regressors, many_trees, classifiers, ensembles):
        yield from part(rng)

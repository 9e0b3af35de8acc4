"""70–74: trees, support vectors, n–grams, expressions and equations."""

import numpy as np

from refusal_cases.building import HUGE, LIMIT, ints, one, ones


def tree(name, expect, **changes):
    attributes = {"nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [0, 0, 0], "nodes_values": [0.5, 0.0, 0.0],
                  "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0], "target_treeids": [0, 0],
                  "target_nodeids": [1, 2], "target_ids": [0, 0], "target_weights": [1.0, 2.0], "n_targets": 1} | changes
    one(f"70 {name}", "TreeEnsembleRegressor", [ones(1, 2)], expect, domain="ai.onnx.ml", constants=False, **attributes)


def add():
    branches = ["BRANCH_LEQ"] * 3
    tree("a tree", "")
    tree("a node that is its own child", "node|cycle|twice|reach", nodes_truenodeids=[0, 0, 0])
    tree("two nodes in a circle", "node|cycle|twice|reach", nodes_modes=branches, nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 1])
    tree("a child that is not there", "node|child", nodes_truenodeids=[77, 0, 0])
    tree("a feature beyond the input", "feature", nodes_featureids=[1 << 40, 0, 0])
    tree("a feature of -1", "feature", nodes_featureids=[-1, 0, 0])
    tree("a target that is not there", "target", target_ids=[0, 9])
    tree("2^62 targets", "target|" + LIMIT, n_targets=HUGE)
    tree("lists of different length", "nodes_values|length|entries|elements", nodes_values=[0.5])
    one("71 other numbers of vectors", "SVMRegressor", [ones(1, 2)], "support_vectors|coefficients|vectors", domain="ai.onnx.ml", constants=False, n_supports=3,
        support_vectors=[1.0, 2.0], coefficients=[1.0], rho=[0.0], kernel_type="LINEAR")
    one("71 2^62 vectors", "SVMRegressor", [ones(1, 2)], "support|vectors|n_supports", domain="ai.onnx.ml", constants=False, n_supports=HUGE, support_vectors=[1.0, 2.0],
        coefficients=[1.0], rho=[0.0], kernel_type="LINEAR")
    for name, changes in {"an index beyond the output": {"ngram_indexes": [HUGE]}, "a negative index": {"ngram_indexes": [-1]}, "2^62 skips": {"max_skip_count": HUGE},
                          "counts that decrease": {"ngram_counts": [5, 0]}, "2^62 grams": {"max_gram_length": HUGE}}.items():
        attributes = {"mode": "TF", "min_gram_length": 1, "max_gram_length": 1, "max_skip_count": 0, "ngram_counts": [0], "ngram_indexes": [0], "pool_int64s": [3]} | changes
        one(f"72 {name}", "TfIdfVectorizer", [ints(3, 3)], "" if "skips" in name else "ngram|gram|index|" + LIMIT, constants=False, **attributes)
    one("73 a catastrophic expression", "RegexFullMatch", [np.array(["a" * 4000], object)], "", pattern="(a*)*b", constants=False)
    one("73 a malformed expression", "RegexFullMatch", [np.array(["a"], object)], "pattern|expression", pattern="(((", constants=False)
    one("73 a huge repetition", "RegexFullMatch", [np.array(["a"], object)], "pattern|expression", pattern="((a{1000}){1000}){1000}", constants=False)
    for equation in ("ij->ij->", "i,j", "i->ii", "ij,jk,kl", "i...j...->i", "->a", "1->1", "i,", "ijk"):
        one(f"74 the equation {equation}", "Einsum", [ones(2, 2)], "equation|inputs|operand|rank|dim", equation=equation)

"""Neighbours, naive Bayes, clustering, decompositions and combinations of models."""

import numpy as np
from sklearn import (calibration, cluster, decomposition, ensemble, linear_model, mixture, multiclass, multioutput, naive_bayes, neighbors, preprocessing,
                     random_projection, tree)

from . import data
from .case import Case
from .convert import OPSETS, classifier, regressor, transform


def cases():
    iris, cancer, digits, diabetes, two = data.iris(), data.cancer(), data.digits(), data.diabetes(), data.two_targets()
    yield classifier("k_neighbors", neighbors.KNeighborsClassifier(5).fit(*iris), iris[0])
    yield classifier("k_neighbors_manhattan", neighbors.KNeighborsClassifier(3, metric="manhattan").fit(cancer[0][::2], cancer[1][::2]), cancer[0][1::2])
    yield regressor("k_neighbors_regressor", neighbors.KNeighborsRegressor(6).fit(diabetes[0][::2], diabetes[1][::2]), diabetes[0][1::2])
    yield classifier("one_vs_rest", multiclass.OneVsRestClassifier(linear_model.LogisticRegression(max_iter=500)).fit(*iris), iris[0])
    counts = np.floor(digits[0][:400])
    for name, model in {"gaussian_nb": naive_bayes.GaussianNB(), "multinomial_nb": naive_bayes.MultinomialNB(), "complement_nb": naive_bayes.ComplementNB()}.items():
        pair = iris if name == "gaussian_nb" else (counts, digits[1][:400])
        yield classifier(name, model.fit(*pair), pair[0][:150], rtol=1e-3, atol=1e-4)
    yield classifier("bernoulli_nb", naive_bayes.BernoulliNB(binarize=4.0).fit(counts, digits[1][:400]), counts[:150], rtol=1e-3, atol=1e-4)
    yield classifier("categorical_nb", naive_bayes.CategoricalNB(min_categories=17).fit(counts, digits[1][:400]), counts[:150], rtol=1e-3, atol=1e-4)
    yield clusters("k_means", cluster.KMeans(4, n_init=3, random_state=0).fit(iris[0]), iris[0])
    yield clusters("mini_batch_k_means", cluster.MiniBatchKMeans(5, n_init=3, random_state=0).fit(digits[0]), digits[0][:150])
    yield mixtures(iris[0])
    yield transform("pca", decomposition.PCA(10).fit(digits[0]), digits[0][:100], atol=1e-3)
    yield transform("pca_whitened", decomposition.PCA(2, whiten=True).fit(iris[0]), iris[0], atol=1e-4)
    yield transform("truncated_svd", decomposition.TruncatedSVD(5, random_state=0).fit(digits[0]), digits[0][:100], atol=1e-3)
    yield transform("kernel_pca", decomposition.KernelPCA(3, kernel="rbf", gamma=0.1).fit(iris[0]), iris[0], rtol=1e-3, atol=1e-4)
    yield transform("random_projection", random_projection.GaussianRandomProjection(6, random_state=0).fit(digits[0]), digits[0][:100], atol=1e-3)
    yield classifier("calibrated", calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), cv=3).fit(*iris), iris[0])
    parts = [("a", linear_model.LogisticRegression(max_iter=500)), ("b", tree.DecisionTreeClassifier(max_depth=3, random_state=0)), ("c", naive_bayes.GaussianNB())]
    yield classifier("voting", ensemble.VotingClassifier(parts, voting="soft", flatten_transform=False).fit(*iris), iris[0])
    yield classifier("stacking", ensemble.StackingClassifier(parts, cv=3).fit(*iris), iris[0])
    regressors = [("a", linear_model.Ridge()), ("b", tree.DecisionTreeRegressor(max_depth=4, random_state=0))]
    yield regressor("voting_regressor", ensemble.VotingRegressor(regressors).fit(*diabetes), diabetes[0])
    yield regressor("stacking_regressor", ensemble.StackingRegressor(regressors, cv=3).fit(*diabetes), diabetes[0])
    yield regressor("multi_output", multioutput.MultiOutputRegressor(linear_model.Ridge()).fit(*two), two[0])


def clusters(name, model, x):
    """Labels, and distances to the centres."""
    from skl2onnx import to_onnx
    distances = np.sort(model.transform(x), axis=1)
    x = x[distances[:, 1] - distances[:, 0] > 1e-2]
    return Case(name, to_onnx(model, x[:1], target_opset=OPSETS), [x], [model.predict(x), model.transform(x)], 1e-3, 1e-3)


def mixtures(x):
    from skl2onnx import to_onnx
    model = mixture.GaussianMixture(3, random_state=0).fit(x)
    return Case("gaussian_mixture", to_onnx(model, x[:1], target_opset=OPSETS), [x], [model.predict(x).reshape(-1, 1), model.predict_proba(x)], 1e-3, 1e-3)

"""Linear models, support vector machines, neural networks and Gaussian processes."""

import numpy as np
from sklearn import calibration, discriminant_analysis, gaussian_process, linear_model, neural_network, preprocessing, svm
from sklearn.pipeline import make_pipeline

from . import data
from .case import Case
from .convert import OPSETS, classifier, regressor


def cases():
    iris, cancer, wine, diabetes, two = data.iris(), data.cancer(), data.wine(), data.diabetes(), data.two_targets()
    scaled = (preprocessing.StandardScaler().fit_transform(cancer[0]).astype(np.float32), cancer[1])
    wines = (preprocessing.StandardScaler().fit_transform(wine[0]).astype(np.float32), wine[1])
    yield classifier("logistic_regression", linear_model.LogisticRegression(max_iter=500).fit(*wines), wines[0])
    yield classifier("logistic_regression_binary", linear_model.LogisticRegression(max_iter=500).fit(*scaled), scaled[0])
    yield classifier("logistic_regression_strings", linear_model.LogisticRegression(max_iter=500).fit(iris[0], data.names(iris[1])), iris[0])
    yield zip_map(iris)
    yield classifier("ridge_classifier", linear_model.RidgeClassifier().fit(*wines), wines[0], scores="decision_function")
    yield classifier("sgd_classifier", linear_model.SGDClassifier(loss="log_loss", random_state=0).fit(*wines), wines[0])
    yield classifier("perceptron", linear_model.Perceptron(random_state=0).fit(*wines), wines[0], scores="decision_function", rtol=1e-3, atol=1e-3)
    for name, model in {
        "linear_regression": linear_model.LinearRegression(), "ridge": linear_model.Ridge(), "lasso": linear_model.Lasso(0.1),
        "elastic_net": linear_model.ElasticNet(0.1), "bayesian_ridge": linear_model.BayesianRidge(), "huber": linear_model.HuberRegressor(max_iter=1000),
        "poisson": linear_model.PoissonRegressor(),
    }.items():
        yield regressor(name, model.fit(*diabetes), diabetes[0])
    yield regressor("ridge_float64", linear_model.Ridge().fit(*diabetes), diabetes[0].astype(np.float64))
    yield classifier("logistic_regression_float64", linear_model.LogisticRegression(max_iter=500).fit(*wines), wines[0].astype(np.float64))
    yield regressor("linear_regression_two_targets", linear_model.LinearRegression().fit(*two), two[0])

    for kernel in ("linear", "poly", "rbf", "sigmoid"):
        yield classifier(f"svc_{kernel}", svm.SVC(kernel=kernel).fit(*wines), wines[0], scores="decision_function", rtol=1e-3, atol=1e-4)
    yield classifier("svc_binary", svm.SVC().fit(*scaled), scaled[0], scores="decision_function", both=True, rtol=1e-3, atol=1e-4)
    yield classifier("svc_probability", calibration.CalibratedClassifierCV(svm.SVC(), ensemble=False).fit(*wines), wines[0], rtol=1e-3)
    yield classifier("nu_svc", svm.NuSVC(nu=0.2).fit(*wines), wines[0], scores="decision_function", rtol=1e-3, atol=1e-4)
    yield classifier("linear_svc", svm.LinearSVC(random_state=0).fit(*wines), wines[0], scores="decision_function", options={"zipmap": None}, rtol=1e-3, atol=1e-4)
    for name, model in {"svr_rbf": svm.SVR(C=100), "svr_poly": svm.SVR(kernel="poly", C=10), "nu_svr": svm.NuSVR(C=100)}.items():
        yield regressor(name, model.fit(*diabetes), diabetes[0], rtol=1e-3)
    yield one_class(wines[0])

    yield classifier("mlp", neural_network.MLPClassifier((30, 20), max_iter=300, random_state=0).fit(*wines), wines[0])
    yield regressor("mlp_regressor", make_pipeline(preprocessing.StandardScaler(), neural_network.MLPRegressor(hidden_layer_sizes=(30,), activation="tanh", max_iter=800, random_state=0)).fit(*diabetes), diabetes[0])
    yield classifier("lda", discriminant_analysis.LinearDiscriminantAnalysis().fit(*iris), iris[0])
    yield qda(iris)
    yield regressor("gaussian_process", gaussian_process.GaussianProcessRegressor(gaussian_process.kernels.RBF(1.0) + gaussian_process.kernels.WhiteKernel(0.1)).fit(two[0][:80], two[1][:80, 0]), two[0][80:160], rtol=1e-2, atol=1e-1)


def zip_map(pair):
    """Probabilities as maps, as converters write them unless told otherwise."""
    from skl2onnx import to_onnx
    x, y = pair[0], data.names(pair[1])
    model = linear_model.LogisticRegression(max_iter=500).fit(x, y)
    onx = to_onnx(model, x[:1], target_opset=OPSETS)
    rows = [dict(zip(model.classes_, p)) for p in model.predict_proba(x)]
    return Case("logistic_regression_maps", onx, [x], [model.predict(x), rows])


def one_class(x):
    from skl2onnx import to_onnx
    model = svm.OneClassSVM(nu=0.2).fit(x)
    x = x[np.abs(model.decision_function(x)) > 1e-2]
    onx = to_onnx(model, x[:1], target_opset=OPSETS)
    return Case("one_class_svm", onx, [x], [model.predict(x).reshape(-1, 1), model.decision_function(x).reshape(-1, 1)], 1e-3, 1e-4)


def qda(pair):
    """The converter gives the labels as one row."""
    case = classifier("qda", discriminant_analysis.QuadraticDiscriminantAnalysis().fit(*pair), pair[0], rtol=1e-3, atol=1e-4)
    case.outputs[0] = case.outputs[0].reshape(1, -1)
    return case

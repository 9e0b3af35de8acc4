"""Preprocessing: numbers, categories and text, alone and in pipelines."""

import numpy as np
from sklearn import compose, ensemble, feature_extraction, feature_selection, impute, linear_model, naive_bayes, pipeline, preprocessing
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

from . import data
from .case import Case
from .convert import OPSETS, clear_rows, transform

WORDS = "[a-zA-Z0-9_]+"  # also words of one letter, which the converter keeps


def cases():
    iris, cancer, diabetes = data.iris(), data.cancer(), data.diabetes()
    x = iris[0]
    for name, model in {
        "standard_scaler": preprocessing.StandardScaler(), "min_max_scaler": preprocessing.MinMaxScaler(), "max_abs_scaler": preprocessing.MaxAbsScaler(),
        "robust_scaler": preprocessing.RobustScaler(), "normalizer_l2": preprocessing.Normalizer("l2"), "normalizer_l1": preprocessing.Normalizer("l1"),
        "normalizer_max": preprocessing.Normalizer("max"), "binarizer": preprocessing.Binarizer(threshold=2.5), "polynomial_features": preprocessing.PolynomialFeatures(3),
        "discretizer": preprocessing.KBinsDiscretizer(4, encode="onehot-dense", quantile_method="linear"), "discretizer_ordinal": preprocessing.KBinsDiscretizer(5, encode="ordinal", strategy="uniform"),
        "power_transform": preprocessing.PowerTransformer(), "power_transform_box_cox": preprocessing.PowerTransformer("box-cox"),
        "select_k_best": feature_selection.SelectKBest(k=2), "variance_threshold": feature_selection.VarianceThreshold(0.3),
    }.items():
        yield transform(name, model.fit(x, iris[1]), x, rtol=1e-3, atol=1e-4)
    holes = data.with_holes(x)
    yield transform("imputer_mean", impute.SimpleImputer().fit(holes), holes)
    yield transform("imputer_constant", impute.SimpleImputer(strategy="constant", fill_value=-1.0).fit(holes), holes)
    holes = data.with_holes(data.two_targets()[0][:120])
    yield transform("knn_imputer", impute.KNNImputer(n_neighbors=3).fit(holes), holes, rtol=1e-3, atol=1e-3)
    integers = np.random.default_rng(1).integers(0, 5, (60, 3))
    yield transform("one_hot_integers", preprocessing.OneHotEncoder(handle_unknown="ignore").fit(integers[:50]), integers)
    strings = np.array([list("abc"), list("bac"), list("aab"), list("bbc")], dtype=object)
    unseen = np.array([list("abc"), list("zac")], dtype=object)
    yield strings_case("one_hot_strings", preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(strings), np.vstack([strings, unseen]))
    yield strings_case("ordinal_strings", preprocessing.OrdinalEncoder().fit(strings), strings)
    yield label_encoder()
    yield from text_cases()
    yield from passenger_cases()
    yield dictionary()


def strings_case(name, model, x):
    onx = to_onnx(model, initial_types=[("X", StringTensorType([None, x.shape[1]]))], target_opset=OPSETS)
    return Case(name, onx, [x], [model.transform(x)])


def label_encoder():
    words = np.array(["pear", "apple", "plum", "apple"])
    model = preprocessing.LabelEncoder().fit(words)
    onx = to_onnx(model, initial_types=[("X", StringTensorType([None]))], target_opset=OPSETS)
    return Case("label_encoder", onx, [words], [model.transform(words)])


def text_cases():
    texts, topics = data.sentences()
    column = texts.reshape(-1, 1)
    type_ = [("X", StringTensorType([None, 1]))]
    for name, model in {
        "count_vectorizer": feature_extraction.text.CountVectorizer(), "count_vectorizer_pairs": feature_extraction.text.CountVectorizer(ngram_range=(1, 2), binary=True, token_pattern=WORDS),
        "tfidf": feature_extraction.text.TfidfVectorizer(), "tfidf_stop_words": feature_extraction.text.TfidfVectorizer(stop_words=["the", "of", "and"], sublinear_tf=True, norm="l1"),
    }.items():
        model.fit(texts)
        yield Case(name, to_onnx(model, initial_types=type_, target_opset=OPSETS), [column], [model.transform(texts).toarray()])
    model = pipeline.make_pipeline(feature_extraction.text.TfidfVectorizer(), linear_model.LogisticRegression(C=10.0)).fit(texts, topics)
    onx = to_onnx(model, initial_types=type_, target_opset=OPSETS, options={"zipmap": False})
    yield Case("tfidf_logistic", onx, [column], [model.predict(texts), model.predict_proba(texts)])


def passenger_cases():
    columns, survived = data.passengers()
    names = list(columns)
    table = np.empty((len(survived), 5), dtype=object)
    for i, name in enumerate(names):
        table[:, i] = columns[name]
    steps = compose.ColumnTransformer([
        ("words", preprocessing.OneHotEncoder(handle_unknown="ignore"), [0, 1]),
        ("grade", preprocessing.OneHotEncoder(), [2]),
        ("numbers", pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()), [3, 4]),
    ])
    types = [("sex", StringTensorType([None, 1])), ("port", StringTensorType([None, 1])), ("grade", Int64TensorType([None, 1])), ("age", FloatTensorType([None, 1])),
             ("fare", FloatTensorType([None, 1]))]
    inputs = [columns[name].reshape(-1, 1) for name in names]
    for name, model in {"passengers_logistic": linear_model.LogisticRegression(max_iter=500), "passengers_forest": ensemble.RandomForestClassifier(30, random_state=0),
                        "passengers_boosting": ensemble.GradientBoostingClassifier(n_estimators=20, random_state=0)}.items():
        model = pipeline.make_pipeline(steps, model).fit(table, survived)
        keep = clear_rows(model.predict_proba(table))
        onx = to_onnx(model, initial_types=types, target_opset=OPSETS, options={"zipmap": False})
        yield Case(name, onx, [array[keep] for array in inputs], [model.predict(table[keep]), model.predict_proba(table[keep])], 1e-3, 1e-4)


def dictionary():
    from skl2onnx.common.data_types import DictionaryType
    rows = [{"height": 1.5, "age": 30.0}, {"age": 41.0, "weight": 70.0}]
    model = feature_extraction.DictVectorizer(sparse=False).fit(rows)
    onx = to_onnx(model, initial_types=[("X", DictionaryType(StringTensorType([1]), FloatTensorType([1])))], target_opset=OPSETS)
    return Case("dict_vectorizer", onx, [rows[0]], [model.transform(rows[:1])])

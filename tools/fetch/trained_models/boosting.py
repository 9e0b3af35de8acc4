"""XGBoost and LightGBM."""

import warnings

import lightgbm
import numpy as np
import xgboost
from onnxmltools.convert import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

from . import data
from .case import Case
from .convert import clear_rows


def convert(how, model, x, **options):
    return how(model, initial_types=[("X", FloatTensorType([None, x.shape[1]]))], target_opset=15, **options)


def classifier(name, how, model, x, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = x[clear_rows(model.predict_proba(x))]
        return Case(name, convert(how, model, x, **options), [x], [model.predict(x), model.predict_proba(x)], 1e-4, 1e-5)


def regressor(name, how, model, x, **tolerance):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Case(name, convert(how, model, x), [x], [model.predict(x).reshape(len(x), -1)], **tolerance)


def cases():
    cancer, digits, diabetes, iris = data.cancer(), data.digits(), data.diabetes(), data.iris()
    settings = {"n_estimators": 40, "random_state": 0, "n_jobs": 1}
    yield classifier("xgboost_binary", convert_xgboost, xgboost.XGBClassifier(max_depth=4, **settings).fit(*cancer), cancer[0])
    yield classifier("xgboost_multiclass", convert_xgboost, xgboost.XGBClassifier(max_depth=4, **settings).fit(*digits), digits[0][:200])
    holes = data.with_holes(cancer[0])
    yield classifier("xgboost_missing", convert_xgboost, xgboost.XGBClassifier(max_depth=4, **settings).fit(holes, cancer[1]), holes)
    yield regressor("xgboost_regressor", convert_xgboost, xgboost.XGBRegressor(max_depth=4, **settings).fit(*diabetes), diabetes[0])
    positive = diabetes[1].astype(np.float64)
    yield regressor("xgboost_poisson", convert_xgboost, xgboost.XGBRegressor(objective="count:poisson", max_depth=3, **settings).fit(diabetes[0], positive), diabetes[0], rtol=1e-3)
    settings["verbose"] = -1
    yield classifier("lightgbm_binary", convert_lightgbm, lightgbm.LGBMClassifier(**settings).fit(*cancer), cancer[0], zipmap=False)
    yield classifier("lightgbm_multiclass", convert_lightgbm, lightgbm.LGBMClassifier(**settings).fit(*digits), digits[0][:200], zipmap=False)
    yield classifier("lightgbm_missing", convert_lightgbm, lightgbm.LGBMClassifier(**settings).fit(holes, cancer[1]), holes, zipmap=False)
    yield regressor("lightgbm_regressor", convert_lightgbm, lightgbm.LGBMRegressor(**settings).fit(*diabetes), diabetes[0])
    yield regressor("lightgbm_dart", convert_lightgbm, lightgbm.LGBMRegressor(boosting_type="dart", **settings).fit(*diabetes), diabetes[0])
    x, y = iris
    categories = np.column_stack([np.random.default_rng(0).integers(0, 6, len(x)), x]).astype(np.float32)
    target = y + (categories[:, 0] % 3 == 1) * 2.0
    yield regressor("lightgbm_categories", convert_lightgbm, lightgbm.LGBMRegressor(min_child_samples=5, **settings).fit(categories, target, categorical_feature=[0]), categories)

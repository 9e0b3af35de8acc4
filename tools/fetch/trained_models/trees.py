"""Trees, forests and boosting."""

import numpy as np
from onnx import TensorProto
from sklearn import ensemble, tree

from . import data
from .case import Case
from .convert import OPSETS, classifier, regressor


def cases():
    iris, cancer, digits, diabetes, two = data.iris(), data.cancer(), data.digits(), data.diabetes(), data.two_targets()
    fit = lambda model, pair: model.fit(*pair)
    yield classifier("decision_tree", fit(tree.DecisionTreeClassifier(max_depth=6, random_state=0), digits), digits[0][:200])
    yield classifier("decision_tree_binary", fit(tree.DecisionTreeClassifier(max_depth=4, random_state=0), cancer), cancer[0])
    yield regressor("decision_tree_regressor", fit(tree.DecisionTreeRegressor(max_depth=5, random_state=0), diabetes), diabetes[0])
    yield classifier("extra_tree", fit(tree.ExtraTreeClassifier(max_depth=6, random_state=0), iris), iris[0])
    yield classifier("random_forest", fit(ensemble.RandomForestClassifier(100, random_state=0), digits), digits[0][:200])
    yield classifier("random_forest_binary", fit(ensemble.RandomForestClassifier(30, max_depth=5, random_state=0), cancer), cancer[0])
    x, y = iris
    yield classifier("random_forest_strings", ensemble.RandomForestClassifier(20, random_state=0).fit(x, data.names(y)), x)
    yield regressor("random_forest_regressor", fit(ensemble.RandomForestRegressor(50, random_state=0), diabetes), diabetes[0])
    yield regressor("random_forest_two_targets", fit(ensemble.RandomForestRegressor(20, random_state=0), two), two[0])
    yield classifier("extra_trees", fit(ensemble.ExtraTreesClassifier(50, random_state=0), digits), digits[0][:200])
    yield regressor("extra_trees_regressor", fit(ensemble.ExtraTreesRegressor(50, random_state=0), diabetes), diabetes[0])
    yield classifier("gradient_boosting", fit(ensemble.GradientBoostingClassifier(n_estimators=30, random_state=0), iris), iris[0])
    yield classifier("gradient_boosting_binary", fit(ensemble.GradientBoostingClassifier(n_estimators=50, random_state=0), cancer), cancer[0])
    yield regressor("gradient_boosting_regressor", fit(ensemble.GradientBoostingRegressor(n_estimators=60, random_state=0), diabetes), diabetes[0])
    yield classifier("hist_gradient_boosting", fit(ensemble.HistGradientBoostingClassifier(max_iter=30, random_state=0), digits), digits[0][:200])
    holes = data.with_holes(cancer[0])
    yield classifier("hist_gradient_boosting_missing", ensemble.HistGradientBoostingClassifier(max_iter=40, random_state=0).fit(holes, cancer[1]), holes)
    holes = data.with_holes(diabetes[0])
    yield regressor("hist_gradient_boosting_regressor", ensemble.HistGradientBoostingRegressor(max_iter=40, random_state=0).fit(holes, diabetes[1]), holes)
    yield classifier("ada_boost", fit(ensemble.AdaBoostClassifier(n_estimators=20, random_state=0), iris), iris[0])
    yield regressor("ada_boost_regressor", fit(ensemble.AdaBoostRegressor(n_estimators=10, random_state=0), diabetes), diabetes[0])
    yield classifier("bagging", fit(ensemble.BaggingClassifier(n_estimators=10, random_state=0), iris), iris[0])
    yield isolation_forest(cancer[0])
    wide = (diabetes[0].astype(np.float64), diabetes[1])
    yield declared_float32(regressor("random_forest_float64", fit(ensemble.RandomForestRegressor(30, random_state=0), wide), wide[0]))
    yield declared_float32(regressor("gradient_boosting_float64", fit(ensemble.GradientBoostingRegressor(n_estimators=30, random_state=0), wide), wide[0]))
    wide = (iris[0].astype(np.float64), iris[1])
    yield declared_float32(classifier("extra_trees_float64", fit(ensemble.ExtraTreesClassifier(30, random_state=0), wide), wide[0]))


def declared_float32(case):
    """The converter declares scores as float64 where features are, but the operators give float32."""
    for output in case.model.graph.output:
        if output.type.tensor_type.elem_type == TensorProto.DOUBLE:
            output.type.tensor_type.elem_type = TensorProto.FLOAT
    return case


def isolation_forest(x):
    from skl2onnx import to_onnx
    model = ensemble.IsolationForest(n_estimators=40, random_state=0).fit(x)
    scores = model.decision_function(x)
    x = x[np.abs(scores) > 1e-3]
    onx = to_onnx(model, x[:1], target_opset=OPSETS)
    return Case("isolation_forest", onx, [x], [model.predict(x).reshape(-1, 1), model.decision_function(x).reshape(-1, 1)], 1e-3, 1e-4)

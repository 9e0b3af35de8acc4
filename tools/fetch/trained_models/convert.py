"""From a fitted estimator to a case."""

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common import _container

from .case import Case

OPSETS = {"": 18, "ai.onnx.ml": 3}
MARGIN = 1e-3  # between the two best scores of a row, so that rounding decides no label


_add_node = _container.ModelComponentContainer.add_node


def _plain_lists(container, *arguments, **attributes):
    """Lists of NumPy's integers and booleans, as scikit-learn 1.9's trees give them, in Python's: onnx takes no others."""
    for name, value in attributes.items():
        if isinstance(value, list) and value and isinstance(value[0], (np.integer, np.bool_, bool, int)):
            attributes[name] = [int(v) for v in value]
    return _add_node(container, *arguments, **attributes)


_container.ModelComponentContainer.add_node = _plain_lists


def clear_rows(scores):
    """Rows whose best class is clear."""
    scores = np.asarray(scores, np.float64)
    if scores.ndim == 1:
        return np.abs(scores) > MARGIN
    best = np.sort(scores, axis=1)
    return best[:, -1] - best[:, -2] > MARGIN


def classifier(name, model, x, scores="predict_proba", opsets=None, options=None, both=False, **tolerance):
    """A case of labels and scores; `scores` names the method of the model that they come from. With `both`, the model's score for the second of two
    classes is preceded by its opposite."""
    values = getattr(model, scores)(x)
    x = x[clear_rows(values)]
    values = np.asarray(getattr(model, scores)(x), np.float32)
    values = np.stack([-values, values], axis=1) if both else values
    options = {"zipmap": False, **({"raw_scores": True} if scores == "decision_function" else {}), **(options or {})}
    options = {key: value for key, value in options.items() if value is not None}
    onx = to_onnx(model, x[:1], target_opset=opsets or OPSETS, options={id(model): options})
    return Case(name, onx, [x], [model.predict(x), values], **tolerance)


def regressor(name, model, x, opsets=None, options=None, **tolerance):
    onx = to_onnx(model, x[:1], target_opset=opsets or OPSETS, options={id(model): options} if options else None)
    y = np.asarray(model.predict(x))
    return Case(name, onx, [x], [y.reshape(len(x), -1)], **tolerance)


def transform(name, model, x, opsets=None, options=None, **tolerance):
    onx = to_onnx(model, x[:1], target_opset=opsets or OPSETS, options={id(model): options} if options else None)
    y = model.transform(x)
    return Case(name, onx, [x], [y.toarray() if hasattr(y, "toarray") else y], **tolerance)


"""The data that the models learn from: what scikit-learn ships, and a few sentences."""

import numpy as np
from sklearn import datasets


def _pair(bunch, rows=None):
    return bunch.data.astype(np.float32)[:rows], bunch.target[:rows]


def iris():
    return _pair(datasets.load_iris())


def cancer():
    return _pair(datasets.load_breast_cancer())


def wine():
    return _pair(datasets.load_wine())


def digits(rows=900):
    return _pair(datasets.load_digits(), rows)


def diabetes():
    return _pair(datasets.load_diabetes())


def two_targets():
    x, y = datasets.make_regression(300, 8, n_targets=2, noise=3.0, random_state=5)
    return x.astype(np.float32), y


def with_holes(x, share=0.1, seed=3):
    """The same with some values missing."""
    result = x.copy()
    result[np.random.default_rng(seed).random(x.shape) < share] = np.nan
    return result


def names(y):
    """Class labels as strings."""
    return np.array([f"class {chr(ord('a') + int(k))}" for k in y])


SENTENCES = [
    ("the match ended in a draw after extra time", "sport"),
    ("her first goal of the season won the game", "sport"),
    ("the keeper saved two penalties in the final", "sport"),
    ("they trained on the wet pitch before the match", "sport"),
    ("the runner broke the record on the last lap", "sport"),
    ("the coach praised the team for its defence", "sport"),
    ("simmer the onions in butter until soft", "food"),
    ("add the flour and a pinch of salt to the bowl", "food"),
    ("the bread should rest for an hour before baking", "food"),
    ("serve the soup hot with fresh parsley", "food"),
    ("roast the carrots with honey and thyme", "food"),
    ("whisk the eggs with sugar until pale", "food"),
    ("the train was late because of snow on the line", "travel"),
    ("we booked a small hotel close to the harbour", "travel"),
    ("the ferry leaves twice a day from the old port", "travel"),
    ("pack light and take the night bus to the coast", "travel"),
    ("the map shows a path along the river", "travel"),
    ("our flight landed an hour before the connection", "travel"),
]


def sentences():
    texts, topics = zip(*SENTENCES)
    return np.array(texts), np.array(topics)


def passengers(rows=200, seed=11):
    """Columns of strings, integers and floats, as in a passenger list: sex, port, class, age, fare; and who survived."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["female", "male"], rows)
    port = rng.choice(["C", "Q", "S"], rows)
    grade = rng.integers(1, 4, rows)
    age = rng.uniform(1, 80, rows).astype(np.float32)
    fare = (100 / grade * rng.uniform(0.5, 1.5, rows)).astype(np.float32)
    score = (sex == "female") * 1.5 - grade * 0.6 + (port == "C") * 0.5 - age * 0.01 + rng.normal(0, 0.4, rows)
    return {"sex": sex, "port": port, "grade": grade, "age": age, "fare": fare}, (score > np.median(score)).astype(np.int64)

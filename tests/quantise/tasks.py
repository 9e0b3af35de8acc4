"""Tasks that models with real weights are measured on, before and after quantisation: what they are given, and how good an answer is.

Each task has the path of its model, `inputs` (one run answers all), `samples` (what calibrates, none of it among the inputs) and `score(answer, reference)`: how far
the answer's result on the task is from the float32 model's, 0 for the same, in parts of one.
"""

import json
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).resolve().parent / "data"


class Sentences:
    """all-MiniLM-L6-v2: cosines of all pairs of sentences. Score: their mean difference."""

    name = "minilm"
    output = "last_hidden_state"
    held_back = 16

    def __init__(self, models):
        self.path = models / "minilm_l6_v2/model.onnx"
        tokens = json.loads((DATA / "sentences.json").read_text())
        self.inputs = self.batch(tokens[:-self.held_back])
        self.samples = [self.batch(tokens[i:i + 1]) for i in range(len(tokens) - self.held_back, len(tokens))]

    @staticmethod
    def batch(tokens):
        ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
        for row, sentence in zip(ids, tokens):
            row[:len(sentence)] = sentence
        mask = (ids != 0).astype(np.int64)
        return {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}

    def cosines(self, hidden):
        mask = self.inputs["attention_mask"][..., None]
        mean = (hidden * mask).sum(1) / mask.sum(1)
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        return (mean @ mean.T)[np.triu_indices(len(mean), 1)]

    def score(self, answer, reference):
        return float(np.abs(self.cosines(answer) - self.cosines(reference)).mean())


class Lines:
    """PP-OCRv4 recognition: text of lines. Score: how much lower the share of right characters is."""

    name = "ppocrv4_rec"
    output = None
    held_back = 8

    def __init__(self, models):
        self.path = models / "ppocrv4_rec/model.onnx"
        data = np.load(DATA / "lines.npz")
        lines = [data[key] for key in sorted(data.files) if key.startswith("line")]
        self.texts = list(data["texts"])[:-self.held_back]
        self.inputs = self.batch(lines[:-self.held_back])
        self.samples = [self.batch([line]) for line in lines[-self.held_back:]]
        self.table = None

    @staticmethod
    def batch(lines):
        x = np.zeros((len(lines), 3, 48, max(line.shape[1] for line in lines)), np.float32)
        for image, line in zip(x, lines):
            image[:, :, :line.shape[1]] = (line / 255 - 0.5) / 0.5
        return {"x": x}

    def right(self, answer):
        if self.table is None:
            import onnx

            metadata = {entry.key: entry.value for entry in onnx.load(self.path).metadata_props}
            self.table = ["", *metadata["character"].split("\n"), " "]
        wrong = 0
        for steps, text in zip(answer, self.texts):
            best = steps.argmax(1)
            kept = (best != 0) & np.concatenate([[True], best[1:] != best[:-1]])
            wrong += edits("".join(self.table[i] for i in best[kept]).strip(), text)
        return 1 - wrong / sum(map(len, self.texts))

    def score(self, answer, reference):
        return max(0.0, self.right(reference) - self.right(answer))


def edits(a, b):
    """Levenshtein's distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


class FileTypes:
    """Magika: types of files. Score: the share of files whose type is another."""

    name = "magika"
    output = None

    def __init__(self, models):
        self.path = models / "magika_v3_3/model.onnx"
        data = np.load(DATA / "files.npz")
        self.inputs = {"bytes": data["read"].astype(np.int32)}
        self.samples = [{"bytes": file[None]} for file in data["calibrating"].astype(np.int32)]

    def score(self, answer, reference):
        return float((answer.argmax(1) != reference.argmax(1)).mean())


class Digits:
    """The digit classifier: accuracy on what it was not trained on. Score: how much lower it is."""

    name = "digits"
    output = None

    def __init__(self, models):
        self.path = ROOT / "examples/digits/digits.onnx"
        data = np.load(DATA / "digits.npz")
        self.labels = data["labels"]
        self.inputs = {"image": self.scaled(data["images"])}
        self.samples = [{"image": image[None]} for image in self.scaled(data["training"])]

    @staticmethod
    def scaled(images):
        return (images / 16).astype(np.float32)[:, None]

    def right(self, answer):
        return (answer.argmax(1) == self.labels).mean()

    def score(self, answer, reference):
        return float(max(0.0, self.right(reference) - self.right(answer)))


TASKS = (Digits, FileTypes, Lines, Sentences)

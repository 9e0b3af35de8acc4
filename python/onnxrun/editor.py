"""Changing models by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import _native
from .errors import InvalidArgument
from .model import Model, Source

__all__ = ["Editor", "Node", "edit"]


class Node:
    """A node of a model that is being edited. Its number stays good until `Editor.extract` or `Editor.remove_output`."""

    def __init__(self, editor: Editor, number: int):
        self._editor = editor
        self.number = number

    def _about(self) -> dict[str, Any]:
        return json.loads(self._editor._native.node(self.number))

    @property
    def op(self) -> str:
        """The operator, with its domain unless that is ai.onnx: ``"Conv"``, ``"ai.onnx.ml.Scaler"``."""
        return self._about()["op"]

    @property
    def name(self) -> str:
        return self._about()["name"]

    @property
    def inputs(self) -> list[str | None]:
        """Names of the inputs; None where an optional one is absent."""
        return [value and value["name"] for value in self._about()["inputs"]]

    @property
    def outputs(self) -> list[str | None]:
        return [value and value["name"] for value in self._about()["outputs"]]

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes as text."""
        return self._about()["attributes"]

    def rename(self, name: str) -> None:
        self._editor._native.rename_node(self.number, name)

    def remove(self) -> None:
        """Its outputs, where they are read, are left for another node to make before `Editor.finish`."""
        self._editor._native.remove(self.number)

    def bypass(self) -> None:
        """Lets readers of its outputs read its first input of the same type and shape."""
        self._editor._native.bypass(self.number)

    def set_input(self, index: int, value: str | None) -> None:
        """Lets the node read another value; None: no input."""
        self._editor._native.set_node_input(self.number, index, value or "")

    def __repr__(self) -> str:
        return f"<onnxrun.Node: {self._about()['text'].strip()}>"


class Editor:
    """A copy of a model, sharing its weights, that is changed step by step. An edit that fails raises and changes nothing.

        editor = onnxrun.edit("model.onnx")
        for node in editor.select("Dropout"):
            node.bypass()
        editor.set_input("image", shape=("batch", 3, 224, 224))
        editor.finish().save("changed.onnx")

    Serves one thread at a time.
    """

    def __init__(self, model: Model | Source, **options: Any):
        model = model if isinstance(model, Model) else Model(model, **options)
        self._native = _native.Editor(model._native)

    def finish(self) -> Model:
        """The edited model, checked, with types and shapes inferred anew. The editor can go on."""
        return Model._wrap(self._native.finish())

    def select(self, op: str = "*", name: str = "*") -> list[Node]:
        """Nodes whose operator and name (or first output's name) match; ``*`` stands for any characters, ``?`` for one."""
        return [Node(self, number) for number in self._native.select(op, name)]

    def extract(self, inputs: Iterable[str] = (), outputs: Iterable[str] = ()) -> None:
        """Keeps what computes `outputs` (none: the model's) from `inputs` (none: those of the model's that are needed)."""
        for what, names in (("inputs", inputs), ("outputs", outputs)):
            if isinstance(names, str):
                raise InvalidArgument(f"{what} is a list of names, not one str")
        self._native.extract(list(inputs), list(outputs))

    def rename(self, old: str, new: str) -> None:
        """Gives a value another name."""
        self._native.rename_value(old, new)

    def insert(self, text: str) -> None:
        """Adds statements of the text form: ``"w: float32[2] = {1, 2}  y = Add(x, w)"``."""
        self._native.insert(text)

    def replace_uses(self, old: str, new: str) -> None:
        """Lets all readers of a value, and the model's outputs, take another."""
        self._native.replace_uses(old, new)

    def add_input(self, value: str) -> None:
        """Lets a value come from outside."""
        self._native.add_input(value)

    def add_output(self, value: str) -> None:
        self._native.add_output(value)

    def remove_output(self, value: str) -> None:
        """With the nodes that only it needs."""
        self._native.remove_output(value)

    def set_input(self, name: str, *, shape: Sequence[int | str | None] | None = None, dtype: Any = None) -> None:
        """Shape (sizes, names, None for unknown ones) and element type of an input of the model."""
        if shape is not None:
            self._native.set_input_shape(name, ["?" if dim is None else str(dim) for dim in shape])
        if dtype is not None:
            self._native.set_input_type(name, dtype)

    def constant(self, name: str) -> Any:
        """An initializer or constant as an array of its own."""
        return self._native.constant(name)

    def set_constant(self, name: str, value: Any) -> None:
        """Changes a constant, or adds one. The array is copied."""
        self._native.set_constant(name, value)

    def set_metadata(self, key: str, value: str | None) -> None:
        """None removes the key."""
        self._native.set_metadata(key, value)

    def strip_weights(self, min_bytes: int = 1024) -> int:
        """Turns large floating-point constants into zeros that take no room in the file, and says how many."""
        return self._native.strip_weights(min_bytes)

    def merge(self, other: Model | Source, links: Mapping[str, str], prefix: str = "") -> None:
        """Adds another model's graph.

        Args:
            links: by outputs of this model, the inputs of the other that they become.
            prefix: goes before all names of the other.
        """
        other = other if isinstance(other, Model) else Model(other)
        self._native.merge(other._native, list(links.items()), prefix)


def edit(model: Model | Source, **options: Any) -> Editor:
    """An Editor of a model; the options are those of Model."""
    return Editor(model, **options)

"""Models: ONNX files read and checked, to be run, looked at, changed and saved."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from . import _native
from .options import LOADING, RUNNING, SAVING, Settings, settings_of
from .ports import Port, make_ports

__all__ = ["Model", "Source"]

Source = Any
"""A path (str or os.PathLike), the bytes of a file (anything with the buffer protocol), or an ``onnx.ModelProto``."""

PARTS = {"ops": 1, "shapes": 2, "weights": 4, "explain": 8, "digests": 16, "passes": 32, "text": 64, "patches": 128, "graph": 256}


def as_source(source: Source) -> str | bytes:
    """A path or bytes."""
    if isinstance(source, str):
        return source
    if isinstance(source, os.PathLike):
        return os.fsdecode(os.fspath(source))
    if hasattr(source, "SerializeToString"):
        return source.SerializeToString()
    try:
        return bytes(memoryview(source).cast("B")) if not isinstance(source, bytes) else source
    except TypeError:
        raise TypeError(f"a model is a path, bytes or onnx.ModelProto, not {type(source).__name__}") from None


class Model:
    """A checked ONNX model. Immutable; any number of sessions can be made of it and share its weights.

    Args:
        source: a path, the bytes of a file, or an ``onnx.ModelProto``.
        load: ``"map"`` (default) keeps tensors as views of the mapped file, which must not shrink meanwhile; ``"copy"`` reads it.
        strict: for files from people nobody knows: tight limits, what would be a warning is an error, and the file is read.
        op_libraries: shared libraries with operators of your own: paths, or pairs of a path and a dict of settings.
        external_root: folder of external data; by default the model's own. Models from memory have none unless it is given.
        allow_links: external data may be reached through links.
        dims: sizes for named dimensions, as ``{"batch": 1}``.
        max_memory, max_tensor: bytes that the model may make us allocate, in all and for one tensor; a number or text like ``"2G"``.
        timeout: seconds for reading the file.
        max_file, max_string, max_nodes, max_initializers, max_nesting, max_rank, max_loop_iterations, max_plans: see docs/python.md.

    Raises:
        InvalidModel: the file breaks the specification; the message names the node.
        Unsupported: it needs what is not there.
        FileError: it cannot be read.
    """

    def __init__(self, source: Source, **options: Any):
        source = as_source(source)
        settings = settings_of(options, LOADING, "Model")
        # For pickling; the folder may be another by then.
        self._origin: tuple | None = (os.path.abspath(source) if isinstance(source, str) else source, options)
        self._native = (_native.load(source, settings) if isinstance(source, str) else
                        _native.load_bytes(source, settings))

    @classmethod
    def _wrap(cls, native: _native.Model) -> Model:
        model = cls.__new__(cls)
        model._origin = None
        model._native = native
        return model

    @classmethod
    def from_text(cls, text: str, **options: Any) -> Model:
        """The model that `to_text` printed, perhaps changed. Errors say line and column."""
        return cls._wrap(_native.from_text(text, settings_of(options, LOADING, "Model.from_text")))

    def __reduce__(self):
        if self._origin is None:
            return _load, (self.to_bytes(), {})
        return _load, self._origin

    def __repr__(self) -> str:
        return (f"<onnxrun.Model: {', '.join(map(str, self.inputs))} -> {', '.join(map(str, self.outputs))}>")

    @cached_property
    def inputs(self) -> list[Port]:
        """Inputs in the model's order."""
        return make_ports(self._native.inputs)

    @cached_property
    def outputs(self) -> list[Port]:
        """Outputs in the model's order."""
        return make_ports(self._native.outputs)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What `inspect` reports without further parts: producer, opsets, domain, doc, sizes, ..."""
        return self.inspect()

    @property
    def metadata(self) -> dict[str, str]:
        """metadata_props of the file."""
        return dict(self.summary["metadata"])

    def inspect(self, *parts: str, **options: Any) -> dict[str, Any]:
        """A report as dicts and lists.

        Args:
            parts: any of ``"ops"`` (histogram with operations and bytes), ``"shapes"`` (every value's type), ``"weights"`` (every
                initializer), ``"explain"`` (which kernels were chosen and why the others were not), ``"digests"``, ``"passes"``
                (what the optimizer did and how long it took), ``"text"``, ``"patches"``, ``"graph"``.
            options: those of a Session, for the parts that make one.
        """
        mask = 0
        for part in parts:
            if part not in PARTS:
                raise ValueError(f"there is no part '{part}'; there are {', '.join(PARTS)}")
            mask |= PARTS[part]
        return json.loads(self._native.inspect(mask, settings_of(options, RUNNING, "inspect")))

    def optimized(self, **options: Any) -> Model:
        """The model as the optimizer leaves it; the options are those of a Session (``level``, ``passes``, ...)."""
        return Model._wrap(self._native.optimized(settings_of(options, RUNNING, "optimized")))

    def save(self, path: str | os.PathLike[str], *, opset: int | None = None, portable: bool = False,
             external_data: str | None = None, external_threshold: int | None = None) -> None:
        """Writes the model; a file that was there is replaced once the new one is whole.

        Args:
            opset: version of ai.onnx to write; by default the lowest that says exactly what every node means.
            portable: only operators that ONNX defines, at versions that ONNX Runtime loads.
            external_data: file name, in the model's folder, for large tensors.
            external_threshold: bytes from which on a tensor is large; default 1024.
        """
        self._native.save(os.fsdecode(os.fspath(path)), _saving(opset, portable, external_data, external_threshold))

    def to_bytes(self, *, opset: int | None = None, portable: bool = False) -> bytes:
        """The bytes that `save` would write."""
        return self._native.to_bytes(_saving(opset, portable, None, None))

    def to_proto(self):
        """The model as an ``onnx.ModelProto``; needs the package onnx."""
        import onnx
        return onnx.load_model_from_string(self.to_bytes())

    def to_text(self) -> str:
        """The model as text that people can read and change, and that `from_text` reads."""
        return self._native.to_text()


def _saving(opset: int | None, portable: bool, external_data: str | None, external_threshold: int | None) -> Settings:
    given: Mapping[str, object] = {"opset": opset, "portable": portable or None, "external_data": external_data,
                                   "external_threshold": external_threshold}
    return settings_of(given, SAVING, "save")


def _load(source: str | bytes, options: dict[str, Any]) -> Model:
    return Model(source, **options)

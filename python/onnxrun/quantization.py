"""Smaller models: `quantize`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from . import _native
from .errors import InvalidArgument
from .model import Model, Source
from .options import RUNNING, settings_of
from .tools import _model

__all__ = ["Quantized", "quantize"]

SETTINGS = {
    "mode", "type", "block", "symmetric", "per_channel", "standard", "keep_io", "method", "percentile", "rounding", "include", "exclude",
    "target_error", "smooth", "equalize", "correct_bias",
}

Sample = Mapping[str, Any]


class Quantized(NamedTuple):
    """What `quantize` made."""

    model: Model
    report: dict[str, Any]
    """What was changed and what it costs, as ``model_quantize`` of onnxrun.h describes it."""


def _checked(sample: Any) -> dict[str, Any]:
    if not isinstance(sample, Mapping):
        raise InvalidArgument(f"a sample is a dict of arrays by the name of an input, not {type(sample).__name__}")
    return dict(sample)


def _by_index(samples: Iterable[Sample] | Callable[[int], Sample | None] | None) -> Callable[[int], dict[str, Any] | None] | None:
    if samples is None:
        return None
    if callable(samples):
        def call(index: int) -> dict[str, Any] | None:
            sample = samples(index)
            return None if sample is None else _checked(sample)
        return call
    known: Sequence[Sample] = samples if isinstance(samples, Sequence) else list(samples)

    def at(index: int) -> dict[str, Any] | None:
        return _checked(known[index]) if index < len(known) else None
    return at


def quantize(source: Model | Source, samples: Iterable[Sample] | Callable[[int], Sample | None] | None = None,
             **options: Any) -> Quantized:
    """A smaller model that computes nearly the same.

    Args:
        source: a Model, a path, bytes or an ``onnx.ModelProto``.
        samples: inputs to calibrate and measure with: dicts of arrays by input, or a function of their number that returns None after the last.
            Each is asked for several times; a function need not keep them.
        options: ``mode`` (``"weights"``, ``"dynamic"``, ``"static"``, ``"float"``), ``type`` (``"int8"``, ``"uint8"``, ``"int4"``, ``"fp16"``,
            ``"bf16"``), ``block``, ``symmetric``, ``per_channel``, ``standard``, ``keep_io``, ``method``, ``percentile``, ``rounding``, ``include``,
            ``exclude``, ``target_error``, ``smooth``, ``equalize`` and ``correct_bias`` as docs/quantise.md has them, and those of Model and Session.
    """
    chosen = {key: options.pop(key) for key in list(options) if key in SETTINGS}
    texts = [(key, repr(value) if isinstance(value, float) else settings_of({key: value}, SETTINGS, "quantize")[0][1])
             for key, value in chosen.items() if value is not None]
    model, running = _model(source, options, "quantize")
    made, report = _native.quantize(model._native, texts, _by_index(samples), settings_of(running, RUNNING, "quantize"))
    return Quantized(Model._wrap(made), json.loads(report))

"""Functions on models: check, inspect, infer_shapes, optimize."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from . import _native
from .model import Model, Source, as_source
from .options import LOADING, RUNNING, settings_of, split

__all__ = ["Problem", "Report", "check", "infer_shapes", "inspect", "optimize", "providers"]


class Problem(NamedTuple):
    """One finding about a model file."""

    severity: str
    """``"error"`` or ``"warning"``."""
    node: str
    """Where, in words; may be empty."""
    what: str
    expected: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.node}: " if self.node else ""
        return f"{self.severity}: {where}{self.what}" + (f" (fix: {self.fix})" if self.fix else "")


class Report(NamedTuple):
    """What `check` found. True when there is no error."""

    errors: list[Problem]
    warnings: list[Problem]
    asks: dict[str, Any] | None = None
    """What the file would have you do: external_files, iterations, unknown_operators, sizes. None where it cannot be read that far."""

    def __bool__(self) -> bool:
        return not self.errors

    def __str__(self) -> str:
        return "\n".join(map(str, [*self.errors, *self.warnings])) or "no problems"


def check(source: Source, **options: Any) -> Report:
    """Everything that is wrong with a model file, or worth knowing before it is used. A broken file is a report, no exception.

    Args:
        source: a path, bytes or an ``onnx.ModelProto``.
        options: those of Model.
    """
    source = as_source(source)
    settings = settings_of(options, LOADING, "check")
    text = _native.check(source, settings) if isinstance(source, str) else _native.check_bytes(source, settings)
    report = json.loads(text)
    problems = [Problem(found["severity"], found["node"], found["what"], found["expected"], found["fix"])
                for found in report["problems"]]
    return Report([problem for problem in problems if problem.severity == "error"],
                  [problem for problem in problems if problem.severity != "error"], report["asks"])


def _model(source: Model | Source, options: dict[str, Any], whose: str) -> tuple[Model, dict[str, Any]]:
    """The model, and the options that are not those of loading it."""
    if isinstance(source, Model):
        return source, options
    split(options, whose)
    loading = {key: value for key, value in options.items() if key in LOADING}
    return Model(source, **loading), {key: value for key, value in options.items() if key not in LOADING}


def inspect(source: Model | Source, *parts: str, **options: Any) -> dict[str, Any]:
    """`Model.inspect` of a model or of what Model takes."""
    model, running = _model(source, options, "inspect")
    return model.inspect(*parts, **running)


def infer_shapes(source: Model | Source, **options: Any) -> Model:
    """The model with the types and shapes of all its values inferred, intermediate ones, too: they are in what `Model.save`, `Model.to_bytes` and
    `Model.to_proto` write.

    Args:
        options: those of Model; ``dims={"batch": 1}`` fixes named dimensions.
    """
    if isinstance(source, Model):
        settings_of(options, set(), "infer_shapes of a Model")
        return source
    return Model(source, **options)


def optimize(source: Model | Source, **options: Any) -> Model:
    """The model as the optimizer leaves it.

    Args:
        source: a Model, a path, bytes or an ``onnx.ModelProto``.
        options: those of Model and Session, as ``level="basic"`` (every result stays exactly as it was), ``passes=[...]``,
            ``disable_passes=[...]``.
    """
    model, running = _model(source, options, "optimize")
    settings_of(running, RUNNING, "optimize")
    return model.optimized(**running)


def providers(*libraries: Any) -> list[dict[str, Any]]:
    """The providers there are: those built in, and those of plug-in libraries (paths, or pairs of a path and settings)."""
    settings = settings_of({"provider_libraries": list(libraries) or None}, {"provider_libraries"}, "providers")
    return json.loads(_native.providers(settings))["providers"]

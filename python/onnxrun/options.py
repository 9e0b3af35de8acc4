"""Keyword options as the library takes them: keys and texts."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Mapping

Settings = list[tuple[str, str]]

LIMITS = {
    "strict", "timeout", "max_memory", "max_tensor", "max_file", "max_string", "max_nodes", "max_initializers", "max_nesting",
    "max_rank", "max_loop_iterations", "max_plans",
}
LOADING = {"load", "external_root", "allow_links", "dims", "op_libraries"} | LIMITS
RUNNING = {
    "providers", "provider_libraries", "level", "passes", "disable_passes", "print_after", "max_patches", "threads",
    "streams", "float32_matmul_precision", "denormals", "dims", "statistics", "statistics_every", "statistics_values",
    "statistics_sample",
} | LIMITS
SAVING = {"opset", "portable", "external_data", "external_threshold"}


def _names(key: str, value: str | Iterable[str]) -> str:
    names = [value] if isinstance(value, str) else list(value)
    if not all(isinstance(name, str) for name in names):
        raise TypeError(f"{key} is a name or a list of names")
    return ",".join(names)


def _text(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return value
    if key == "timeout" and isinstance(value, (int, float)):
        return repr(float(value))
    if hasattr(value, "__index__"):
        return str(operator.index(value))  # NumPy's integers, too
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"option {key} cannot be {type(value).__name__}")


def _libraries(kind: str, value: object) -> Settings:
    """Plug-ins: a path, or a list of paths or of pairs of a path and its settings."""
    entries = [value] if isinstance(value, (str, os.PathLike)) else list(value)  # type: ignore[call-overload]
    settings: Settings = []
    for entry in entries:
        path, own = entry if isinstance(entry, tuple) else (entry, {})
        settings.append((kind, os.fspath(path)))
        settings.extend(("library_setting", f"{name}={setting}") for name, setting in own.items())
    return settings


def settings_of(given: Mapping[str, object], allowed: set[str], whose: str) -> Settings:
    """Checks the names of keyword options and writes their values as text. None stands for the default.

    Raises TypeError for an option that `whose` does not have.
    """
    settings: Settings = []
    for key, value in given.items():
        if key not in allowed:
            raise TypeError(f"{whose} has no option '{key}'; there are {', '.join(sorted(allowed))}")
        if value is None:
            continue
        if key == "dims":
            if not isinstance(value, Mapping):
                raise TypeError("dims is a dict of sizes by the name of a dimension")
            settings.extend((f"dim.{name}", _text("dims", size)) for name, size in value.items())
        elif key in ("provider_libraries", "op_libraries"):
            settings.extend(_libraries("provider_library" if key == "provider_libraries" else "op_library", value))
        elif key in ("providers", "passes", "disable_passes", "print_after", "statistics_values"):
            settings.append((key, _names(key, value)))  # type: ignore[arg-type]
        else:
            settings.append((key, _text(key, value)))
    return settings


def split(given: Mapping[str, object], whose: str) -> tuple[Settings, Settings]:
    """Options of loading and of running, for what does both."""
    for key in given:
        if key not in LOADING | RUNNING:
            settings_of({key: None}, LOADING | RUNNING, whose)
    loading = {key: value for key, value in given.items() if key in LOADING}
    running = {key: value for key, value in given.items() if key in RUNNING and key != "dims"}
    return settings_of(loading, LOADING, whose), settings_of(running, RUNNING, whose)

"""Letting `import onnxruntime` mean onnxrun."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

__all__ = ["install_as_onnxruntime"]


def install_as_onnxruntime(*, force: bool = False) -> None:
    """From now on ``import onnxruntime`` in this process gives onnxrun.onnxruntime, with the names of ``onnxruntime.capi`` that packages import.

    Call it before anything imports onnxruntime. Calling it again does nothing.

    Args:
        force: also where the real package was imported already; who holds its names keeps them.

    Raises:
        RuntimeError: the real package was imported already.
    """
    ours = importlib.import_module("onnxrun.onnxruntime")
    there = sys.modules.get("onnxruntime")
    if there is ours:
        return
    if there is not None and not force:
        raise RuntimeError("onnxruntime was imported already; call install_as_onnxruntime() first, or with force=True")
    for name in [name for name in sys.modules if name == "onnxruntime" or name.startswith("onnxruntime.")]:
        del sys.modules[name]
    for name, module in {"onnxruntime": ours, **_capi(ours)}.items():
        sys.modules[name] = module


def _capi(ours: ModuleType) -> dict[str, ModuleType]:
    """Modules by name, each with what the real one of that name is imported for."""
    exceptions = importlib.import_module("onnxrun.onnxruntime.exceptions")
    state = _module("onnxruntime.capi.onnxruntime_pybind11_state", ours, exceptions)
    collection = _module("onnxruntime.capi.onnxruntime_inference_collection", ours)
    internal = _module("onnxruntime.capi._pybind_state", ours, exceptions)
    capi = ModuleType("onnxruntime.capi", "Names of ONNX Runtime's extension, which packages import now and then.")
    capi.__path__ = []  # type: ignore[attr-defined]  # a package
    capi.onnxruntime_pybind11_state = state  # type: ignore[attr-defined]
    capi.onnxruntime_inference_collection = collection  # type: ignore[attr-defined]
    capi._pybind_state = internal  # type: ignore[attr-defined]
    ours.capi = capi  # type: ignore[attr-defined]
    return {module.__name__: module for module in (capi, state, collection, internal)}


def _module(name: str, *sources: ModuleType) -> ModuleType:
    module = ModuleType(name)
    for source in sources:
        for exported in source.__all__:
            if not exported.startswith("__"):
                setattr(module, exported, getattr(source, exported))
    return module

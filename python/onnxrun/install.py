"""Letting `import onnxruntime` mean onnxrun."""

from __future__ import annotations

import importlib
import importlib.metadata
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
    sys.meta_path.append(_Finder(ours.__version__))


class _Finder(importlib.metadata.DistributionFinder):
    """Tells who asks importlib.metadata for onnxruntime's version which release's interface this is, where that package is not installed."""

    def __init__(self, version: str):
        self._version = version

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        return None

    def find_distributions(self, context: importlib.metadata.DistributionFinder.Context = importlib.metadata.DistributionFinder.Context()):
        if context.name == "onnxruntime":
            yield _Distribution(self._version)


class _Distribution(importlib.metadata.Distribution):
    def __init__(self, version: str):
        self._version = version

    def read_text(self, filename: str) -> str | None:
        if filename != "METADATA":
            return None
        return f"Metadata-Version: 2.1\nName: onnxruntime\nVersion: {self._version}\nSummary: onnxrun under ONNX Runtime's name\n"

    def locate_file(self, path: object):
        raise FileNotFoundError(f"onnxruntime is not installed, onnxrun stands for it: there is no {path}")


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

"""What ONNX Runtime tells of itself and of the process."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import _native, errors
from .exceptions import InvalidArgument, failure, translated

__all__ = ["disable_telemetry_events", "enable_telemetry_events", "get_all_providers", "get_available_providers", "get_build_info", "get_device",
           "get_ep_devices", "get_version_string", "has_collective_ops", "preload_dlls", "print_debug_info", "register_execution_provider_library", "set_default_logger_severity",
           "set_default_logger_verbosity", "set_global_thread_pool_sizes", "set_seed",
           "unregister_execution_provider_library"]

# The release whose interface this is.
VERSION = "1.31.1"
CPU = "CPUExecutionProvider"

# Our names of providers by ONNX Runtime's.
OURS = {"CUDAExecutionProvider": "cuda", CPU: "cpu"}


class _Library(NamedTuple):
    path: str
    providers: frozenset[str]  # by our names


# Provider libraries by the names they were registered under.
_libraries: dict[str, _Library] = {}


def libraries(options: Mapping[str, Mapping[str, str]] | None = None) -> list[tuple[str, str]]:
    """The registered libraries as settings of a session; `options` are those of providers, by our names."""
    settings: list[tuple[str, str]] = []
    for library in _libraries.values():
        settings.append(("provider_library", library.path))
        for name in library.providers if options else ():
            settings.extend(("library_setting", f"{key}={value}") for key, value in options.get(name, {}).items())
    return settings


def _names_in(path: str) -> frozenset[str]:
    everything = json.loads(_native.providers([("provider_library", path)]))["providers"]
    return frozenset(provider["name"] for provider in everything) - {"cpu"}


def _known() -> frozenset[str]:
    return frozenset({"cpu"}).union(*(library.providers for library in _libraries.values()))


def register_execution_provider_library(registration_name: str, library_path: str | os.PathLike[str]) -> None:
    """Makes the provider of a plug-in library known, as onnxrun's CUDA provider is one. Its options are those of the library; `device_id`,
    `gpu_mem_limit` and `enable_cuda_graph` are taken for its `device`, `memory_limit` and `graphs`."""
    path = os.fspath(library_path)
    if registration_name in _libraries:
        raise failure(InvalidArgument, f"a library is registered under the name '{registration_name}' already")
    try:
        _libraries[registration_name] = _Library(path, _names_in(path))
    except errors.Error as error:
        raise translated(error) from error


def unregister_execution_provider_library(registration_name: str) -> None:
    """Sessions that use it go on."""
    if _libraries.pop(registration_name, None) is None:
        raise failure(InvalidArgument, f"no library is registered under the name '{registration_name}'")


def get_available_providers() -> list[str]:
    """Those of the providers built in that ONNX Runtime has a name for."""
    known = _known()
    return [name for name, ours in OURS.items() if ours in known]


def get_all_providers() -> list[str]:
    return list(OURS)


def get_device() -> str:
    """"GPU" where there is a provider for one."""
    return "GPU" if "cuda" in _known() else "CPU"


def get_version_string() -> str:
    return VERSION


def get_build_info() -> str:
    return f"onnxrun {_native.library_version()}, with the interface of ONNX Runtime {VERSION}"


def set_default_logger_severity(severity: int) -> None:
    """Nothing is logged: what goes wrong is raised, and a model's warnings are in onnxrun.Model.summary."""
    if not 0 <= int(severity) <= 4:
        raise RuntimeError(f"Invalid logging severity: {severity}. It is 0 (verbose) to 4 (fatal)")


def set_default_logger_verbosity(verbosity: int) -> None:
    """Nothing is logged."""


def set_seed(seed: int) -> None:
    """Without effect: random operators take their seed from the model, or a fresh one."""


def enable_telemetry_events() -> None:
    """There is no telemetry: nothing is switched on."""


def disable_telemetry_events() -> None:
    """There is no telemetry."""


def has_collective_ops() -> bool:
    return False


def get_ep_devices() -> list[Any]:
    return []


def preload_dlls(cuda: bool = True, cudnn: bool = True, msvc: bool = True, directory: str | None = None) -> None:
    """Providers load what they need."""


def print_debug_info() -> None:
    print(get_build_info())


def set_global_thread_pool_sizes(intra_op_num_threads: int, inter_op_num_threads: int) -> None:
    """Sessions have pools of their own; their size is SessionOptions.intra_op_num_threads."""

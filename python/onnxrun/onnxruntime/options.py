"""SessionOptions and RunOptions. What they cannot mean here is kept and given back, and docs/migrating-from-onnxruntime.md says so."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import _native
from .enums import ExecutionMode, ExecutionOrder, GraphOptimizationLevel
from .exceptions import NotImplemented as Missing
from .exceptions import failure

__all__ = ["RunOptions", "SessionOptions"]


class _Typed:
    """Attributes with a fixed name and type, as the extension type that they stand for has them."""

    _fields: dict[str, tuple[type, Any]] = {}
    _config: dict[str, str]

    def __init_subclass__(cls) -> None:
        cls._fields = {name: (type(default), default) for name, default in vars(cls).items()
                       if not name.startswith("_") and not callable(default)}

    def __init__(self) -> None:
        for name, (_, default) in self._fields.items():
            object.__setattr__(self, name, default)
        object.__setattr__(self, "_config", {})

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._fields:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        kind = self._fields[name][0]
        if kind is bool:
            fits = isinstance(value, (bool, np.bool_))
        elif kind is int:
            fits = hasattr(value, "__index__") and not isinstance(value, bool)
        elif kind is str:
            fits = isinstance(value, (str, os.PathLike))
        else:
            fits = isinstance(value, int) or hasattr(value, "value")
        if not fits:
            raise TypeError(f"{type(self).__name__}.{name} is {kind.__name__}, not {type(value).__name__}")
        if kind is str:
            value = os.fspath(value)  # type: ignore[arg-type]
        object.__setattr__(self, name, kind(getattr(value, "value", value)))


class SessionOptions(_Typed):
    """How a session is made.

    With effect: graph_optimization_level, intra_op_num_threads, enable_profiling, profile_file_prefix, optimized_model_filepath,
    free dimension overrides, initializers, and the config entries session.set_denormal_as_zero and
    session.model_external_initializers_file_folder_path.
    """

    enable_cpu_mem_arena: bool = True
    enable_mem_pattern: bool = True
    enable_mem_reuse: bool = True
    enable_profiling: bool = False
    execution_mode: ExecutionMode = ExecutionMode.ORT_SEQUENTIAL
    execution_order: ExecutionOrder = ExecutionOrder.DEFAULT
    graph_optimization_level: GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL
    inter_op_num_threads: int = 0
    intra_op_num_threads: int = 0
    log_severity_level: int = -1
    log_verbosity_level: int = 0
    logid: str = ""
    optimized_model_filepath: str = ""
    profile_file_prefix: str = "onnxruntime_profile_"
    use_deterministic_compute: bool = False
    use_per_session_threads: bool = True
    _dims: dict[str, int]
    _initializers: dict[str, Any]
    _providers: list[tuple[str, dict[str, str]]]

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "_dims", {})
        object.__setattr__(self, "_initializers", {})
        object.__setattr__(self, "_providers", [])

    def add_session_config_entry(self, key: str, value: str) -> None:
        self._config[str(key)] = str(value)

    def get_session_config_entry(self, key: str) -> str:
        if key not in self._config:
            raise RuntimeError(f"SessionOptions does not have configuration with key: {key}")
        return self._config[key]

    def add_free_dimension_override_by_name(self, name: str, size: int) -> None:
        """Fixes the named dimension."""
        self._dims[str(name)] = int(size)

    def add_free_dimension_override_by_denotation(self, denotation: str, size: int) -> None:
        raise failure(Missing, "denotations of dimensions are not read; fix the dimension by its name")

    def add_initializer(self, name: str, value: Any) -> None:
        """The initializer `name` has the OrtValue `value` instead of what the file holds."""
        self._initializers[str(name)] = value

    def add_external_initializers(self, names: list[str], values: list[Any]) -> None:
        if len(names) != len(values):
            raise ValueError("as many names as values are needed")
        self._initializers.update(zip(map(str, names), values))

    def add_external_initializers_from_files_in_memory(self, *_: Any) -> None:
        raise failure(Missing, "files of external data in memory; give each tensor with add_external_initializers")

    def register_custom_ops_library(self, path: str) -> None:
        raise failure(Missing, f"libraries of custom operators of ONNX Runtime cannot be loaded here: {path}")

    def add_provider(self, name: str, options: dict[str, str] | None = None) -> None:
        self._providers.append((name, dict(options or {})))

    def has_providers(self) -> bool:
        return bool(self._providers)

    def add_provider_for_devices(self, *_: Any) -> None:
        raise failure(Missing, "devices are chosen by the name of a provider")

    set_provider_selection_policy = set_provider_selection_policy_delegate = add_provider_for_devices

    def set_load_cancellation_flag(self, value: bool) -> None:
        raise failure(Missing, "loading cannot be cancelled")


class RunOptions(_Typed):
    """How a run goes. ``terminate`` may be set from another thread while a run with these options goes on, and ends it."""

    log_severity_level: int = -1
    log_verbosity_level: int = 0
    logid: str = ""
    only_execute_path_to_fetches: bool = False
    terminate: bool = False
    _token: _native.CancelToken

    def __init__(self) -> None:
        super().__init__()
        object.__setattr__(self, "_token", _native.CancelToken())

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "terminate":
            (self._token.cancel if self.terminate else self._token.reset)()

    def add_run_config_entry(self, key: str, value: str) -> None:
        self._config[str(key)] = str(value)

    def get_run_config_entry(self, key: str) -> str:
        if key not in self._config:
            raise RuntimeError(f"RunOptions does not have configuration with key: {key}")
        return self._config[key]

    def add_active_adapter(self, adapter: Any) -> None:
        raise failure(Missing, "LoRA adapters are not supported")

"""InferenceSession, NodeArg and ModelMetadata."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from .. import _native, errors
from ..model import Model, as_source
from ..ports import Port, make_ports
from . import environment
from .binding import IOBinding
from .exceptions import InvalidArgument, NotImplemented, failure, translated
from .options import RunOptions, SessionOptions
from .ortvalue import OrtMemoryInfo, OrtValue
from .profiling import Profiling
from .types import tensor_string, type_string

__all__ = ["InferenceSession", "ModelMetadata", "NodeArg", "Session"]


class NodeArg:
    """A declared input or output."""

    def __init__(self, port: Port):
        self.name = port.name
        self.type = type_string(port.type)
        inner = port.type[len("optional("):-1] if port.kind == "optional" else ""
        shape = port.shape if port.kind != "optional" else _dims_of(inner)
        self.shape: list[int | str | None] = list(shape or ())

    def __repr__(self) -> str:
        return f"NodeArg(name='{self.name}', type='{self.type}', shape={self.shape})"


def _dims_of(text: str) -> list[int | str | None]:
    """The dims of a tensor's type as text: "float32[n,2]"."""
    inside = text[text.find("[") + 1:-1] if text.endswith("]") and "(" not in text else ""
    if inside in ("", "..."):
        return []
    return [int(dim) if dim.isdigit() else None if dim == "?" else dim for dim in inside.split(",")]


class ModelMetadata(NamedTuple):
    """What the model says about itself."""

    producer_name: str
    graph_name: str
    domain: str
    description: str
    graph_description: str
    version: int
    custom_metadata_map: dict[str, str]


class _Unraisable(NamedTuple):
    """What sys.unraisablehook takes."""

    exc_type: type[BaseException]
    exc_value: BaseException
    exc_traceback: TracebackType | None
    err_msg: str
    object: Any


class Session:
    """What a session gives to its users; InferenceSession makes it."""

    _native: _native.Session
    _model: Model
    _options: SessionOptions
    _providers: dict[str, dict[str, str]]
    _inputs: list[NodeArg]
    _outputs: list[NodeArg]
    _overridable: list[NodeArg]
    _ports: dict[str, Port]
    _required: list[str]
    _input_names: set[str]
    _output_names: set[str]
    _profiling: Profiling | None = None
    _workers: ThreadPoolExecutor | None = None

    def get_inputs(self) -> list[NodeArg]:
        return list(self._inputs)

    def get_outputs(self) -> list[NodeArg]:
        return list(self._outputs)

    def get_overridable_initializers(self) -> list[NodeArg]:
        """Initializers that are inputs, too, and may be given in place of what the file holds."""
        return list(self._overridable)

    def get_modelmeta(self) -> ModelMetadata:
        about = self._model.summary
        return ModelMetadata(about["producer"], about["graph"], about["domain"], about["doc"], about["graph_doc"],
                             about["model_version"], dict(about["metadata"]))

    def get_session_options(self) -> SessionOptions:
        return self._options

    def get_providers(self) -> list[str]:
        return list(self._providers)

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        return {name: dict(options) for name, options in self._providers.items()}

    def get_input_memory_infos(self) -> list[OrtMemoryInfo]:
        return [OrtMemoryInfo("Cpu") for _ in self._inputs]

    def get_output_memory_infos(self) -> list[OrtMemoryInfo]:
        return [OrtMemoryInfo("Cpu") for _ in self._outputs]

    def enable_fallback(self) -> None:
        """A node never moves to another provider after the session was made: nothing to enable."""

    def disable_fallback(self) -> None:
        """A node never moves to another provider after the session was made: nothing to disable."""

    def io_binding(self) -> IOBinding:
        return IOBinding(self)

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: RunOptions | None = None) -> list[Any]:
        """Computes outputs.

        Args:
            output_names: of the outputs wanted, in this order; None or empty: all.
            input_feed: arrays (sequences: lists, maps: dicts) by the name of inputs.
            run_options: a RunOptions.

        Returns:
            The results as a list: NumPy arrays that own their memory, lists, dicts, None.
        """
        if isinstance(output_names, str):
            raise TypeError("output_names is a list of names, not one str")
        feed = input_feed if type(input_feed) is dict else {name: input_feed[name] for name in input_feed.keys()}
        token = run_options._token if run_options is not None else None
        try:
            if self._profiling is not None:
                return self._profiling.run(self._native, feed, output_names or None, token)
            return self._native.run(feed, output_names or None, None, 0.0, token, None, None, True, False)
        except errors.Error as error:
            raise self._refusal(error, feed, output_names) from error

    def run_async(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any],
                  callback: Callable[[list[Any], Any, str], Any], user_data: Any, run_options: RunOptions | None = None) -> None:
        """`run` on another thread, which then calls ``callback(results, user_data, error)``; `error` is "" or says why there are no results."""
        if not callable(callback):
            raise TypeError(f"callback is a function of results, user_data and error, not {type(callback).__name__}")

        def work() -> None:
            try:
                results, error = self.run(output_names, input_feed, run_options), ""
            except Exception as failed:  # the callback is told
                results, error = [], str(failed)
            try:
                callback(results, user_data, error)
            except BaseException as failed:  # nobody waits for it
                sys.unraisablehook(_Unraisable(type(failed), failed, failed.__traceback__, "Exception ignored in callback of run_async", callback))

        if self._workers is None:
            self._workers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="onnxrun")
        self._workers.submit(work)

    def run_with_iobinding(self, iobinding: IOBinding, run_options: RunOptions | None = None) -> None:
        """Runs with what is bound; `iobinding` then has the results."""
        token = run_options._token if run_options is not None else None
        names = list(iobinding._outputs)
        into = {name: value for name, value in iobinding._outputs.items() if value is not None}
        try:
            results = self._native.run(iobinding._inputs, names or None, into or None, 0.0, token, None, None, True, True,
                                       iobinding._devices or None)
        except errors.Error as error:
            raise self._refusal(error, iobinding._inputs, names) from error
        iobinding._results = [OrtValue(value) for value in results]

    def run_with_ort_values(self, output_names: Sequence[str] | None, input_dict_ort_values: Mapping[str, OrtValue],
                            run_options: RunOptions | None = None) -> list[OrtValue]:
        feed = {name: value._value for name, value in input_dict_ort_values.items()}
        token = run_options._token if run_options is not None else None
        try:
            results = self._native.run(feed, output_names or None, None, 0.0, token, None, None, True, True)
        except errors.Error as error:
            raise self._refusal(error, feed, output_names) from error
        return [OrtValue(value) for value in results]

    def run_with_ortvaluevector(self, run_options: RunOptions | None, feed_names: Sequence[str], feeds: Sequence[OrtValue],
                                fetch_names: Sequence[str], fetches: list[OrtValue], fetch_devices: Any) -> None:
        """Appends the results to `fetches`."""
        fetches[:] = self.run_with_ort_values(list(fetch_names), dict(zip(feed_names, feeds)), run_options)

    def end_profiling(self) -> str:
        """Writes what enable_profiling collected, for chrome://tracing, and gives the file's name; "" without enable_profiling."""
        if self._profiling is None:
            return ""
        path = self._profiling.write()
        self._profiling = None
        return path

    def get_profiling_start_time_ns(self) -> int:
        return self._profiling.start_ns if self._profiling is not None else 0

    def create_ortvalue_from_shape_and_type(self, shape: Sequence[int], element_type: Any, device_type: str, device_id: int = 0,
                                            vendor_id: int = -1) -> OrtValue:
        return OrtValue.ortvalue_from_shape_and_type(shape, element_type, device_type, device_id, vendor_id)

    def _refusal(self, error: errors.Error, feed: Mapping[str, Any], outputs: Sequence[str] | None) -> Exception:
        """The exception, and the words, that callers of ONNX Runtime expect for what they got wrong."""
        if not isinstance(error, errors.InvalidArgument):
            return translated(error)
        missing = [name for name in self._required if name not in feed]
        if missing:
            return ValueError(f"Required inputs ({missing}) are missing from input feed ({list(feed)}).")
        for name in feed:
            if name not in self._ports:
                return failure(InvalidArgument, f"Invalid input name: {name}")
        for name in outputs or ():
            if name not in self._output_names:
                return failure(InvalidArgument, f"Invalid output name:{name}")
        for name, value in feed.items():
            problem = _misfit(self._ports[name], value)
            if problem:
                return failure(InvalidArgument, problem)
        return translated(error)


class InferenceSession(Session):
    """A model made ready to run, with ONNX Runtime's names.

    Args:
        path_or_bytes: a path or the bytes of a model.
        sess_options: a SessionOptions.
        providers: names, or pairs of a name and options, in order of preference. Names of providers that are not here are left out
            with a warning, as ONNX Runtime does; without any that is here the CPU is used.
        provider_options: dicts of options, one a provider.
    """

    def __init__(self, path_or_bytes: str | bytes | os.PathLike[str], sess_options: SessionOptions | None = None,
                 providers: Sequence[str | tuple[str, dict[Any, Any]]] | None = None,
                 provider_options: Sequence[dict[Any, Any]] | None = None, **kwargs: Any):
        if not isinstance(path_or_bytes, (str, bytes, bytearray, memoryview, os.PathLike)):
            raise TypeError(f"Unable to load from type '{type(path_or_bytes)}'")
        if sess_options is not None and not isinstance(sess_options, SessionOptions):
            raise TypeError(f"sess_options is a SessionOptions, not {type(sess_options).__name__}")
        options = sess_options if sess_options is not None else SessionOptions()
        self._options = options
        self._providers = _choose(providers if providers is not None else options._providers or None, provider_options)
        self._profiling = Profiling(options.profile_file_prefix) if options.enable_profiling else None
        try:
            self._load(as_source(path_or_bytes))
        except errors.Error as error:
            raise translated(error) from error
        inputs, outputs = make_ports(self._native.inputs), make_ports(self._native.outputs)
        self._ports = {port.name: port for port in inputs}
        self._required = [port.name for port in inputs if not port.has_default and port.kind != "optional"]
        self._inputs = [NodeArg(port) for port in inputs if not port.has_default]
        self._overridable = [NodeArg(port) for port in inputs if port.has_default]
        self._outputs = [NodeArg(port) for port in outputs]
        self._input_names, self._output_names = set(self._ports), {port.name for port in outputs}

    def _load(self, source: str | bytes) -> None:
        options, config = self._options, self._options._config
        loading: dict[str, Any] = {"dims": options._dims or None,
                                   "external_root": config.get("session.model_external_initializers_file_folder_path")}
        model = Model(source, **loading)
        if options._initializers:
            editor = _native.Editor(model._native)
            for name, value in options._initializers.items():
                editor.set_constant(name, value._value if isinstance(value, OrtValue) else value)
            model = Model._wrap(editor.finish())
        self._model = model
        if options.optimized_model_filepath:
            level = str(int(options.graph_optimization_level))
            model.optimized(level="2" if level in ("3", "99") else level).save(options.optimized_model_filepath)
        self._make()

    def _make(self) -> None:
        options, config = self._options, self._options._config
        threads = max(options.intra_op_num_threads, 0)
        settings = [
            ("providers", ",".join(environment.OURS[name] for name in self._providers)), ("level", str(int(options.graph_optimization_level))),
            ("threads", str(threads)),
            # Calls from several threads go on at the same time, as far as there are processors.
            ("streams", str(max(1, len(os.sched_getaffinity(0)) // threads) if threads else 1)),
            ("denormals", "flush" if config.get("session.set_denormal_as_zero") == "1" else "keep"),
        ]
        own = {environment.OURS[name]: _renamed(given) for name, given in self._providers.items()}
        self._native = _native.make_session(self._model._native, environment.libraries(own) + settings)

    def set_providers(self, providers: Sequence[Any] | None = None, provider_options: Sequence[dict[Any, Any]] | None = None) -> None:
        """Makes the session anew on other providers."""
        self._providers = _choose(providers, provider_options)
        try:
            self._make()
        except errors.Error as error:
            raise translated(error) from error

    def _unsupported(self, *_: Any, **__: Any) -> Any:
        raise failure(NotImplemented, "this part of ONNX Runtime's interface has no meaning here")

    get_tuning_results = set_tuning_results = set_ep_dynamic_options = release_captured_graph = _unsupported
    get_input_epdevices = get_provider_graph_assignment_info = _unsupported


# Options of ONNX Runtime's CUDA provider by what ours calls them.
_RENAMED = {"device_id": "device", "gpu_mem_limit": "memory_limit", "enable_cuda_graph": "graphs"}


# Switches are numbers here.
_SWITCHES = {"true": "1", "false": "0"}


# Those that tune what is not there.
_WITHOUT_MEANING = {"arena_extend_strategy", "cudnn_conv_algo_search", "cudnn_conv_use_max_workspace", "cudnn_conv1d_pad_to_nc1d",
                    "do_copy_in_default_stream", "gpu_external_alloc", "gpu_external_free", "tunable_op_enable", "use_tf32"}


def _renamed(given: Mapping[str, str]) -> dict[str, str]:
    idle = sorted(set(given) & _WITHOUT_MEANING)
    if idle:
        warnings.warn(f"provider options without a meaning here: {', '.join(idle)}", stacklevel=4)
    return {_RENAMED.get(key, key): _SWITCHES.get(value.lower(), value) for key, value in given.items() if key not in _WITHOUT_MEANING}


def _choose(providers: Sequence[Any] | None, provider_options: Sequence[dict[Any, Any]] | None) -> dict[str, dict[str, str]]:
    """Names of the providers to use with their options."""
    if providers is None:
        return {environment.CPU: {}}
    if isinstance(providers, str):
        raise ValueError("`providers` is a list of names")
    entries: list[tuple[str, dict[Any, Any]]] = []
    for position, entry in enumerate(providers):
        if isinstance(entry, str):
            own = provider_options[position] if provider_options is not None and position < len(provider_options) else {}
            entries.append((entry, own))
        elif isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str) and isinstance(entry[1], dict):
            entries.append((entry[0], entry[1]))
        else:
            raise ValueError("'providers' values must be either strings or (string, dict) tuples.")
    if provider_options is not None and len(provider_options) != len(entries):
        raise ValueError("'providers' and 'provider_options' should be the same length if both are given.")
    available = environment.get_available_providers()
    chosen: dict[str, dict[str, str]] = {}
    for name, own in entries:
        if name not in available:
            warnings.warn(f"Specified provider '{name}' is not in available provider names."
                          f"Available providers: '{', '.join(available)}'", stacklevel=4)
        elif name not in chosen:
            chosen[name] = {str(key): str(value) for key, value in own.items()}
    chosen.setdefault(environment.CPU, {})
    return chosen


def _misfit(port: Port, value: Any) -> str:
    """ONNX Runtime's words on an array that is not what the port declares; "" where it may be."""
    if isinstance(value, _native.Value) and value.kind == "tensor":
        dtype, shape = value.dtype, value.shape
    elif isinstance(value, np.ndarray):
        dtype, shape = _native.Value(value).dtype if value.dtype.kind not in "VmM" else str(value.dtype), value.shape
    else:
        return ""
    if port.kind != "tensor":
        return f"Unexpected input data type. Actual: ({tensor_string(dtype)}) , expected: ({type_string(port.type)})"
    if dtype != port.dtype:
        return f"Unexpected input data type. Actual: ({tensor_string(dtype)}) , expected: ({tensor_string(port.dtype)})"
    if port.shape is None:
        return ""
    if len(shape) != len(port.shape):
        return (f"Invalid rank for input: {port.name} Got: {len(shape)} Expected: {len(port.shape)} "
                "Please fix either the inputs/outputs or the model.")
    wrong = [f" index: {i} Got: {got} Expected: {wanted}\n" for i, (got, wanted) in enumerate(zip(shape, port.shape))
             if isinstance(wanted, int) and got != wanted]
    if wrong:
        return (f"Got invalid dimensions for input: {port.name} for the following indices\n{''.join(wrong)} "
                "Please fix either the inputs/outputs or the model.")
    return ""



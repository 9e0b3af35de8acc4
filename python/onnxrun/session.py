"""Sessions: models made ready to run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, overload

from . import _native
from .errors import InvalidArgument
from .model import Model, Source
from .options import LOADING, RUNNING, settings_of, split
from .ports import Port, make_ports

__all__ = ["CancelToken", "Profile", "Session"]

CancelToken = _native.CancelToken


class Profile(NamedTuple):
    """Results of a profiled run, and its steps in the order in which they ran."""

    outputs: dict[str, Any]
    events: list[dict[str, Any]]
    """Dicts with node, op, provider, kernel, begin_ns, end_ns, depth, origin."""


class Session:
    """A model made ready to run. Any number of threads may call `run` at once.

    Args:
        model: a Model, or what Model takes: a path, bytes, an ``onnx.ModelProto``.
        providers: names in order of preference; default ``"cpu"``. A node that none of them runs is an error.
        provider_libraries: plug-ins that make further providers known: paths, or pairs of a path and a dict of settings.
        level: optimisation: ``"none"``, ``"basic"`` (every result stays exactly as it was), ``"extended"``, ``"all"`` (default).
        passes: run exactly these optimizer passes. disable_passes: leave these out.
        threads: that one run uses; 0 (default): as many as the process may use.
        streams: runs that go on at the same time; further callers wait. Default 1.
        float32_matmul_precision: ``"highest"`` (default), ``"high"`` or ``"medium"``.
        denormals: ``"flush"`` (default) or ``"keep"``.
        statistics: what `stats` counts: ``"off"`` (default), ``"runs"``, or ``"tensors"``, what inputs and outputs hold, too.
            statistics_every: look at tensors in every N-th run. statistics_values: names of intermediate values to look at.
            statistics_sample: elements kept of each tensor, 256 unless given.
        the limits of Model: strict, timeout (of making the session and of each run), max_memory, max_tensor, max_loop_iterations, ...
        and, unless `model` is a Model, the other options of Model: load, external_root, allow_links, dims, op_libraries.
    """

    def __init__(self, model: Model | Source, **options: Any):
        if isinstance(model, Model):
            running = settings_of(options, RUNNING - {"dims"}, "Session")
        else:
            loading, running = split(options, "Session")
            model = Model(model, **{key: value for key, value in options.items() if key in LOADING})
        self._model: Model | None = model
        self._options = options
        self._native: _native.Session | None = _native.make_session(model._native, running)

    def __reduce__(self):
        running = {key: value for key, value in self._options.items() if key in RUNNING - {"dims"}}
        return _make, (self.model, running)

    def __repr__(self) -> str:
        if self._native is None:
            return "<onnxrun.Session: closed>"
        return f"<onnxrun.Session: {', '.join(map(str, self.inputs))} -> {', '.join(map(str, self.outputs))}>"

    def __enter__(self) -> Session:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the session's memory back, once runs that go on have ended. Using it afterwards is an error; closing it again is not."""
        self._native = None
        self._model = None

    def _open(self) -> _native.Session:
        if self._native is None:
            raise InvalidArgument("the session is closed")
        return self._native

    @property
    def model(self) -> Model:
        """The model that the session was made of."""
        self._open()
        assert self._model is not None
        return self._model

    @cached_property
    def inputs(self) -> list[Port]:
        """Inputs in the model's order; a list of inputs is given in this order."""
        return make_ports(self._open().inputs)

    @cached_property
    def outputs(self) -> list[Port]:
        """Outputs in the model's order; results come in this order."""
        return make_ports(self._open().outputs)

    @overload
    def run(self, inputs: Mapping[str, Any], outputs: Iterable[str] | None = None, *, into: Mapping[str, Any] | None = None,
            timeout: float | None = None, cancel: CancelToken | None = None, as_values: bool = False) -> dict[str, Any]: ...

    @overload
    def run(self, inputs: Sequence[Any], outputs: Iterable[str] | None = None, *, into: Mapping[str, Any] | None = None,
            timeout: float | None = None, cancel: CancelToken | None = None, as_values: bool = False) -> list[Any]: ...

    def run(self, inputs, outputs=None, *, into=None, timeout=None, cancel=None, as_values=False):
        """Computes outputs.

        Args:
            inputs: arrays by name, or a list of them in the model's order. A contiguous NumPy array of the right type is read where it lies; others, and what
                has ``__dlpack__`` or ``__array__``, lists and numbers, are taken, too. Sequences are lists, maps are dicts, absent optionals are None.
            outputs: names of the outputs to compute; None: all.
            into: arrays by the name of outputs, which are written to them; their types and shapes must be the results'.
            timeout: seconds that the run may take.
            cancel: a CancelToken, whose ``cancel()`` ends the run from another thread.
            as_values: results are onnxrun.Value, not NumPy arrays.

        Returns:
            A dict of results by name for a dict of inputs, a list of results for a list of inputs. Arrays own their memory.

        Raises:
            InvalidArgument: names, types or shapes do not fit. RunFailed: a value makes an operator undefined; the message names the node.
            DeadlineExceeded, Cancelled, LimitExceeded: ended early. KeyboardInterrupt ends it, too. The session stays usable.
        """
        native = self._native
        if native is None:
            native = self._open()
        as_list = False
        if type(inputs) is not dict:
            as_list = not isinstance(inputs, Mapping)
            inputs = _plain(inputs)
        return native.run(inputs, outputs, into if into is None else _into(into), _seconds(timeout), cancel, None, None,
                          as_list, as_values)

    @overload
    async def run_async(self, inputs: Mapping[str, Any], outputs: Iterable[str] | None = None, *, timeout: float | None = None,
                        cancel: CancelToken | None = None, as_values: bool = False) -> dict[str, Any]: ...

    @overload
    async def run_async(self, inputs: Sequence[Any], outputs: Iterable[str] | None = None, *, timeout: float | None = None,
                        cancel: CancelToken | None = None, as_values: bool = False) -> list[Any]: ...

    async def run_async(self, inputs, outputs=None, *, timeout=None, cancel=None, as_values=False):
        """`run` on a thread of the event loop's executor. Cancelling the task ends the run."""
        token = cancel if cancel is not None else CancelToken()
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(
            None, lambda: self.run(inputs, outputs, timeout=timeout, cancel=token, as_values=as_values))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            token.cancel()
            # The inputs are in use until the run has ended.
            await asyncio.wait([future])
            if not future.cancelled():
                future.exception()
            raise

    def trace(self, inputs: Mapping[str, Any] | Sequence[Any], names: Iterable[str] | None = None, *, tap: Callable[[str, Any], None] | None = None,
              timeout: float | None = None) -> dict[str, Any]:
        """Runs the model and gives its intermediate values.

        Args:
            names: of the values wanted; None: every one. A value that the optimizer removed is not there: make the session at ``level="none"``.
            tap: called with name and array right after each was computed, instead of collecting them; what it raises ends the run.

        Returns:
            The values by name in the order in which they were computed; empty with `tap`.
        """
        values: dict[str, Any] = {}
        self._open().run(_plain(inputs), None, None, _seconds(timeout), None,
                         tap if tap is not None else values.__setitem__, list(names) if names is not None else [], False, False)
        return values

    def profile(self, inputs: Mapping[str, Any] | Sequence[Any], outputs: Sequence[str] | None = None, *, timeout: float | None = None) -> Profile:
        """Runs the model and tells how long each step took, and on which provider and kernel."""
        results, text = self._open().profile(_plain(inputs), outputs, _seconds(timeout), None)
        return Profile(results, json.loads(text)["events"])

    def memory(self) -> dict[str, int]:
        """Bytes held now: planned blocks, packed weights, all in use, the peak, and the limit."""
        report = json.loads(self._open().memory())
        return {key: value for key, value in report.items() if key != "version"}

    def stats(self) -> dict[str, Any]:
        """What was counted since the session was made: runs, errors, latencies in seconds, memory, and with ``statistics="tensors"`` the range, mean,
        standard deviation, NaN and a sample of every input and output, to tell when data drift."""
        report = json.loads(self._open().stats())
        return {key: value for key, value in report.items() if key != "version"}

    def prometheus(self, name: str | None = None) -> str:
        """The same in the text format that Prometheus reads, with `name` as the label "session"."""
        return self._open().prometheus(name or "")

    def trim(self) -> None:
        """Gives back memory that is held beside the weights."""
        self._open().trim()


def _plain(inputs: Any) -> dict[str, Any] | list[Any] | tuple[Any, ...]:
    if isinstance(inputs, (dict, list, tuple)):
        return inputs
    if isinstance(inputs, Mapping):
        return dict(inputs)
    raise InvalidArgument(f"inputs are a dict by name, or a list in the model's order, not {type(inputs).__name__}")


def _into(into: Any) -> dict[str, Any]:
    if not isinstance(into, Mapping):
        raise InvalidArgument(f"into is a dict of arrays by the name of an output, not {type(into).__name__}")
    return into if type(into) is dict else dict(into)


def _seconds(timeout: float | None) -> float:
    if timeout is None:
        return 0.0
    if isinstance(timeout, (str, bytes)):
        raise InvalidArgument(f"timeout is a number of seconds, not {type(timeout).__name__}")
    seconds = float(timeout)
    if not seconds >= 0:
        raise InvalidArgument(f"timeout is a number of seconds from 0 on, not {timeout}")
    return seconds or 1e-9  # 0 would be none for the library


def _make(model: Model, options: dict[str, Any]) -> Session:
    return Session(model, **options)

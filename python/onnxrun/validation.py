"""validate: does an exported model compute what it was exported from?"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from .errors import Error, InvalidArgument, Unsupported
from .model import Model, Source
from .reference import arrays_of, call_reference, difference_in_modules
from .session import Session
from .tools import check

__all__ = ["OutputDifference", "Validation", "ValidationRow", "validate"]


class OutputDifference(NamedTuple):
    """How one output compares with the reference's."""

    name: str
    agrees: bool
    max_abs: float
    """Largest absolute difference; NaN where only one side is NaN, and where the shapes differ."""
    max_rel: float
    wrong: float
    """Share of elements beyond the tolerance."""
    detail: str
    """In words."""


class ValidationRow(NamedTuple):
    """One batch size."""

    batch: int | None
    agrees: bool
    outputs: list[OutputDifference]
    reference_ms: float | None
    """Median time of the reference; None where only its outputs were given."""
    onnxrun_ms: float | None
    error: str
    """Why there are no results; "" where there are."""
    left_out: Sequence[str] = ()
    """Outputs of the model for which the reference has nothing."""


class Validation(NamedTuple):
    """What `validate` found. True where everything agrees."""

    rows: list[ValidationRow]
    first_difference: str
    """The first place where the computations part, as far as it can be told."""
    causes: list[str]
    """What is likely behind it."""

    def __bool__(self) -> bool:
        return all(row.agrees for row in self.rows)

    def __str__(self) -> str:
        lines = []
        for row in self.rows:
            batch = "" if row.batch is None else f"batch {row.batch}: "
            times = [f"{what} {ms:.3g} ms" for what, ms in (("reference", row.reference_ms), ("onnxrun", row.onnxrun_ms)) if ms is not None]
            lines.append(f"{batch}{'agrees' if row.agrees else 'differs'}" + (f" ({', '.join(times)})" if times else ""))
            if row.error:
                lines.append(f"  {row.error}")
            lines.extend(f"  {output.name}: {output.detail}" for output in row.outputs if not output.agrees)
            lines.extend(f"  {name}: not compared, the reference does not have it" for name in row.left_out)
        if self.first_difference:
            lines.append(f"first difference: {self.first_difference}")
        lines.extend(f"likely cause: {cause}" for cause in self.causes)
        return "\n".join(lines)


def validate(reference: Callable[..., Any] | Any, model: Model | Source, inputs: Any, *, batches: Sequence[int] | None = None,
             rtol: float = 1e-3, atol: float = 1e-4, repeat: int = 10, **options: Any) -> Validation:
    """Compares a model with what it was exported from.

    Args:
        reference: a callable (a ``torch.nn.Module``, a Keras model, a function) that takes the inputs, or its outputs: an array, a list or dict of
            arrays, or the path of an .npz file.
        model: a path, bytes, an ``onnx.ModelProto`` or a Model.
        inputs: arrays for one call: one array, a list in the model's order, or a dict by name. A callable gets a dict's values in the model's
            order.
        batches: sizes of the first dimension to try; inputs are repeated or cut to each. None: as they are.
        rtol: allowed difference relative to the reference's element. atol: allowed difference on top.
        repeat: how often either side is timed at each batch size; 0: not at all.
        options: those of Session.

    Returns:
        A Validation; print it. Nothing that is wrong with the model raises.
    """
    for what, number in (("rtol", rtol), ("atol", atol)):
        if not 0 <= number < np.inf:
            raise InvalidArgument(f"{what} is a finite number from 0 on, not {number}")
    checked = model if isinstance(model, Model) else None
    try:
        session = Session(model, **options)
    except Error as error:
        return Validation([ValidationRow(None, False, [], None, None, str(error))], "", _load_causes(error))
    feed = _feed(session, inputs)
    if batches and not callable(reference):
        raise InvalidArgument("batches need a reference that can be called")
    rows = [_row(reference, session, feed if batch is None else _batched(feed, batch), batch, rtol, atol, repeat)
            for batch in (list(batches) if batches else [None])]
    if all(row.agrees for row in rows):
        return Validation(rows, "", [])
    report = check(checked.to_bytes() if checked is not None else model)
    causes = [str(problem) for problem in [*report.errors, *report.warnings] if "opset_import" not in problem.node + problem.what]
    causes += [cause for row in rows for cause in _row_causes(row, rtol) if cause not in causes]
    bad = next(row for row in rows if not row.agrees)
    where = ""
    if not bad.error:
        where = _first_difference(reference, session, feed if bad.batch is None else _batched(feed, bad.batch), rtol, atol)
    return Validation(rows, where, list(dict.fromkeys(causes)))


def _feed(session: Session, inputs: Any) -> dict[str, np.ndarray]:
    names = [port.name for port in session.inputs]
    if isinstance(inputs, Mapping):
        return {name: arrays_of(inputs[name])[0] for name in [*[name for name in names if name in inputs], *[n for n in inputs if n not in names]]}
    values = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    if len(values) > len(names):
        raise InvalidArgument(f"{len(values)} inputs were given, but the model has {len(names)}")
    return {name: arrays_of(value)[0] for name, value in zip(names, values)}


def _batched(feed: dict[str, np.ndarray], batch: int) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(np.resize(array, (batch, *array.shape[1:]))) if array.ndim else array for name, array in feed.items()}


def _timed(call: Callable[[], Any], repeat: int) -> float | None:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return median(times) if times else None


def _row(reference: Any, session: Session, feed: dict[str, np.ndarray], batch: int | None, rtol: float, atol: float, repeat: int) -> ValidationRow:
    expected = _expected(reference, session, feed)
    reference_ms = _timed(lambda: call_reference(reference, list(feed.values())), repeat) if callable(reference) else None
    try:
        got = session.run(feed)
    except Error as error:
        return ValidationRow(batch, False, [], reference_ms, None, str(error))
    outputs = _compare(got, expected, rtol, atol)
    return ValidationRow(batch, all(output.agrees for output in outputs), outputs, reference_ms,
                         _timed(lambda: session.run(feed), repeat), "", [name for name in got if name not in expected])


def _expected(reference: Any, session: Session, feed: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    names = [port.name for port in session.outputs]
    called = callable(reference)
    if called:
        reference = call_reference(reference, list(feed.values()))
    elif isinstance(reference, (str, os.PathLike)):
        with np.load(reference) as file:
            reference = {_positional(name, names): file[name] for name in file.files}
    if isinstance(reference, Mapping) and reference and set(reference) <= set(names):
        return {name: arrays_of(value)[0] for name, value in reference.items()}
    if isinstance(reference, Mapping) and not called:
        unknown = [str(name) for name in reference if name not in names]
        raise InvalidArgument(f"the reference has {', '.join(unknown) or 'nothing'}, the model's outputs are {', '.join(names)}")
    arrays = arrays_of(reference)  # a framework's own names are others: by position
    if not arrays:
        raise InvalidArgument("the reference gives no arrays to compare with")
    if len(arrays) > len(names):
        raise InvalidArgument(f"the reference has {len(arrays)} outputs, the model {len(names)}: {', '.join(names)}")
    return dict(zip(names, arrays))


def _positional(name: str, names: list[str]) -> str:
    """What an array of an .npz stands for: numpy.savez calls those without a name arr_0, arr_1, ..."""
    if name not in names and name.startswith("arr_") and name[4:].isdigit() and int(name[4:]) < len(names):
        return names[int(name[4:])]
    return name


def _compare(got: dict[str, Any], expected: dict[str, np.ndarray], rtol: float, atol: float) -> list[OutputDifference]:
    return [_difference(name, np.asarray(got[name]), reference, rtol, atol) for name, reference in expected.items()]


def _difference(name: str, got: np.ndarray, expected: np.ndarray, rtol: float, atol: float) -> OutputDifference:
    if got.shape != expected.shape:
        return OutputDifference(name, False, np.nan, np.nan, 1.0, f"the shape is {list(got.shape)}, the reference's {list(expected.shape)}")
    if got.dtype == object or expected.dtype == object:
        wrong = got != expected
        share = float(np.mean(wrong)) if wrong.size else 0.0
        return OutputDifference(name, share == 0, np.nan, np.nan, share, f"{share:.2%} of the elements differ")
    kind = np.complex128 if "c" in (got.dtype.kind, expected.dtype.kind) else np.float64
    a, b = got.astype(kind), expected.astype(kind)
    with np.errstate(all="ignore"):
        close = np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
        absolute = np.where(a == b, 0, np.abs(a - b))
        absolute = np.where(np.isnan(a) & np.isnan(b), 0, absolute)
        relative = np.where(absolute == 0, 0, absolute / np.abs(b))
    worst = float(np.max(absolute, initial=0))
    share = 1 - float(np.mean(close)) if close.size else 0.0
    detail = f"largest difference {worst:.3g}, {share:.2%} of the elements beyond the tolerance"
    return OutputDifference(name, share == 0, worst, float(np.max(relative, initial=0)), share, detail)


def _load_causes(error: Error) -> list[str]:
    if isinstance(error, Unsupported):
        return [f"missing operator: {error.message}"]
    return [error.message]


def _row_causes(row: ValidationRow, rtol: float) -> list[str]:
    if "is fixed to" in row.error:
        return [f"fixed dimension: {row.error.splitlines()[0]}; export with dynamic shapes"]
    if row.error:
        return [row.error.splitlines()[0]]
    bad = [output for output in row.outputs if not output.agrees]
    if any(np.isnan(output.max_abs) and output.wrong == 1 for output in bad):
        return ["outputs in another order or of another shape than the reference's"]
    if bad and all(output.max_abs < 0.05 * max(1.0, output.max_abs / max(output.max_rel, 1e-30)) for output in bad):
        return [f"precision: the differences are small; a tolerance of rtol={rtol:g} may be too strict for the types used"]
    return []


def _first_difference(reference: Any, session: Session, feed: dict[str, np.ndarray], rtol: float, atol: float) -> str:
    """Where the computations part: within onnxrun's optimiser, or at a module of a torch reference."""
    plain = Session(session.model, level="none")
    values = plain.trace(feed)
    changed = _compare(session.run(feed), {name: np.asarray(value) for name, value in plain.run(feed).items()}, rtol, atol)
    if not all(output.agrees for output in changed):
        optimised = session.trace(feed)
        for name, value in values.items():
            if name in optimised and not _difference(name, np.asarray(optimised[name]), np.asarray(value), rtol, atol).agrees:
                return f"value '{name}': the optimised model differs from the plain one there (a defect of onnxrun; level='none' avoids it)"
        return "the optimised model differs from the plain one (a defect of onnxrun; level='none' avoids it)"
    return difference_in_modules(reference, list(feed.values()), [*feed.values(), *values.values()], rtol, atol)

"""The exceptions of onnxrun: one base class, and one class for each kind of failure."""

from __future__ import annotations

import re

__all__ = [
    "Cancelled", "DeadlineExceeded", "Error", "FileError", "InternalError", "InvalidArgument", "InvalidModel",
    "LimitExceeded", "RunFailed", "Unsupported",
]

# As the library describes a node: by its name, or by its first output.
_NODE = re.compile(r"\bnode '(?P<node>[^']*)'(?: \((?P<op>[^)]*)\))?|\bnode of output '(?P<output>[^']*)' \((?P<of>[^)]*)\)"
                   r"|\bthe (?P<maker>\S+) node that makes '(?P<made>[^']*)'")


class Error(Exception):
    """Base of everything that onnxrun raises on its own account.

    Attributes:
        code: the number of the C interface (``onnxrun_code``).
        message: what went wrong, in one line.
        context: where, from the innermost place outwards; may be empty.
        node: the node that failed, by its name or, where it has none, by its first output's; or None.
        op: its operator, or None.
    """

    code = 0

    def __init__(self, text: str = ""):
        super().__init__(text)
        first, *rest = text.split("\n") if text else [""]
        self.message: str = first
        self.context: list[str] = [line.strip().removeprefix("in ") for line in rest if line.strip()]
        found = next((match for line in [*self.context, first] if (match := _NODE.search(line))), None)
        self.node: str | None = (found["node"] or found["output"] or found["made"]) if found else None
        self.op: str | None = (found["op"] or found["of"] or found["maker"]) if found else None

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""

    def __reduce__(self):
        return type(self), self.args


class InvalidArgument(Error, ValueError):
    """What the caller passed does not fit: a wrong name, type, shape or option."""

    code = 1


class InvalidModel(Error, ValueError):
    """The model breaks the ONNX specification."""

    code = 2


class Unsupported(Error, NotImplementedError):
    """The model is valid, but something in it has no implementation here."""

    code = 3


class RunFailed(Error, RuntimeError):
    """A value met while running makes an operator undefined."""

    code = 4


class LimitExceeded(Error, MemoryError):
    """A limit on bytes, steps or nesting was reached."""

    code = 5


class Cancelled(Error):
    """The run was cancelled. The session can be used again."""

    code = 6


class DeadlineExceeded(Error, TimeoutError):
    """The run did not end in time. The session can be used again."""

    code = 7


class FileError(Error, OSError):
    """A file could not be read or written."""

    code = 8


class InternalError(Error, RuntimeError):
    """A defect of onnxrun."""

    code = 9


_BY_CODE = {
    kind.code: kind
    for kind in (InvalidArgument, InvalidModel, Unsupported, RunFailed, LimitExceeded, Cancelled, DeadlineExceeded,
                 FileError, InternalError)
}


def from_code(code: int, text: bytes) -> Error:
    """The exception for a status of the library."""
    return _BY_CODE.get(code, InternalError)(text.decode("utf-8", "replace"))

"""ONNX Runtime's exceptions, and which of them stands for which of ours. The original is the exception's ``__cause__``."""

from __future__ import annotations

from .. import errors

__all__ = ["DeviceReset", "EPFail", "EngineError", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "ModelLoadCanceled", "ModelLoaded",
           "ModelRequiresCompilation", "NoModel", "NoSuchFile", "NotFound", "NotImplemented", "RuntimeException"]


class Fail(Exception):
    status = (1, "FAIL")


class InvalidArgument(Exception):
    status = (2, "INVALID_ARGUMENT")


class NoSuchFile(Exception):
    status = (3, "NO_SUCHFILE")


class NoModel(Exception):
    status = (4, "NO_MODEL")


class EngineError(Exception):
    status = (5, "ENGINE_ERROR")


class RuntimeException(Exception):
    status = (6, "RUNTIME_EXCEPTION")


class InvalidProtobuf(Exception):
    status = (7, "INVALID_PROTOBUF")


class ModelLoaded(Exception):
    status = (8, "MODEL_LOADED")


class NotImplemented(Exception):  # noqa: A001 - its name there
    status = (9, "NOT_IMPLEMENTED")


class InvalidGraph(Exception):
    status = (10, "INVALID_GRAPH")


class EPFail(Exception):
    status = (11, "EP_FAIL")


class ModelLoadCanceled(Exception):
    status = (12, "MODEL_LOAD_CANCELED")


class ModelRequiresCompilation(Exception):
    status = (13, "MODEL_REQUIRES_COMPILATION")


class NotFound(Exception):
    status = (14, "NOT_FOUND")


class DeviceReset(Exception):
    status = (15, "DEVICE_RESET")


def failure(kind: type, text: str) -> Exception:
    """An exception of `kind` with its status before the text, as callers know it."""
    code, name = kind.status
    return kind(f"[ONNXRuntimeError] : {code} : {name} : {text}")


def translated(error: errors.Error) -> Exception:
    """The exception that stands for one of ours."""
    text = str(error)
    if isinstance(error, errors.FileError):
        return failure(NoSuchFile if "No such file" in text else Fail, text)
    if isinstance(error, errors.InvalidModel):
        return failure(InvalidGraph if error.node is not None else InvalidProtobuf, text)
    if isinstance(error, errors.Unsupported):
        return failure(InvalidGraph if "is unknown" in error.message else NotImplemented, text)
    if isinstance(error, errors.LimitExceeded):
        return failure(RuntimeException, text)
    if isinstance(error, errors.Cancelled):
        return failure(Fail, "Exiting due to terminate flag being set to true.")
    if isinstance(error, errors.RunFailed):
        where = f"Non-zero status code returned while running {error.op} node. Name:'{error.node}' Status Message: " if error.op else ""
        return failure(Fail, where + text)
    if isinstance(error, errors.InvalidArgument):
        return failure(InvalidArgument, text)
    return failure(Fail, text)

"""onnxrun runs ONNX models.

    import onnxrun

    session = onnxrun.Session("model.onnx")
    result = session.run({"image": image})["probabilities"]

Inputs and outputs are NumPy arrays; what they must be, `session.inputs` and `session.outputs` say. Everything that goes wrong raises an
`onnxrun.Error`. Code written for ONNX Runtime runs with `onnxrun.onnxruntime` in its place.
"""

from __future__ import annotations

import os as _os

from . import _native
from .editor import Editor, Node, edit
from .errors import (Cancelled, DeadlineExceeded, Error, FileError, InternalError, InvalidArgument, InvalidModel,
                     LimitExceeded, RunFailed, Unsupported)
from .install import install_as_onnxruntime
from .model import Model
from .ports import Port
from .quantization import Quantized, quantize
from .session import CancelToken, Profile, Session
from .tools import Problem, Report, check, infer_shapes, inspect, optimize, providers
from .validation import Validation, validate

Value = _native.Value

__version__: str = _native.library_version()

__all__ = [
    "CancelToken", "Cancelled", "DeadlineExceeded", "Editor", "Error", "FileError", "InternalError", "InvalidArgument",
    "InvalidModel", "LimitExceeded", "Model", "Node", "Port", "Problem", "Profile", "Quantized", "Report", "RunFailed", "Session",
    "Unsupported", "Validation", "Value", "__version__", "check", "edit", "infer_shapes", "inspect", "install_as_onnxruntime",
    "optimize", "providers", "quantize", "validate",
]

# In a forked child the forking thread is the main one.
_os.register_at_fork(after_in_child=_native.note_main_thread)

"""ONNX Runtime's Python interface over onnxrun.

    import onnxrun.onnxruntime as ort

    session = ort.InferenceSession("model.onnx")
    results = session.run(None, {"image": image})

`onnxrun.install_as_onnxruntime()` lets packages that import onnxruntime use it unchanged. docs/migrating-from-onnxruntime.md lists every name with
what it does here.
"""

from __future__ import annotations

from . import exceptions
from .binding import IOBinding
from .enums import (ExecutionMode, ExecutionOrder, GraphOptimizationLevel, OrtAllocatorType, OrtDeviceMemoryType,
                    OrtMemType)
from .environment import (VERSION, disable_telemetry_events, enable_telemetry_events, get_all_providers,
                          get_available_providers, get_build_info, get_device, get_ep_devices, get_version_string,
                          has_collective_ops, preload_dlls, print_debug_info, register_execution_provider_library,
                          set_default_logger_severity, set_default_logger_verbosity, set_global_thread_pool_sizes, set_seed,
                          unregister_execution_provider_library)
from .options import RunOptions, SessionOptions
from .ortvalue import OrtDevice, OrtMemoryInfo, OrtValue, OrtValueVector, SparseTensor
from .session import InferenceSession, ModelMetadata, NodeArg, Session

SessionIOBinding = IOBinding
__version__ = VERSION

__all__ = [
    "ExecutionMode", "ExecutionOrder", "GraphOptimizationLevel", "IOBinding", "InferenceSession", "ModelMetadata", "NodeArg", "OrtAllocatorType",
    "OrtDevice", "OrtDeviceMemoryType", "OrtMemType", "OrtMemoryInfo", "OrtValue", "OrtValueVector", "RunOptions", "Session", "SessionIOBinding",
    "SessionOptions", "SparseTensor", "__version__", "disable_telemetry_events", "enable_telemetry_events", "exceptions", "get_all_providers",
    "get_available_providers", "get_build_info", "get_device", "get_ep_devices", "get_version_string", "has_collective_ops", "preload_dlls",
    "print_debug_info", "register_execution_provider_library", "set_default_logger_severity", "set_default_logger_verbosity",
    "set_global_thread_pool_sizes", "set_seed", "unregister_execution_provider_library",
]

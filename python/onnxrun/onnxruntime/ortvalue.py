"""OrtValue and what says where values lie: in host memory, or in that of CUDA where a provider library for it was registered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .. import _native, errors
from ..convert import numpy_dtype
from . import environment
from .enums import OrtAllocatorType, OrtDeviceMemoryType, OrtMemType
from .exceptions import InvalidArgument, NotImplemented, failure, translated
from .types import onnx_number, our_dtype, tensor_string

__all__ = ["OrtDevice", "OrtMemoryInfo", "OrtValue", "OrtValueVector", "SparseTensor"]


HOST, CUDA = (1, 0), 2


def device_of(device: str, device_id: int = 0) -> tuple[int, int]:
    """A device in DLPack's numbers."""
    name = str(device).lower()
    if name in ("cpu", "cpu_pinned", "cuda_pinned", "cudapinned"):
        return HOST
    if name in ("cuda", "gpu") and environment.get_device() == "GPU":
        return CUDA, int(device_id)
    raise failure(InvalidArgument, f"there is no memory of device '{device}' here, only 'cpu'"
                  + (" until a provider library is registered with register_execution_provider_library" if name in ("cuda", "gpu") else ""))


def _devices(device: tuple[int, int]) -> _native.Devices:
    """Memory of the devices of all registered libraries, with one that works on `device`."""
    settings = {"cuda": {"device": str(device[1])}} if device[0] == CUDA else None
    return _devices_by(tuple(environment.libraries(settings)))


@lru_cache
def _devices_by(settings: tuple[tuple[str, str], ...]) -> _native.Devices:
    return _native.Devices(list(settings))


def _copied(value: _native.Value, device: tuple[int, int]) -> _native.Value:
    """The same tensor in other memory."""
    devices = _devices(device if device != HOST else value.device)
    made = devices.empty(list(value.shape), value.dtype, *device)
    devices.copy(value, made)
    return made


class OrtValue:
    """A value in memory: a tensor, a sequence, a map, or nothing. Made by the static methods or by a run."""

    def __init__(self, value: _native.Value, numpy_obj: np.ndarray | None = None):
        if isinstance(value, OrtValue):
            value = value._value
        if not isinstance(value, _native.Value):
            raise ValueError("`Provided ortvalue` needs to be of type onnxrun.Value")
        self._value = value

    @property
    def _ortvalue(self) -> OrtValue:
        return self

    @staticmethod
    def ortvalue_from_numpy(numpy_obj: np.ndarray, /, device_type: str = "cpu", device_id: int = 0, vendor_id: int = -1) -> OrtValue:
        """Shows the array's memory where it is contiguous, else a copy; on a device always a copy."""
        device = device_of(device_type, device_id)
        value = _made(numpy_obj)
        return OrtValue(value if device == HOST else _translating(_copied, value, device))

    @staticmethod
    def ortvalue_from_numpy_with_onnx_type(data: np.ndarray, /, onnx_element_type: int) -> OrtValue:
        """Takes the bits of an array for elements of another type of the same size."""
        dtype = numpy_dtype(our_dtype(onnx_element_type))
        if dtype.itemsize != data.dtype.itemsize:
            raise ValueError(f"elements of {data.dtype} are not as large as those of {dtype}")
        return OrtValue(_made(np.ascontiguousarray(data).view(dtype)))

    @staticmethod
    def ortvalue_from_shape_and_type(shape: Sequence[int], element_type: Any, device_type: str = "cpu", device_id: int = 0,
                                     vendor_id: int = -1, memory_info: Any = None) -> OrtValue:
        device, dims, dtype = device_of(device_type, device_id), [int(dim) for dim in shape], our_dtype(element_type)
        if device == HOST:
            return OrtValue(_translating(_native.Value.empty, dims, dtype))
        return OrtValue(_translating(lambda: _devices(device).empty(dims, dtype, *device)))

    @staticmethod
    def from_dlpack(data: Any, /) -> OrtValue:
        return OrtValue(_made(data))

    @staticmethod
    def ort_value_from_sparse_tensor(sparse_tensor: Any) -> OrtValue:
        raise failure(NotImplemented, "sparse tensors are not supported")

    def __dlpack__(self, **options: Any) -> Any:
        return self._value.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._value.__dlpack_device__()

    def data_ptr(self) -> int:
        return self._value.address

    def device_name(self) -> str:
        return "cuda" if self._on_device() else "cpu"

    def _on_device(self) -> bool:
        return self._value.kind == "tensor" and self._value.device != HOST

    def shape(self) -> list[int]:
        return list(self._value.shape)

    def data_type(self) -> str:
        kind = self._value.kind
        if kind == "tensor":
            return tensor_string(self._value.dtype)
        if kind == "sequence":
            elements = self._value.elements()
            return f"seq({OrtValue(elements[0]).data_type()})" if elements else "seq(tensor(float))"
        return kind

    def element_type(self) -> int:
        return onnx_number(self._value.dtype)

    def tensor_size_in_bytes(self) -> int:
        return self._value.nbytes

    def has_value(self) -> bool:
        return self._value.kind != "optional"

    def is_tensor(self) -> bool:
        return self._value.kind == "tensor"

    def is_sparse_tensor(self) -> bool:
        return False

    def is_tensor_sequence(self) -> bool:
        return self._value.kind == "sequence"

    def as_sparse_tensor(self) -> Any:
        raise failure(NotImplemented, "sparse tensors are not supported")

    def numpy(self) -> Any:
        """An array that shows the value's memory; of a value on a device, a copy."""
        value = _translating(_copied, self._value, HOST) if self._on_device() else self._value
        return value.to_python()

    def update_inplace(self, data: Any) -> None:
        """Copies an array of the same type and shape over the elements."""
        if self._on_device():
            source = data._value if isinstance(data, OrtValue) else _made(np.ascontiguousarray(data))
            _translating(lambda: _devices(self._value.device).copy(source, self._value))
            return
        target = self._value.to_python()
        source = np.asarray(data.numpy() if isinstance(data, OrtValue) else data)
        if source.dtype != target.dtype or source.shape != target.shape:
            raise failure(InvalidArgument, f"a value of {target.dtype}{list(target.shape)} cannot take {source.dtype}{list(source.shape)}")
        target[...] = source

    def __repr__(self) -> str:
        return f"<OrtValue: {self._value!r}>"


def _translating(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except errors.Error as error:
        raise translated(error) from error


def _made(data: Any) -> _native.Value:
    return _translating(_native.Value, data)


class OrtValueVector(list):
    """Values in a list, with the names of the type that they stand for."""

    push_back = list.append

    def push_back_batch(self, values: Iterable[OrtValue]) -> None:
        self.extend(values)

    def shrink_to_fit(self) -> None:
        """Nothing is held in reserve."""


class OrtDevice:
    """Where values lie."""

    def __init__(self, device_type: Any = 0, mem_type: Any = 0, vendor_id: int = 0, device_id: int = 0):
        self._device_type, self._device_id = int(device_type), int(device_id)

    @staticmethod
    def make(name: str, device_id: int, vendor_id: int = -1) -> OrtDevice:
        return OrtDevice(OrtDevice.cuda() if device_of(name, device_id) != HOST else OrtDevice.cpu(), device_id=device_id)

    @staticmethod
    def cuda() -> int:
        return 1

    @staticmethod
    def cpu() -> int:
        return 0

    @staticmethod
    def default_memory() -> OrtDeviceMemoryType:
        return OrtDeviceMemoryType.DEFAULT

    def device_id(self) -> int:
        return self._device_id

    def device_type(self) -> int:
        return self._device_type

    def device_vendor_id(self) -> int:
        return 0

    def device_mem_type(self) -> int:
        return 0


class OrtMemoryInfo:
    """Says in which memory something lies."""

    def __init__(self, name: str, allocator_type: OrtAllocatorType = OrtAllocatorType.ORT_DEVICE_ALLOCATOR, device_id: int = 0,
                 mem_type: OrtMemType = OrtMemType.DEFAULT):
        device_of(name, device_id)
        self.name, self.allocator_type, self.device_id, self.mem_type = name, allocator_type, device_id, mem_type


class SparseTensor:
    """Sparse tensors are no inputs or outputs here."""

    def __init__(self, *_: Any, **__: Any):
        raise failure(NotImplemented, "sparse tensors are not supported")

    sparse_coo_from_numpy = sparse_csr_from_numpy = classmethod(lambda cls, *_, **__: cls())

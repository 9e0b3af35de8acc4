"""OrtValue and what says where values lie. There is host memory only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import _native, errors
from ..convert import numpy_dtype
from .enums import OrtAllocatorType, OrtDeviceMemoryType, OrtMemType
from .exceptions import InvalidArgument, NotImplemented, failure, translated
from .types import onnx_number, our_dtype, tensor_string

__all__ = ["OrtDevice", "OrtMemoryInfo", "OrtValue", "OrtValueVector", "SparseTensor"]


def check_device(device: str) -> None:
    """Refuses any device but the CPU."""
    if str(device).lower() not in ("cpu", "cpu_pinned"):
        raise failure(InvalidArgument, f"there is no memory of device '{device}' here, only 'cpu'")


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
        """Shows the array's memory where it is contiguous, else a copy."""
        check_device(device_type)
        return OrtValue(_made(numpy_obj))

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
        check_device(device_type)
        try:
            return OrtValue(_native.Value.empty([int(dim) for dim in shape], our_dtype(element_type)))
        except errors.Error as error:
            raise translated(error) from error

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
        return "cpu"

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
        """An array that shows the value's memory."""
        return self._value.to_python()

    def update_inplace(self, data: Any) -> None:
        """Copies an array of the same type and shape over the elements."""
        target = self._value.to_python()
        source = np.asarray(data.numpy() if isinstance(data, OrtValue) else data)
        if source.dtype != target.dtype or source.shape != target.shape:
            raise failure(InvalidArgument, f"a value of {target.dtype}{list(target.shape)} cannot take {source.dtype}{list(source.shape)}")
        target[...] = source

    def __repr__(self) -> str:
        return f"<OrtValue: {self._value!r}>"


def _made(data: Any) -> _native.Value:
    try:
        return _native.Value(data)
    except errors.Error as error:
        raise translated(error) from error


class OrtValueVector(list):
    """Values in a list, with the names of the type that they stand for."""

    push_back = list.append

    def push_back_batch(self, values: Iterable[OrtValue]) -> None:
        self.extend(values)

    def shrink_to_fit(self) -> None:
        """Nothing is held in reserve."""


class OrtDevice:
    """Where values lie: the host."""

    def __init__(self, device_type: Any = 0, mem_type: Any = 0, vendor_id: int = 0, device_id: int = 0):
        self._device_id = int(device_id)

    @staticmethod
    def make(name: str, device_id: int, vendor_id: int = -1) -> OrtDevice:
        check_device(name)
        return OrtDevice(device_id=device_id)

    @staticmethod
    def cpu() -> int:
        return 0

    @staticmethod
    def default_memory() -> OrtDeviceMemoryType:
        return OrtDeviceMemoryType.DEFAULT

    def device_id(self) -> int:
        return self._device_id

    def device_type(self) -> int:
        return 0

    def device_vendor_id(self) -> int:
        return 0

    def device_mem_type(self) -> int:
        return 0


class OrtMemoryInfo:
    """Says that something lies in host memory."""

    def __init__(self, name: str, allocator_type: OrtAllocatorType = OrtAllocatorType.ORT_DEVICE_ALLOCATOR, device_id: int = 0,
                 mem_type: OrtMemType = OrtMemType.DEFAULT):
        check_device(name)
        self.name, self.allocator_type, self.device_id, self.mem_type = name, allocator_type, device_id, mem_type


class SparseTensor:
    """Sparse tensors are no inputs or outputs here."""

    def __init__(self, *_: Any, **__: Any):
        raise failure(NotImplemented, "sparse tensors are not supported")

    sparse_coo_from_numpy = sparse_csr_from_numpy = classmethod(lambda cls, *_, **__: cls())

"""IOBinding: inputs and outputs that stay bound from run to run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _native, errors
from .exceptions import InvalidArgument, failure, translated
from .ortvalue import HOST, OrtValue, OrtValueVector, device_of
from .types import our_dtype

__all__ = ["IOBinding"]


class IOBinding:
    """Made by ``session.io_binding()``; outputs are written to what they were bound to, or to memory that the run makes."""

    def __init__(self, session: Any):
        self._session = session
        self._inputs: dict[str, _native.Value] = {}
        self._outputs: dict[str, _native.Value | None] = {}
        self._devices: dict[str, tuple[int, int]] = {}
        self._results: list[OrtValue] = []

    def bind_cpu_input(self, name: str, arr_on_cpu: Any) -> None:
        self._bind_input(name, OrtValue.ortvalue_from_numpy(arr_on_cpu))

    def bind_input(self, name: str, device_type: str, device_id: int, element_type: Any, shape: Sequence[int], buffer_ptr: int) -> None:
        """The memory at `buffer_ptr` must stay there as long as it is bound."""
        self._bind_input(name, OrtValue(_at_address(buffer_ptr, shape, element_type, device_of(device_type, device_id))))

    def bind_ortvalue_input(self, name: str, ortvalue: OrtValue) -> None:
        self._bind_input(name, ortvalue)

    def bind_output(self, name: str, device_type: str = "cpu", device_id: int = 0, element_type: Any = None,
                    shape: Sequence[int] | None = None, buffer_ptr: int | None = None) -> None:
        """With `buffer_ptr` the result is written to the memory there, which must stay; otherwise memory is made."""
        device = device_of(device_type, device_id)
        self._check_output(name)
        self._devices.pop(name, None)
        if buffer_ptr is None:
            self._outputs[name] = None
            if device != HOST:
                self._devices[name] = device
            return
        if element_type is None or shape is None:
            raise ValueError("`element_type` and `shape` are to be provided if pre-allocated memory is provided")
        self._outputs[name] = _at_address(buffer_ptr, shape, element_type, device)

    def bind_ortvalue_output(self, name: str, ortvalue: OrtValue) -> None:
        self._check_output(name)
        self._devices.pop(name, None)
        self._outputs[name] = ortvalue._value

    def synchronize_inputs(self) -> None:
        """A run waits for what was given to a device's default stream: there is nothing to wait for here."""

    def synchronize_outputs(self) -> None:
        """When a run ends its results are there: there is nothing to wait for."""

    def get_outputs(self) -> list[OrtValue]:
        """Results of the last run, in the order in which they were bound."""
        return list(self._results)

    def get_outputs_as_ortvaluevector(self) -> OrtValueVector:
        return OrtValueVector(self._results)

    def copy_outputs_to_cpu(self) -> list[Any]:
        return [np.array(result.numpy()) if result.is_tensor() else result.numpy() for result in self._results]

    def clear_binding_inputs(self) -> None:
        self._inputs.clear()

    def clear_binding_outputs(self) -> None:
        self._outputs.clear()
        self._devices.clear()
        self._results.clear()

    def _bind_input(self, name: str, value: OrtValue) -> None:
        if name not in self._session._input_names:
            raise failure(InvalidArgument, f"Failed to find input name in the mapping: {name}")
        self._inputs[name] = value._value

    def _check_output(self, name: str) -> None:
        if name not in self._session._output_names:
            raise failure(InvalidArgument, f"Failed to find output name in the mapping: {name}")


def _at_address(address: int, shape: Sequence[int], element_type: Any, device: tuple[int, int]) -> _native.Value:
    try:
        return _native.Value.from_address(int(address), [int(dim) for dim in shape], our_dtype(element_type), *device)
    except errors.Error as error:
        raise translated(error) from error

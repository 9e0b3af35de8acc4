"""ONNX's backend interface: ``onnx.backend.test.BackendTest(onnxrun.backend, __name__)``. Needs the package onnx."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import onnx
import onnx.backend.base
import onnx.helper

from .errors import Unsupported
from .model import Model
from .session import Session

__all__ = ["Backend", "BackendRep", "is_compatible", "prepare", "run_model", "run_node", "supports_device"]


class BackendRep(onnx.backend.base.BackendRep):
    """A prepared model."""

    def __init__(self, session: Session):
        self._session = session

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Runs on a list of inputs in the model's order, a dict by name, or one array; gives the results as a named tuple."""
        if isinstance(inputs, np.ndarray):
            inputs = [inputs]
        results = self._session.run(inputs if isinstance(inputs, Mapping) else list(inputs), as_values=False)
        values = list(results.values()) if isinstance(results, dict) else results
        return onnx.backend.base.namedtupledict("Outputs", [port.name for port in self._session.outputs])(*values)


class Backend(onnx.backend.base.Backend):
    """Class methods over Session."""

    @classmethod
    def is_compatible(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any) -> bool:
        """Whether every operator of the model is known here."""
        if not cls.supports_device(device):
            return False
        try:
            Session(model)
        except Unsupported:
            return False
        return True

    @classmethod
    def prepare(cls, model: onnx.ModelProto | bytes | str | Model | Session, device: str = "CPU", **kwargs: Any) -> BackendRep:
        """Makes a model ready; `kwargs` are options of Session."""
        _require(device)
        return BackendRep(model if isinstance(model, Session) else Session(model, **kwargs))

    @classmethod
    def run_model(cls, model: Any, inputs: Any, device: str = "CPU", **kwargs: Any) -> tuple[Any, ...]:
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(cls, node: onnx.NodeProto, inputs: Any, device: str = "CPU", outputs_info: Iterable[Any] | None = None,
                 **kwargs: Any) -> tuple[Any, ...]:
        """Runs one node on arrays; ``opset_version`` is the version of ai.onnx, by default the newest."""
        arrays = [np.asarray(array) for array in inputs] if not isinstance(inputs, np.ndarray) else [inputs]
        names = [name for name in node.input if name]
        ports = [onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
                 for name, array in zip(names, arrays)]
        given = list(outputs_info) if outputs_info is not None else []
        outputs = [onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(given[i][0])), given[i][1])
                   if i < len(given) else onnx.ValueInfoProto(name=name) for i, name in enumerate(node.output) if name]
        opset = onnx.helper.make_opsetid(node.domain, kwargs.pop("opset_version", onnx.defs.onnx_opset_version()))
        opsets = [opset] if not node.domain else [onnx.helper.make_opsetid("", onnx.defs.onnx_opset_version()), onnx.helper.make_opsetid(node.domain, 1)]
        graph = onnx.helper.make_graph([node], "node", ports, outputs)
        return cls.run_model(onnx.helper.make_model(graph, opset_imports=opsets), dict(zip(names, arrays)), device, **kwargs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        return device.split(":")[0].upper() == "CPU"


def _require(device: str) -> None:
    if not Backend.supports_device(device):
        raise Unsupported(f"there is no device '{device}' here, only 'CPU'")


is_compatible = Backend.is_compatible
prepare = Backend.prepare
run_model = Backend.run_model
run_node = Backend.run_node
supports_device = Backend.supports_device

"""References of `validate`: calling them, and their outputs as arrays. torch is used where the reference is a module of it, and not imported otherwise."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np


def _torch_module(reference: Any) -> Any:
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(reference, torch.nn.Module) else None


def call_reference(reference: Any, arrays: list[np.ndarray]) -> Any:
    """What the reference gives for arrays; a torch module gets tensors and computes no gradients."""
    torch = _torch_module(reference)
    if torch is None:
        return reference(*arrays)
    with torch.no_grad():
        return reference(*[torch.from_numpy(np.array(array)) for array in arrays])


def arrays_of(value: Any) -> list[np.ndarray]:
    """Every array in a result, in order: of arrays, tensors, lists, tuples, dicts, dataclass-like outputs."""
    if isinstance(value, Mapping):
        return [array for element in value.values() for array in arrays_of(element)]
    if isinstance(value, (list, tuple)) and any(hasattr(element, "shape") or isinstance(element, (list, tuple, Mapping)) for element in value):
        return [array for element in value for array in arrays_of(element)]
    if value is None:
        return []
    if hasattr(value, "detach"):
        value = value.detach().cpu()  # type: ignore[union-attr]
        if str(value.dtype) == "torch.bfloat16":
            return [value.float().numpy()]
        return [value.numpy()]
    return [np.asarray(value)]


def difference_in_modules(reference: Any, arrays: list[np.ndarray], values: list[Any], rtol: float, atol: float) -> str:
    """The first module of a torch reference whose output is none of the model's `values`; "" where there is none or the reference is something else."""
    torch = _torch_module(reference)
    if torch is None:
        return ""
    outputs: list[tuple[str, str, np.ndarray]] = []
    hooks = []
    for name, module in reference.named_modules():
        def note(module: Any, _: Any, result: Any, name: str = name) -> None:
            outputs.extend((name, type(module).__name__, array) for array in arrays_of(result))
        hooks.append(module.register_forward_hook(note))
    try:
        call_reference(reference, arrays)
    finally:
        for hook in hooks:
            hook.remove()
    numbers = [np.asarray(value) for value in values if not isinstance(value, (list, dict)) and value is not None]
    for name, kind, array in outputs:
        alike = [value for value in numbers if value.size == array.size and value.dtype != object]
        if not any(np.allclose(value.astype(np.float64).reshape(array.shape), array.astype(np.float64), rtol=rtol, atol=atol, equal_nan=True)
                   for value in alike):
            return f"module '{name}' ({kind}): nothing in the model computes its output {list(array.shape)}"
    return ""

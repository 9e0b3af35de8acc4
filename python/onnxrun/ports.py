"""What a model declares its inputs and outputs to be."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Port"]

_KINDS = ("unknown", "tensor", "sparse_tensor", "sequence", "optional", "map")


class Port(NamedTuple):
    """An input or output as the model declares it."""

    name: str
    type: str
    """For people, and complete: ``"float32[batch,3,224,224]"``, ``"sequence(map(int64, float32[]))"``."""
    kind: str
    """``"tensor"``, ``"sequence"``, ``"map"``, ``"optional"``, ``"sparse_tensor"`` or ``"unknown"``."""
    dtype: str
    """Element type of a tensor, as ``"float32"``; ``""`` where there is none."""
    shape: tuple[int | str | None, ...] | None
    """Sizes of a tensor: numbers, names or expressions of sizes that vary (``"batch"``, ``"2*batch"``), None for unknown ones. None
    as a whole where not even the rank is known."""
    has_default: bool
    """Of an input: whether it may be left out."""

    def __str__(self) -> str:
        return f"{self.name}: {self.type}"


def make_ports(described: list[tuple]) -> list[Port]:
    return [Port(name, text, _KINDS[kind] if 0 <= kind < len(_KINDS) else "unknown", dtype, shape, default)
            for name, text, kind, dtype, shape, default in described]

"""What one model to export is: how to build it, what its inputs hold, and at which sizes it is checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy
import torch


@dataclass(frozen=True)
class Input:
    """One graph input.

    `shape` mixes sizes and symbols; a symbol gets its size from the case's `sizes`.
    `kind` is one of
      normal   float: mean + std * standard normal
      uniform  float: low <= value < high
      integers low <= value < high
      mask     each row starts (pad="right") or ends (pad="left") with ones, at least half of them, the rest zeros
      range    start, start + 1, … along the last axis, where start is the size of symbol `offset` (0 without one)
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]
    kind: str = "normal"
    low: float = 0
    high: float = 1
    mean: float = 0.0
    std: float = 1.0
    pad: str = "right"
    offset: str = ""

    def describe(self) -> dict:
        fields = {
            "normal": ("mean", "std"),
            "uniform": ("low", "high"),
            "integers": ("low", "high"),
            "mask": ("pad",),
            "range": ("offset",),
        }[self.kind]
        out = {"dtype": self.dtype, "shape": list(self.shape), "kind": self.kind}
        out.update({key: getattr(self, key) for key in fields if getattr(self, key) != ""})
        return out

    def draw(self, size: dict[str, int], rng: numpy.random.Generator) -> numpy.ndarray:
        shape = [size[d] if isinstance(d, str) else d for d in self.shape]
        if self.kind == "normal":
            value = self.mean + self.std * rng.standard_normal(shape)
        elif self.kind == "uniform":
            value = rng.uniform(self.low, self.high, shape)
        elif self.kind == "integers":
            value = rng.integers(int(self.low), int(self.high), shape)
        elif self.kind == "mask":
            length = shape[-1]
            kept = rng.integers(math.ceil(length / 2), length + 1, shape[:-1] + [1])
            position = numpy.arange(length)
            value = position < kept if self.pad == "right" else position >= length - kept
        elif self.kind == "range":
            start = size[self.offset] if self.offset else 0
            value = numpy.broadcast_to(start + numpy.arange(shape[-1]), shape)
        else:
            raise ValueError(f"input {self.name}: unknown kind {self.kind}")
        return numpy.ascontiguousarray(value.astype(self.dtype))


# TorchScript exports come at opset 17 and, where a case asks for these, 18; the dynamo ones at 20.
NEWER = {"ts": 18, "dynamo": 20}


@dataclass(frozen=True)
class Case:
    """One model: `build` returns a module in eval mode whose forward takes the inputs in order and returns tensors.

    `sizes` holds at least two assignments of the symbols; the first has batch 1. `example` is the one the exporters
    trace with: its sizes differ from one another and from 1, so that no axis is baked in by accident. `exporters` maps an
    exporter's name to the opset it is asked for. `masked` names the (batch, total) mask input whose zeros are
    positions that see nothing: what attention gives there is each implementation's own, so PyTorch is not asked about them.
    """

    name: str
    build: Callable[[], torch.nn.Module]
    inputs: list[Input]
    outputs: list[str]
    sizes: list[dict[str, int]]
    example: dict[str, int]
    exporters: dict[str, int] = field(default_factory=lambda: {"ts": 17, "dynamo": 20})
    masked: str = ""

    def draw(self, size: dict[str, int], seed: int) -> dict[str, numpy.ndarray]:
        rng = numpy.random.default_rng(seed)
        return {i.name: i.draw(size, rng) for i in self.inputs}

    def describe(self) -> dict:
        return {"inputs": {i.name: i.describe() for i in self.inputs}, "sizes": self.sizes}


class Adapter(torch.nn.Module):
    """Makes any model a module over a flat list of tensors: `call(model, *tensors)` returns a tensor or a tuple of them."""

    def __init__(self, model: torch.nn.Module, call: Callable):
        super().__init__()
        self.model = model
        self.call = call

    def forward(self, *tensors):
        return self.call(self.model, *tensors)

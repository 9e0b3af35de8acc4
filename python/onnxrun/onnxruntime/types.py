"""Element types and types of values by ONNX Runtime's names, as in "tensor(float)"."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..convert import numpy_dtype

# By the number of TensorProto.DataType: our name, ONNX Runtime's.
TYPES = {
    1: ("float32", "float"), 2: ("uint8", "uint8"), 3: ("int8", "int8"), 4: ("uint16", "uint16"), 5: ("int16", "int16"),
    6: ("int32", "int32"), 7: ("int64", "int64"), 8: ("string", "string"), 9: ("bool", "bool"), 10: ("float16", "float16"),
    11: ("float64", "double"), 12: ("uint32", "uint32"), 13: ("uint64", "uint64"), 14: ("complex64", "complex64"),
    15: ("complex128", "complex128"), 16: ("bfloat16", "bfloat16"), 17: ("float8e4m3fn", "float8e4m3fn"),
    18: ("float8e4m3fnuz", "float8e4m3fnuz"), 19: ("float8e5m2", "float8e5m2"), 20: ("float8e5m2fnuz", "float8e5m2fnuz"),
    21: ("uint4", "uint4"), 22: ("int4", "int4"), 23: ("float4e2m1", "float4e2m1"), 24: ("float8e8m0", "float8e8m0"),
    25: ("uint2", "uint2"), 26: ("int2", "int2"), 27: ("float6e2m3", "float6e2m3"), 28: ("float6e3m2", "float6e3m2"),
}
_THEIRS = dict(TYPES.values())
_NUMBERS = {ours: number for number, (ours, _) in TYPES.items()}


def type_string(text: str) -> str:
    """ONNX Runtime's spelling of a port's type: "sequence(float32[n])" is "seq(tensor(float))"."""
    for ours, theirs in (("sequence(", "seq("), ("optional(", "optional(")):
        if text.startswith(ours):
            return theirs + type_string(text[len(ours):-1]) + ")"
    if text.startswith("map("):
        key, element = text[4:-1].split(", ", 1)
        return f"map({_THEIRS.get(key, key)},{type_string(element)})"
    if text.startswith("sparse "):
        return "sparse_" + type_string(text[len("sparse "):])
    return tensor_string(text.split("[", 1)[0])


def tensor_string(dtype: str) -> str:
    return f"tensor({_THEIRS.get(dtype, dtype)})"


def onnx_number(dtype: str) -> int:
    """TensorProto.DataType of an element type of ours."""
    return _NUMBERS[dtype]


def our_dtype(element_type: Any) -> str:
    """Our name of an element type given as a number of TensorProto.DataType or as what numpy.dtype takes."""
    if isinstance(element_type, (int, np.integer)) and not isinstance(element_type, bool):
        if int(element_type) not in TYPES:
            raise ValueError(f"{element_type} is no element type of ONNX")
        return TYPES[int(element_type)][0]
    dtype = np.dtype(element_type)  # type: ignore[call-overload]
    for ours, _ in TYPES.values():
        if ours != "string" and numpy_dtype(ours) == dtype:
            return ours
    if dtype.kind in "OUST":
        return "string"
    raise ValueError(f"ONNX has no element type {dtype}")

"""Arrays from what is no plain NumPy array: numbers, lists, text, other libraries' arrays."""

from __future__ import annotations

import numpy as np

from .errors import InvalidArgument

_INTEGERS = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "int4", "uint4", "int2", "uint2"}


def numpy_dtype(name: str) -> np.dtype:
    """The NumPy type of an element type of ours; the types that NumPy lacks are those of ml_dtypes."""
    if name == "string":
        return np.dtype(object)
    try:
        return np.dtype(name)
    except TypeError:
        import ml_dtypes
        special = {"float8e4m3fn": "float8_e4m3fn", "float8e4m3fnuz": "float8_e4m3fnuz", "float8e5m2": "float8_e5m2",
                   "float8e5m2fnuz": "float8_e5m2fnuz", "float8e8m0": "float8_e8m0fnu", "float4e2m1": "float4_e2m1fn",
                   "float6e2m3": "float6_e2m3fn", "float6e3m2": "float6_e3m2fn"}
        return np.dtype(getattr(ml_dtypes, special.get(name, name)))


def as_array(value: object, wanted: str, what: str) -> np.ndarray:
    """An array for `value`; numbers and lists take the element type `wanted` ("" where the model has none) if it can hold them.

    Raises InvalidArgument, naming `what`, for ragged lists, masked arrays and values that do not fit.
    """
    if isinstance(value, np.ma.MaskedArray):
        if np.ma.getmaskarray(value).any():
            raise InvalidArgument(f"{what} is a masked array; fill it first, as in array.filled(0)")
        return np.asarray(value.data)
    if isinstance(value, np.ndarray):
        return value.view(np.ndarray)
    if isinstance(value, (set, frozenset)) or (hasattr(value, "__next__") and not hasattr(value, "__array__")):
        raise InvalidArgument(f"{what} must be an array or a list, got {type(value).__name__}")
    try:
        array = np.asarray(value, dtype=object if wanted == "string" else None)
    except (ValueError, TypeError) as error:
        raise InvalidArgument(f"{what} cannot be made an array: {error}") from None
    # What brings its own type along keeps it, and is checked against the model's as arrays are.
    if wanted in ("", "string") or isinstance(value, np.generic) or hasattr(value, "__array__"):
        return array
    return _number_array(array, wanted, what)


def _number_array(array: np.ndarray, wanted: str, what: str) -> np.ndarray:
    if array.size == 0:
        return array.astype(numpy_dtype(wanted))
    kind = array.dtype.kind
    if wanted == "bool":
        fits = kind == "b"
    elif wanted in _INTEGERS:
        fits = kind in "bui"
    elif wanted.startswith("complex"):
        fits = kind in "buifc"
    else:
        fits = kind in "buif"
    if not fits:
        held = "objects" if kind == "O" else array.dtype.name
        raise InvalidArgument(f"{what} must hold {wanted}, and the values given ({held}) are no such numbers")
    dtype = numpy_dtype(wanted)
    if wanted in _INTEGERS:
        converted = array.astype(dtype)
        if not np.array_equal(converted.astype(array.dtype), array):
            raise InvalidArgument(f"{what} holds numbers that {wanted} cannot represent")
        return converted
    return array.astype(dtype)

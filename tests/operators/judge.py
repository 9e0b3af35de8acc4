"""Holds what the library computed against an independent result."""

import warnings
from dataclasses import replace

import ml_dtypes
import numpy as np
from cases import is_float
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

TOLERANCE = {"float64": (1e-11, 1e-12), "float32": (1e-5, 1e-6), "float16": (2e-3, 1e-3), "bfloat16": (1.6e-2, 1e-2)}


def as_list(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def close(got, want, case):
    """What is wrong with one output, or None."""
    if want is None or got is None:
        return None if want is None and got is None else f"got {got}, expected {want}"
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return f"expected a sequence of {len(want)}"
        return next((problem for problem in map(lambda pair: close(*pair, case), zip(got, want)) if problem), None)
    if isinstance(want, dict):
        if not isinstance(got, dict) or got.keys() != want.keys():
            return f"got {got}, expected a map of {list(want)}"
        return next((f"at {key}: {problem}" for key in want if (problem := close(got[key], np.asarray(want[key], np.asarray(got[key]).dtype), case))), None)
    want = np.asarray(want)
    if isinstance(got, list):
        return "got a sequence"
    if want.dtype.kind in "USO":
        want = want.astype(object)
    if got.dtype != want.dtype:
        return f"type {got.dtype}, expected {want.dtype}"
    if got.shape != want.shape:
        return f"shape {got.shape}, expected {want.shape}"
    if want.size == 0:
        return None
    if want.dtype.kind == "c":
        parts = [close(part(got), part(want), case) for part in (np.real, np.imag)]
        return parts[0] or parts[1]
    if not is_float(want.dtype):
        different = got != want if not case.slack or want.dtype.kind not in "iu" else np.abs(got.astype(np.int64) - want.astype(np.int64)) > case.slack
        if want.dtype.kind not in "iubO":  # float8 and float4
            a, b = got.astype(np.float32), want.astype(np.float32)
            different = ~((a == b) | (np.isnan(a) & np.isnan(b)))
        return show(got, want, different) if np.any(different) else None
    exact = want.dtype.name == "float64" and not case.single
    rtol, atol = TOLERANCE["float32" if case.single and want.dtype.name == "float64" else want.dtype.name]
    scale = 1e-5 if exact else 1
    if case.rtol is not None:
        rtol = max(rtol, case.rtol * scale)
    if case.atol is not None:
        atol = max(atol, case.atol * scale)
    atol = max(atol, rtol * case.magnitude)
    a, b = got.astype(np.float64), want.astype(np.float64)
    with np.errstate(all="ignore"):
        good = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.isfinite(a) & np.isfinite(b) & (np.abs(a - b) <= atol + rtol * np.abs(b)))
        # Where rounding decides between the largest number and infinity.
        limit = float(ml_dtypes.finfo(want.dtype).max)
        good |= (np.sign(a) == np.sign(b)) & (np.abs(a) >= limit * (1 - rtol)) & (np.abs(b) >= limit * (1 - rtol))
    return show(got, want, ~good) if not np.all(good) else None


def show(got, want, different):
    at = np.unravel_index(int(np.argmax(different)), different.shape) if np.ndim(different) else ()
    return f"{int(np.sum(different))} of {want.size} differ, at {tuple(map(int, at))}: got {got[at]!r}, expected {want[at]!r}"


def judge(got, want, case):
    want = as_list(want)
    if len(got) != len(want):
        return f"{len(got)} outputs, expected {len(want)}"
    for i, (a, b) in enumerate(zip(got, want)):
        if i not in case.ignore and (problem := close(a, b, case)):
            return f"output {i}: {problem}"
    return None


def evaluate(model, feeds):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return ReferenceEvaluator(model).run(None, feeds)


def widen(model, feeds, kinds=(TensorProto.FLOAT16, TensorProto.BFLOAT16)):
    """The same model with values of these types as float32; None when there are none, or attributes name types."""
    wide = type(model)()
    wide.CopyFrom(model)
    found = False
    for port in wide.graph.input:
        if port.type.tensor_type.elem_type in kinds:
            port.type.tensor_type.elem_type = TensorProto.FLOAT
            found = True
    for tensor in wide.graph.initializer:
        if tensor.data_type in kinds:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name))
            found = True
    for attribute in wide.graph.node[0].attribute:
        if attribute.name in ("dtype", "output_dtype", "stash_type", "to", "softmax_precision") and attribute.i in kinds:
            return None
    names = {helper.tensor_dtype_to_np_dtype(kind).name for kind in kinds}
    as_single = {k: v.astype(np.float32) if isinstance(v, np.ndarray) and v.dtype.name in names else v for k, v in feeds.items()}
    return (wide, as_single) if found else None


def narrowed(want, got):
    """Results of a widened model in the types that were asked for."""
    return [w.astype(g.dtype) if isinstance(w, np.ndarray) and isinstance(g, np.ndarray) and is_float(w.dtype) and is_float(g.dtype) else w
            for w, g in zip(want, got)]


def by_reference(got, model, feeds, case):
    """Judged by onnx.reference: (what is wrong or None, what it could not run)."""
    try:
        problem = judge(got, evaluate(model, feeds), case)
    except Exception as error:  # the reference lacks versions and types
        return None, f"{type(error).__name__}: {error}"
    # The reference rounds every step to the type, the library only the result.
    wide = widen(model, feeds) if problem else None
    if wide is not None:
        try:
            if judge(got, narrowed(evaluate(*wide), got), case) is None:
                return None, None
        except Exception:
            pass
    return problem, None


def by_onnxruntime(got, model, feeds, case, opset):
    """The same by ONNX Runtime, at the first opset of the operator's version, in float32 where it lacks the type."""
    older = type(model)()
    older.CopyFrom(model)
    older.opset_import[0].version, older.ir_version = opset, 10
    model = older
    try:
        return judge(got, run_onnxruntime(model, feeds), case), None
    except Exception as error:
        unable = f"{type(error).__name__}: {str(error)[:120]}"
    try:
        wide = widen(model, feeds, (TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE))
        if wide is not None:
            return judge(got, narrowed(run_onnxruntime(*wide), got), replace(case, single=True)), None
    except Exception:
        pass
    return None, unable


def run_onnxruntime(model, feeds):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)

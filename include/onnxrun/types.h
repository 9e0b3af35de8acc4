/* Plain types shared by the C ABI and the provider ABI: status codes, element types, tensor views. */
#ifndef ONNXRUN_TYPES_H
#define ONNXRUN_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32)
#define ONNXRUN_EXPORT __declspec(dllexport)
#else
#define ONNXRUN_EXPORT __attribute__((visibility("default")))
#endif

/* Outcome of a call. Everything but ONNXRUN_OK comes with a message. */
typedef enum onnxrun_code {
  ONNXRUN_OK = 0,
  ONNXRUN_INVALID_ARGUMENT = 1,
  ONNXRUN_INVALID_MODEL = 2,
  ONNXRUN_UNSUPPORTED = 3,
  ONNXRUN_RUN_FAILED = 4,
  ONNXRUN_LIMIT_EXCEEDED = 5,
  ONNXRUN_CANCELLED = 6,
  ONNXRUN_DEADLINE = 7,
  ONNXRUN_IO = 8,
  ONNXRUN_INTERNAL = 9
} onnxrun_code;

/* Element types; the numbers are those of ONNX's TensorProto.DataType. */
typedef enum onnxrun_dtype {
  ONNXRUN_DTYPE_NONE = 0,
  ONNXRUN_DTYPE_FLOAT32 = 1,
  ONNXRUN_DTYPE_UINT8 = 2,
  ONNXRUN_DTYPE_INT8 = 3,
  ONNXRUN_DTYPE_UINT16 = 4,
  ONNXRUN_DTYPE_INT16 = 5,
  ONNXRUN_DTYPE_INT32 = 6,
  ONNXRUN_DTYPE_INT64 = 7,
  ONNXRUN_DTYPE_STRING = 8,
  ONNXRUN_DTYPE_BOOL = 9,
  ONNXRUN_DTYPE_FLOAT16 = 10,
  ONNXRUN_DTYPE_FLOAT64 = 11,
  ONNXRUN_DTYPE_UINT32 = 12,
  ONNXRUN_DTYPE_UINT64 = 13,
  ONNXRUN_DTYPE_COMPLEX64 = 14,
  ONNXRUN_DTYPE_COMPLEX128 = 15,
  ONNXRUN_DTYPE_BFLOAT16 = 16,
  ONNXRUN_DTYPE_FLOAT8E4M3FN = 17,
  ONNXRUN_DTYPE_FLOAT8E4M3FNUZ = 18,
  ONNXRUN_DTYPE_FLOAT8E5M2 = 19,
  ONNXRUN_DTYPE_FLOAT8E5M2FNUZ = 20,
  ONNXRUN_DTYPE_UINT4 = 21,
  ONNXRUN_DTYPE_INT4 = 22,
  ONNXRUN_DTYPE_FLOAT4E2M1 = 23,
  ONNXRUN_DTYPE_FLOAT8E8M0 = 24,
  ONNXRUN_DTYPE_UINT2 = 25,
  ONNXRUN_DTYPE_INT2 = 26,
  ONNXRUN_DTYPE_FLOAT6E2M3 = 27,
  ONNXRUN_DTYPE_FLOAT6E3M2 = 28
} onnxrun_dtype;

/* Memory kind of ordinary host memory; other kinds are numbered by the provider that owns them. */
#define ONNXRUN_MEMORY_HOST 0

/* A view of a tensor; owns nothing. As a *fact* about a tensor not yet computed, `rank` or single `dims` may be
 * -1 (unknown) and `data` is null unless the value is constant. `dtype` 0 stands for an absent optional value.
 * Sub-byte elements are packed little end first, each tensor starting at a byte. Strings (host only, in-tree
 * providers only) are an array of std::string. */
typedef struct onnxrun_tensor {
  void* data;
  const int64_t* dims;
  const int64_t* strides; /* in elements, one for each dim; null: contiguous, row-major */
  int32_t rank;
  int32_t dtype;  /* onnxrun_dtype */
  int32_t memory; /* ONNXRUN_MEMORY_HOST or a memory kind of a provider */
  int32_t layout; /* 0: plain; otherwise a layout numbered by the provider */
} onnxrun_tensor;

#ifdef __cplusplus
}
#endif

#endif /* ONNXRUN_TYPES_H */

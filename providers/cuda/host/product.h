// Matrix products by cuBLASLt.
#pragma once

#include <cstdint>
#include <memory>

#include "base/dtype.h"
#include "cuda/host/stream.h"

namespace onnxrun::cuda {

// Row-major: y[m, n] = alpha * a[m, k] b[k, n] + beta * y + bias[n], then perhaps Relu; `batch` of them at fixed distances (in elements).
struct ProductShape {
  int64_t m = 0, n = 0, k = 0;
  bool a_transposed = false, b_transposed = false;  // stored as [k, m], [n, k]
  int64_t batch = 1, a_step = 0, b_step = 0, y_step = 0;
  int64_t a_row = 0, b_row = 0, y_row = 0;  // from one stored row to the next, in elements; 0: they follow each other
  double alpha = 1, beta = 0;
  bool bias = false, relu = false;
  base::DType y_type = base::DType::kNone;  // kNone: that of a and b; else float32; int32 of int8
  base::DType b_type = base::DType::kNone;  // kNone: that of a; both float8
  bool scaled = false;                      // the factors of float8 operands come with each run
};

// Factors of float8 operands, on the device; null: 1.
struct OperandScales {
  const float *a = nullptr, *b = nullptr;
};

// The types of float8 that products take.
bool is_float8(base::DType type);

// A product of one shape. Its algorithm is chosen at the first run. Thread-safe.
class Product {
 public:
  static constexpr size_t kWorkspace = size_t{32} << 20;

  // float32, float64, float16 or bfloat16. A product of int8, whose sums are int32, has further rules: b is transposed, a is not, n, k and the
  // distances of rows are multiples of 4, addresses of 16, there is no bias and no Relu, and cuBLASLt may have no algorithm all the same. One of float8e4m3fn
  // and float8e5m2, whose sums are float32, goes by these: b is transposed, a is not, n and k and the distances of rows are multiples of 16, as are
  // addresses; one operand at least is float8e4m3fn; y_type is float32, float16 or bfloat16, and there is a bias with the last two only. Devices before
  // compute capability 8.9 have no algorithm.
  static bool serves(base::DType type);
  // `precision` as in onnxrun_node; no dimension is 0.
  Product(base::DType type, int precision, const ProductShape& shape);
  ~Product();
  Product(Product&&) noexcept;

  // `bias` may be null where the shape has none. `workspace` is of kWorkspace bytes.
  void run(Stream& stream, const void* a, const void* b, const void* bias, void* y, void* workspace) const;
  // False, and nothing done, where cuBLASLt has no algorithm.
  bool try_run(Stream& stream, const void* a, const void* b, const void* bias, void* y, void* workspace,
               const OperandScales& scales = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace onnxrun::cuda

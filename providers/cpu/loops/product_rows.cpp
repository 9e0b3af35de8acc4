// Choice of the products of runs of this machine's level.
#include "cpu/loops/product_rows.h"

#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu {

#define ONNXRUN_DECLARE(level)                       \
  namespace simd::level {                            \
  const ProductRows<float>& float_product_rows();    \
  const ProductRows<double>& double_product_rows();  \
  const ProductRows<uint64_t>& whole_product_rows(); \
  }
ONNXRUN_SIMD_FOR_EACH_LEVEL(ONNXRUN_DECLARE)
#undef ONNXRUN_DECLARE

template <>
const ProductRows<float>& product_rows() {
  ONNXRUN_SIMD_CALL(float_product_rows);
}
template <>
const ProductRows<double>& product_rows() {
  ONNXRUN_SIMD_CALL(double_product_rows);
}
template <>
const ProductRows<uint64_t>& product_rows() {
  ONNXRUN_SIMD_CALL(whole_product_rows);
}

}  // namespace onnxrun::cpu

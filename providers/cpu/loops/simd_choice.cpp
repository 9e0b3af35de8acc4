// Choosing among the levels of kernels/simd/ for what the elementwise loops use.
#include "cpu/kernels/simd/float_rows.h"

#include "cpu/kernels/simd/conversions.h"
#include "cpu/kernels/simd/narrow_floats.h"
#include "cpu/kernels/simd/number_rows.h"
#include "cpu/loops/simd_call.h"

namespace onnxrun::cpu::simd {
namespace {

template <class From, class To>
void convert_at_level(const From* from, To* to, int64_t count) {
  ONNXRUN_SIMD_CALL(convert, from, to, count);
}

}  // namespace

RowKernel float_activation(std::string_view op) { ONNXRUN_SIMD_CALL(float_activation, op); }
RowKernel float_row(std::string_view op) { ONNXRUN_SIMD_CALL(float_row, op); }
RowKernel truth_row(std::string_view op, base::DType type) { ONNXRUN_SIMD_CALL(truth_row, op, type); }
RowKernel number_row(std::string_view op, base::DType type) { ONNXRUN_SIMD_CALL(number_row, op, type); }
Converter conversion(base::DType from, base::DType to) { ONNXRUN_SIMD_CALL(conversion, from, to); }

void convert(const base::Float16* from, float* to, int64_t count) { convert_at_level(from, to, count); }
void convert(const float* from, base::Float16* to, int64_t count) { convert_at_level(from, to, count); }
void convert(const base::Bfloat16* from, float* to, int64_t count) { convert_at_level(from, to, count); }
void convert(const float* from, base::Bfloat16* to, int64_t count) { convert_at_level(from, to, count); }

}  // namespace onnxrun::cpu::simd

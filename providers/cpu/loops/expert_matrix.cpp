// The matrices of a mixture's experts.
#include "cpu/loops/expert_matrix.h"

#include <algorithm>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/loops/cache_rows.h"
#include "cpu/loops/panels.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {

ExpertMatrix::ExpertMatrix(const Node& node, const Inputs& inputs, int64_t rows, int64_t columns, int64_t bits,
                           int64_t block)
    : in_(inputs),
      weights_(dtype(node.input(inputs.weights))),
      rows_(rows),
      columns_(columns),
      bits_(bits),
      block_(block) {
  if (in_.scales != 0) scales_ = dtype(node.input(in_.scales));
  if (in_.bias != 0 && node.has_input(in_.bias)) bias_ = dtype(node.input(in_.bias));
  zeros_ = in_.zeros != 0 && node.has_input(in_.zeros);
}

// Number i of packed ones, the first in the low bits.
int64_t ExpertMatrix::number(const uint8_t* packed, int64_t i) const {
  const int64_t each = 8 / bits_;
  return packed[i / each] >> (i % each * bits_) & ((1 << bits_) - 1);
}

void ExpertMatrix::row(const RunContext& context, int64_t e, int64_t n, float* out) const {
  const int64_t at = e * rows_ + n;
  if (in_.scales == 0) {
    const int64_t bytes = columns_ * base::dtype_bits(weights_) / 8;
    return CacheRows(weights_, columns_, 8, false)
        .load(static_cast<const char*>(context.input(in_.weights).data) + at * bytes, nullptr, 0, out);
  }
  const uint8_t* packed = context.in<uint8_t>(in_.weights) + at * ((columns_ * bits_ + 7) / 8);
  const int64_t size = block_ == 0 ? columns_ : block_, blocks = block_ == 0 ? 1 : (columns_ + block_ - 1) / block_;
  for (int64_t k = 0; k < blocks; ++k) {
    int64_t zero = int64_t{1} << (bits_ - 1);
    if (zeros_) {
      // Packed along the rows where a row has one, else along its blocks.
      const uint8_t* points = context.in<uint8_t>(in_.zeros) +
                              (block_ == 0 ? e * ((rows_ * bits_ + 7) / 8) : at * ((blocks * bits_ + 7) / 8));
      zero = number(points, block_ == 0 ? n : k);
    }
    const float scale = load_narrow(scales_, context.input(in_.scales).data, at * blocks + k);
    for (int64_t i = k * size; i < std::min(columns_, (k + 1) * size); ++i)
      out[i] = static_cast<float>(number(packed, i) - zero) * scale;
  }
}

void ExpertMatrix::multiply(RunContext& context, int64_t e, const float* x, int64_t count, float* y) const {
  const int64_t blocks = (rows_ + kPanel - 1) / kPanel;
  base::take_kernel_memory(base::checked_mul(std::min<int64_t>(blocks, context.threads()),
                                             base::checked_mul(columns_, 2 * kPanel * sizeof(float))));
  parallel_polled(context, blocks, kPanel * Cost(columns_) * (4 + count), [&](int64_t begin, int64_t end) {
    std::vector<float> matrix(static_cast<size_t>(kPanel * columns_)),
        panel(count < 4 ? 0 : static_cast<size_t>(kPanel * columns_));
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block * kPanel, rows = std::min(kPanel, rows_ - first);
      for (int64_t n = 0; n < rows; ++n) row(context, e, first + n, matrix.data() + n * columns_);
      if (count < 4) {
        for (int64_t t = 0; t < count; ++t)
          for (int64_t n = 0; n < rows; ++n)
            y[t * rows_ + first + n] = row_functions().dot(x + t * columns_, matrix.data() + n * columns_, columns_);
      } else {
        pack_panels(matrix.data(), 1, columns_, columns_, rows, panel.data());
        multiply_panels(x, columns_, panel.data(), count, columns_, rows, false, y + first, rows_);
      }
      if (bias_ == DType::kNone) continue;
      for (int64_t t = 0; t < count; ++t)
        for (int64_t n = 0; n < rows; ++n)
          y[t * rows_ + first + n] += load_narrow(bias_, context.input(in_.bias).data, e * rows_ + first + n);
    }
  });
}

}  // namespace onnxrun::cpu

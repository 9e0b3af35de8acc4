// A product of two matrices of 8-bit integers: by cuBLASLt where it is large enough, by tiles of ours otherwise.
#pragma once

#include <optional>

#include "cuda/device/integer.h"
#include "cuda/host/byte_product.h"
#include "cuda/kernel.h"

namespace onnxrun::cuda {

class IntegerMatrices {
 public:
  static bool serves(DType a, DType b, DType y) { return find_integer_product(a, b, y) != nullptr; }

  // Of types it serves; of `sizes`, m, n and k.
  IntegerMatrices(const IntegerProduct& sizes, DType a, DType b, DType y)
      : tiles_(find_integer_product(a, b, y)), end_(find_byte_sums(y)) {
    if (sizes.m > 0 && sizes.n > 0 && ByteProduct::suits(image_of(sizes)))
      tensor_cores_.emplace(image_of(sizes), a == DType::kUint8, b == DType::kUint8, true);
  }
  size_t scratch_bytes() const { return tensor_cores_ ? tensor_cores_->scratch_bytes() : 0; }

  // `how` has the sizes of before. The scratch memory is aligned to 256.
  void run(Stream& stream, const IntegerProduct& how, const void* a, const void* b, void* y, void* scratch) const {
    const Queue queue = queue_of(stream);
    if (tensor_cores_) {
      ByteSums ends;
      ends.row_zero = how.a_zero, ends.column_zero = how.b_zero;
      ends.ends = how.ends;
      if (tensor_cores_->run(stream, queue, image_of(how), a, b, ends, end_, y, scratch)) return;
    }
    tiles_(queue, how, a, b, y);
  }

 private:
  IntegerProductLaunch tiles_;
  ByteSumsLaunch end_;
  std::optional<ByteProduct> tensor_cores_;
};

}  // namespace onnxrun::cuda

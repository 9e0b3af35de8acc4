// Products and convolutions of 8-bit integers by cuBLASLt, exact in int32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/device/byte_lines.h"
#include "cuda/host/product.h"
#include "cuda/scratch_layout.h"

namespace onnxrun::cuda {

// A product of one shape: rows lie line by line in memory, columns are what filters see of an image. Thread-safe.
class ByteProduct {
 public:
  // Whether tensor cores are worth the preparation, and the kernels' indices reach.
  static bool suits(const IntegerConvolution& image);
  // `image` gives the sizes: filters are rows. Without `row_zeros` the rows' zero points are known to be stored as 0 (128 in uint8).
  ByteProduct(const IntegerConvolution& image, bool rows_unsigned, bool columns_unsigned, bool row_zeros);

  size_t scratch_bytes() const { return layout_.bytes(); }
  // False, and y not complete, where cuBLASLt has no algorithm. Of `ends`, sizes and sums are filled in here.
  bool run(Stream& stream, const Queue& queue, const IntegerConvolution& image, const void* rows, const void* x,
           ByteSums ends, ByteSumsLaunch end, void* y, void* scratch) const;

 private:
  int64_t padded_columns(int64_t columns) const;

  ScratchLayout layout_{Product::kWorkspace};
  size_t rows_at_ = 0, columns_at_ = 0, row_sums_at_ = 0, sums_at_ = 0;
  int64_t all_columns_ = 0,
          chunk_ = 0;  // columns are taken in chunks, which bounds the memory and keeps it in the device's cache
  ByteLines rows_, columns_;
  bool in_place_ = false;          // the rows are multiplied where they lie
  std::vector<Product> products_;  // of a whole chunk, and of what is left
};

// The product of a matrix with columns of another as an image of one row.
IntegerConvolution image_of(const IntegerProduct& product);

}  // namespace onnxrun::cuda

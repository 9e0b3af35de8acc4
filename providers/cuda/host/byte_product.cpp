// Products and convolutions of 8-bit integers by cuBLASLt, exact in int32.
#include "cuda/host/byte_product.h"

#include <onnxrun/provider.h>

#include <algorithm>

#include "base/checked.h"

namespace onnxrun::cuda {

namespace {

constexpr int64_t kMultiple = 16;    // that cuBLASLt is fast with; it refuses sizes that are no multiples of 4
constexpr int64_t kFewestRows = 32;  // stored: cuBLASLt may have no algorithm for 16 or fewer
constexpr int64_t kChunkBytes = int64_t{32} << 20;

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

int64_t depth_of(const IntegerConvolution& image) {
  return image.channels / image.groups * image.kernel[0] * image.kernel[1] * image.kernel[2];
}
int64_t size_of(const int64_t (&dims)[3]) { return dims[0] * dims[1] * dims[2]; }

}  // namespace

bool ByteProduct::suits(const IntegerConvolution& image) {
  // Few products cost less than three launches do; but kernels of ours take a deep sum one step after the other.
  constexpr double kWorth = 1 << 20, kWorthOfDeep = 1 << 15, kDeep = 256;
  constexpr double kReach = 1 << 30;
  const double depth = static_cast<double>(depth_of(image)), rows = static_cast<double>(image.filters);
  const double columns = static_cast<double>(image.batch) * static_cast<double>(size_of(image.out));
  if (depth < 16 || depth * rows * columns < (depth < kDeep ? kWorth : kWorthOfDeep)) return false;
  // Groups of few filters, above all of one, would be padding for the most part.
  if (image.groups > 1 && image.filters / image.groups < 8) return false;
  // Distances from a position's first element, which may lie outside, to what it sees, and of that element from the image's begin.
  double seen = static_cast<double>(image.channels / image.groups), start = 0;
  for (int d = 0; d < 3; ++d) {
    const double in = static_cast<double>(image.in[d]),
                 begin = static_cast<double>(std::max(image.begin[d], -image.begin[d]));
    seen = seen * in + static_cast<double>(image.kernel[d]) * static_cast<double>(image.dilations[d]);
    start = start * in + static_cast<double>(image.out[d]) * static_cast<double>(image.strides[d]) + begin;
  }
  return std::max(seen, start) < kReach && rows < kReach && columns < kReach &&
         depth * static_cast<double>(image.groups) < (1 << 26);
}

ByteProduct::ByteProduct(const IntegerConvolution& image, bool rows_unsigned, bool columns_unsigned, bool row_zeros) {
  const int64_t depth = depth_of(image), padded_depth = round_up(depth, kMultiple);
  rows_.groups = columns_.groups = image.groups;
  rows_.depth = columns_.depth = depth;
  rows_.padded_depth = columns_.padded_depth = padded_depth;
  rows_.is_unsigned = rows_unsigned, columns_.is_unsigned = columns_unsigned;
  rows_.lines = image.filters / image.groups;
  rows_.ones = row_zeros;
  rows_.padded_lines = std::max(round_up(rows_.lines + (row_zeros ? 1 : 0), kMultiple), kFewestRows);
  // Filters that lie as cuBLASLt wants them stay there, and a column of ones gives their sums.
  in_place_ = !rows_unsigned && !row_zeros && depth == padded_depth && rows_.lines >= kFewestRows;
  if (in_place_) rows_.padded_lines = rows_.lines;
  columns_.ones = in_place_;
  all_columns_ = image.batch * size_of(image.out);
  const int64_t bytes = base::checked_mul(image.groups, padded_depth + 4 * rows_.padded_lines);
  chunk_ = std::min(all_columns_, std::max<int64_t>(1024, kChunkBytes / bytes / 64 * 64));
  columns_.padded_lines = padded_columns(chunk_);
  const int64_t rest = all_columns_ % chunk_;
  if (!in_place_) rows_at_ = layout_.reserve(rows_.bytes(), 1);
  columns_at_ = layout_.reserve(columns_.bytes(), 1);
  if (!in_place_) row_sums_at_ = layout_.reserve(rows_.groups * rows_.lines, 4);
  sums_at_ = layout_.reserve(rows_.groups * rows_.padded_lines * columns_.padded_lines, 4);
  for (const int64_t columns : {chunk_, rest}) {
    if (columns == 0) continue;
    ProductShape shape;
    shape.m = rows_.padded_lines, shape.n = padded_columns(columns), shape.k = padded_depth;
    shape.b_transposed = true;
    shape.batch = image.groups;
    shape.a_step = shape.m * shape.k, shape.b_step = shape.n * shape.k, shape.y_step = shape.m * shape.n;
    shape.y_type = base::DType::kInt32;
    products_.emplace_back(base::DType::kInt8, ONNXRUN_PRECISION_HIGHEST, shape);
  }
}

int64_t ByteProduct::padded_columns(int64_t columns) const {
  return round_up(columns + (columns_.ones ? 1 : 0), kMultiple);
}
bool ByteProduct::run(Stream& stream, const Queue& queue, const IntegerConvolution& image, const void* rows,
                      const void* x, ByteSums ends, ByteSumsLaunch end, void* y, void* scratch) const {
  char* const at = static_cast<char*>(scratch);
  auto* written = reinterpret_cast<int8_t*>(at + rows_at_);
  auto* column_lines = reinterpret_cast<int8_t*>(at + columns_at_);
  auto* row_sums = reinterpret_cast<int32_t*>(at + row_sums_at_);
  auto* sums = reinterpret_cast<int32_t*>(at + sums_at_);
  const ByteRows operand{rows_, rows, written, row_sums};
  ends.groups = rows_.groups, ends.rows = rows_.lines, ends.depth = rows_.depth, ends.padded_rows = rows_.padded_lines;
  ends.ones = rows_.ones;
  ends.rows_unsigned = rows_.is_unsigned, ends.columns_unsigned = columns_.is_unsigned;
  ends.image_size = size_of(image.out);
  ends.sums = sums, ends.row_sums = in_place_ ? nullptr : row_sums;
  for (int64_t first = 0; first < all_columns_; first += chunk_) {
    ByteLines columns = columns_;
    columns.lines = std::min(chunk_, all_columns_ - first);
    columns.padded_lines = padded_columns(columns.lines);
    launch_byte_lines(queue, first == 0 && !in_place_ ? &operand : nullptr, {columns, image, first, x, column_lines});
    const Product& product = columns.lines == chunk_ ? products_.front() : products_.back();
    if (!product.try_run(stream, in_place_ ? rows : written, column_lines, nullptr, sums, scratch)) return false;
    ends.first = first, ends.columns = columns.lines, ends.padded_columns = columns.padded_lines;
    end(queue, ends, y);
  }
  return true;
}

IntegerConvolution image_of(const IntegerProduct& product) {
  IntegerConvolution image;
  image.batch = 1, image.filters = product.m, image.channels = product.k;
  image.in[2] = image.out[2] = product.n;
  return image;
}

}  // namespace onnxrun::cuda

// Planning the rows of plain images, and tasks of rows of results.
#include "cpu/loops/plain_windows.h"

#include <algorithm>

#include "base/checked.h"
#include "base/parallel.h"

namespace onnxrun::cpu {

using base::ceil_div;

namespace {

// Columns of padding beyond as many as the image has.
constexpr int64_t kMostOutside = 32;
// Products of a task: a cancelled run waits for those that are under way.
constexpr int64_t kTaskProducts = int64_t{1} << 28;
constexpr int64_t kSpotsOfThread = 4;

}  // namespace

PlainWindows::PlainWindows(const WindowGeometry& g, int64_t columns, int threads)
    : in_width_(g.in.back()), before_(std::max<int64_t>(0, g.pad_begin.back())) {
  if (g.in.size() == 2) {
    shape_.in_height = g.in[0];
    shape_.kernel_height = g.kernel[0];
    shape_.stride_height = g.strides[0];
    shape_.dilation_height = g.dilations[0];
    shape_.pad_height = g.pad_begin[0];
    out_height_ = g.out[0];
  } else {
    shape_.in_height = 1;
  }
  shape_.in_blocks = 1;
  shape_.kernel_width = ceil_div(g.kernel.back(), columns);
  shape_.dilation_width = columns;
  shape_.stride_width = g.strides.back();
  shape_.out_width = g.out.back();
  if (g.batch * g.out_size == 0) return;
  // Whole positions of the last column as well.
  shape_.in_width = (shape_.out_width - 1) * shape_.stride_width + shape_.kernel_width * columns;
  fits_ = g.pad_begin.back() >= 0 && before_ <= shape_.in_width && shape_.in_width <= 2 * in_width_ + kMostOutside;
  if (!fits_) return;
  for (int64_t first = 0; first < shape_.out_width; first += kTileRows)
    tiles_.push_back({.first = first, .width = static_cast<int>(std::min(kTileRows, shape_.out_width - first))});
  int64_t of_row = base::checked_mul(shape_.out_width, g.out_channels);
  for (const int64_t times : {shape_.kernel_height, shape_.kernel_width, columns * kChannels})
    of_row = base::checked_mul(of_row, times);
  const int64_t slots = threads > 0 ? threads : base::available_cpus();
  spot_rows_ = std::clamp<int64_t>(std::min(ceil_div(out_height_, kSpotsOfThread * slots), kTaskProducts / of_row), 1,
                                   out_height_);
}

}  // namespace onnxrun::cpu

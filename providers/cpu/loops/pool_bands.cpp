// Windows of pools taken some rows of results at once.
#include "cpu/loops/pool_bands.h"

#include "base/kernel_memory.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

static_assert(PoolBands::kTogether == 3 * kConvolveRow);
constexpr int64_t kMostRows = 32, kMostKernel = 64, kMostResults = 16, kMostOffsets = 1 << 16;

}  // namespace

PoolBands::PoolBands(const WindowGeometry& g) {
  const size_t last = g.rank() - 1;
  const int64_t stride = g.strides[last], kernel = g.kernel[last], dilation = g.dilations[last];
  if (g.out_size == 0 || kernel > kMostKernel || g.kernel_size / kernel > kMostRows) return;
  const int64_t rows = g.out_size / g.out[last];
  if (rows > kMostOffsets || rows * (g.kernel_size / kernel) > kMostOffsets) return;
  if (std::max({g.in[last], g.out[last], g.pad_begin[last], stride, dilation}) > PoolRows::kMostPitch) return;
  if (stride > 2 && (std::min(g.out[last], kConvolveRow) - 1) * stride + (kernel - 1) * dilation >= kTogether) return;
  const int64_t pitch = pool_pitch(g.in[last], g.out[last], g.pad_begin[last], kernel, stride, dilation);
  if (pitch > PoolRows::kMostPitch) return;
  pitch_ = pitch;
  base::take_kernel_memory(static_cast<size_t>(rows * (g.kernel_size / kernel + 1) + 1) * sizeof(int64_t));
  offsets_.reserve(static_cast<size_t>(rows * (g.kernel_size / kernel)));
  begins_.reserve(static_cast<size_t>(rows + 1));
  for (int64_t row = 0; row < rows; ++row) {
    begins_.push_back(static_cast<int64_t>(offsets_.size()));
    list_rows(g, row);
  }
  begins_.push_back(static_cast<int64_t>(offsets_.size()));
}

void PoolBands::run(provider::RunContext& context, const WindowGeometry& g, const float* x, float* y,
                    const float* row_divisors, const float* column_divisors, void (*take)(const PoolRows&)) const {
  const size_t last = g.rank() - 1;
  const int64_t width = g.out[last], rows = g.out_size / width;
  const int64_t work = pitch_ * (g.kernel_size / g.kernel[last]) + width * g.kernel[last];
  const int64_t most = std::min(kMostResults, PoolRows::kMostPitch / pitch_);
  context.parallel(g.batch * g.out_channels * rows, std::max<int64_t>(1, 131072 / work),
                   [&](int64_t begin, int64_t end) {
                     float buffer[PoolRows::kMostPitch + PoolRows::kSlack];
                     PoolRows band{.plane = x + begin / rows * g.in_size,
                                   .offsets = offsets_.data(),
                                   .begins = nullptr,
                                   .count = 0,
                                   .in_width = g.in[last],
                                   .width = width,
                                   .pad = g.pad_begin[last],
                                   .kernel = g.kernel[last],
                                   .stride = g.strides[last],
                                   .dilation = g.dilations[last],
                                   .buffer = buffer,
                                   .pitch = pitch_,
                                   .out = nullptr,
                                   .row_divisors = nullptr,
                                   .column_divisors = column_divisors};
                     Pacer pacer(context);
                     for (int64_t item = begin, row = begin % rows; item < end; item += band.count) {
                       band.count = std::min({most, end - item, rows - row});
                       band.begins = begins_.data() + row;
                       if (row_divisors != nullptr) band.row_divisors = row_divisors + row;
                       band.out = y + item * width;
                       take(band);
                       pacer.did(work * band.count);
                       if ((row += band.count) < rows) continue;
                       row = 0;
                       band.plane += g.in_size;
                     }
                   });
}

// Adds where in a plane the rows are that the windows of a row of results reach.
void PoolBands::list_rows(const WindowGeometry& g, int64_t row) {
  const size_t last = g.rank() - 1;
  int64_t o[kMaxSpatialAxes], k[kMaxSpatialAxes];
  Span inside[kMaxSpatialAxes];
  coordinates(row, g.out, last, o);
  for (size_t d = 0; d < last; ++d) {
    const int64_t at = o[d] * g.strides[d] - g.pad_begin[d];
    inside[d] = positions_inside(g, d, at, at);
    if (inside[d].empty()) return;
    k[d] = inside[d].begin;
  }
  do {
    int64_t in_row = 0;
    for (size_t d = 0; d < last; ++d)
      in_row = in_row * g.in[d] + o[d] * g.strides[d] + k[d] * g.dilations[d] - g.pad_begin[d];
    offsets_.push_back(in_row * g.in[last]);
  } while (next_row(inside, last, k));
}

}  // namespace onnxrun::cpu

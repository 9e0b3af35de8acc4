// Regions of images, pooled to grids of bins: RoiAlign and MaxRoiPool.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

// x[batch, channels, height, width], y[region, channels, bin rows, bin columns].
struct Regions {
  int64_t count = 0, batch = 0, channels = 0, height = 0, width = 0, rows = 1, columns = 1;
  double scale = 1;  // of coordinates
  base::DType region_type = base::DType::kFloat32;
  const void* regions = nullptr;
  Report report;  // of an image that is none of the batch
};

// Averages or maxima of `ratio` x `ratio` bilinear samples a bin (0: as many as a bin has pixels). Regions are corners x1, y1, x2, y2, of the
// image that `images` names.
struct Alignment {
  int64_t ratio = 0;
  bool largest = false, half_pixel = true;
  const int64_t* images = nullptr;
};
using AlignLaunch = void (*)(const Queue& queue, const Regions& how, const Alignment& alignment, const void* x,
                             void* y);
// Float types; null for others.
AlignLaunch find_align(base::DType type);

// The largest pixel of each bin. Regions are an image and corners.
using RegionMaxLaunch = void (*)(const Queue& queue, const Regions& how, const void* x, void* y);
RegionMaxLaunch find_region_max(base::DType type);

}  // namespace onnxrun::cuda

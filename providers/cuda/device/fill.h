// Elements that follow from their place: pads, triangles, ranges, diagonals, running totals.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// y, of `out` elements along each axis, from x: position i of axis d shows the kept element i - lead[d], one found by the mode, or the value.
enum class PadFill { kConstant, kReflect, kEdge, kWrap };
struct Padding {
  PadFill fill = PadFill::kConstant;
  int rank = 0;
  int64_t count = 1;
  int64_t out[kMaxAxes], lead[kMaxAxes], kept[kMaxAxes], cut[kMaxAxes], steps[kMaxAxes];
};
// `value` is an element on the device; null: zeros.
void launch_pad(const Queue& queue, const Padding& how, int bytes, const void* value, const void* x, void* y);

// Rows of matrices of `height` rows cut at the diagonal k.
void launch_trilu(const Queue& queue, int64_t rows, int64_t height, int64_t width, int64_t k, bool upper, int bytes,
                  const void* x, void* y);

// Ones where column - row is k.
using EyeLaunch = void (*)(const Queue& queue, int64_t rows, int64_t columns, int64_t k, void* y);
EyeLaunch find_eye(base::DType type);

// start + i * step. Integers take the whole numbers and wrap.
struct Steps {
  double start = 0, step = 0;
  int64_t whole_start = 0, whole_step = 0;
};
using RangeLaunch = void (*)(const Queue& queue, const Steps& how, int64_t count, void* y);
RangeLaunch find_range(base::DType type);

// Running totals along an axis: rows as in Rows, `step` apart.
struct Running {
  int64_t rows = 0, size = 0, step = 1;
  bool exclusive = false, reverse = false;
};
using RunningLaunch = void (*)(const Queue& queue, const Running& how, const void* x, void* y);
RunningLaunch find_running(bool product, base::DType type);

}  // namespace onnxrun::cuda

// The windows of signal processing.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// y[i] = level - first cos(2 pi i / period) + second cos(4 pi i / period); without a period the middle of the window.
struct CosineWindow {
  int64_t size = 0;
  double period = 0, level = 0, first = 0, second = 0;
};
bool has_window(base::DType type);
void launch_window(const Queue& queue, const CosineWindow& how, base::DType type, void* y);

}  // namespace onnxrun::cuda

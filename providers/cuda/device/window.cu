// HannWindow, HammingWindow and BlackmanWindow, in double.
#include "cuda/device/window.h"

#include <cmath>
#include <numbers>

#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

__global__ void window(CosineWindow how, DType type, void* y) {
  for (int64_t i = first_item(); i < how.size; i += item_step()) {
    const double angle = how.period > 0 ? 2 * std::numbers::pi * static_cast<double>(i) / how.period : std::numbers::pi;
    store_number(y, type, i, how.level - how.first * cos(angle) + how.second * cos(2 * angle));
  }
}

}  // namespace

bool has_window(DType type) { return has_element(NumberElements{}, type); }

void launch_window(const Queue& queue, const CosineWindow& how, DType type, void* y) {
  if (how.size > 0) launch(queue, window, blocks_for(how.size), kThreads, how, type, y);
}

}  // namespace onnxrun::cuda

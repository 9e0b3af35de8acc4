// NonMaxSuppression: of boxes that overlap the one with the highest score.
#pragma once

#include <cstdint>

#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// A row is one class of one image: boxes[batch, boxes, 4], scores[batch, classes, boxes]. A row selects at most `most` boxes.
struct Suppression {
  int64_t batches = 0, classes = 0, boxes = 0, most = 0;
  float threshold = 0;
  bool centred = false;          // boxes are [x, y, width, height] about their centre, not two corners
  const float* least = nullptr;  // scores must be above it
  const float* corners = nullptr;
  const float* scores = nullptr;
  uint8_t* gone = nullptr;      // [row, box]
  int64_t* selected = nullptr;  // [row, most]
  int64_t* starts = nullptr;    // [rows + 1]: what rows before select; the last one is how many are selected
};
constexpr int64_t kMostBoxes = 0xfffffffe;

// Fills `selected` with each row's boxes by falling score, of equal ones the first, and `starts`.
void launch_suppress(const Queue& queue, const Suppression& how);
// y[i] = image, class and box of the i-th selected one.
void launch_write_selected(const Queue& queue, const Suppression& how, int64_t* y);

}  // namespace onnxrun::cuda

// NonMaxSuppression: a block a row. It finds the best box left, and takes away those that overlap it, until none is left.
#include "cuda/device/suppress.h"

#include "cuda/device/block.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

// Products are rounded before they are added to, so that it does not matter which of two boxes comes first.
struct Box {
  float low_y, low_x, high_y, high_x;
  __device__ float area() const { return __fmul_rn(high_y - low_y, high_x - low_x); }
};

__device__ float smaller(float a, float b) { return b < a ? b : a; }
__device__ float larger(float a, float b) { return a < b ? b : a; }

__device__ Box box_at(const Suppression& how, int64_t at) {
  const float* v = how.corners + at * 4;
  if (how.centred) return {v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
  return {smaller(v[0], v[2]), smaller(v[1], v[3]), larger(v[0], v[2]), larger(v[1], v[3])};
}

__device__ bool overlap(const Box& a, const Box& b, float threshold) {
  const float height = smaller(a.high_y, b.high_y) - larger(a.low_y, b.low_y);
  const float width = smaller(a.high_x, b.high_x) - larger(a.low_x, b.low_x);
  if (!(height > 0) || !(width > 0) || !(a.area() > 0) || !(b.area() > 0)) return false;
  const float both = __fmul_rn(height, width);
  return both / (a.area() + b.area() - both) > threshold;
}

// Larger for a better box: a higher score, then a lower index; NaN is below all scores. 0: no box.
__device__ uint64_t rank_of(float score, int64_t box) {
  const auto word = static_cast<uint32_t>(__float_as_int(score == 0 ? 0.0f : score));
  const uint32_t order = score != score ? 0 : (word >> 31) != 0 ? ~word : word | 0x80000000u;
  return uint64_t{order} << 32 | (0xffffffffu - static_cast<uint32_t>(box));
}

__global__ void suppress(Suppression how) {
  const int64_t rows = how.batches * how.classes;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const float* scores = how.scores + row * how.boxes;
    uint8_t* gone = how.gone + row * how.boxes;
    const int64_t first_box = row / how.classes * how.boxes;
    for (int64_t i = threadIdx.x; i < how.boxes; i += blockDim.x)
      gone[i] = how.least != nullptr && !(scores[i] > *how.least) ? 1 : 0;
    int64_t count = 0;
    while (count < how.most) {
      // A thread reads and writes only marks of its own.
      uint64_t best = 0;
      for (int64_t i = threadIdx.x; i < how.boxes; i += blockDim.x) {
        const uint64_t rank = gone[i] != 0 ? 0 : rank_of(scores[i], i);
        best = rank > best ? rank : best;
      }
      best = max_block(best, uint64_t{0});
      if (best == 0) break;
      const int64_t chosen = 0xffffffffu - static_cast<uint32_t>(best);
      if (threadIdx.x == 0) how.selected[row * how.most + count] = chosen;
      ++count;
      const Box box = box_at(how, first_box + chosen);
      for (int64_t i = threadIdx.x; i < how.boxes; i += blockDim.x)
        if (gone[i] == 0 && (i == chosen || overlap(box_at(how, first_box + i), box, how.threshold))) gone[i] = 1;
    }
    if (threadIdx.x == 0) how.starts[row] = count;
  }
}

// Counts to starts.
__global__ void add_up(int64_t rows, int64_t* starts) {
  int64_t before = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t count = starts[row];
    starts[row] = before;
    before += count;
  }
  starts[rows] = before;
}

__global__ void write_selected(Suppression how, int64_t* y) {
  const int64_t rows = how.batches * how.classes;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const int64_t start = how.starts[row], count = how.starts[row + 1] - start;
    for (int64_t i = threadIdx.x; i < count; i += blockDim.x) {
      int64_t* to = y + (start + i) * 3;
      to[0] = row / how.classes, to[1] = row % how.classes, to[2] = how.selected[row * how.most + i];
    }
  }
}

}  // namespace

void launch_suppress(const Queue& queue, const Suppression& how) {
  const int64_t rows = how.batches * how.classes;
  if (rows > 0) launch(queue, suppress, blocks_for_rows(rows), threads_for_row(how.boxes), how);
  launch(queue, add_up, 1, 1, rows, how.starts);
}

void launch_write_selected(const Queue& queue, const Suppression& how, int64_t* y) {
  const int64_t rows = how.batches * how.classes;
  if (rows > 0) launch(queue, write_selected, blocks_for_rows(rows), 32, how, y);
}

}  // namespace onnxrun::cuda

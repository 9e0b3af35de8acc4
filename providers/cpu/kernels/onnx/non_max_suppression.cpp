// NonMaxSuppression: for each class, boxes in order of score, each compared with those already selected.
#include <algorithm>
#include <vector>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/cpu.h"
#include "cpu/loops/order_key.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

struct Box {
  float low_y, low_x, high_y, high_x;
  float area() const { return (high_y - low_y) * (high_x - low_x); }
};

bool overlap(const Box& a, const Box& b, float threshold) {
  const float height = std::min(a.high_y, b.high_y) - std::max(a.low_y, b.low_y);
  const float width = std::min(a.high_x, b.high_x) - std::max(a.low_x, b.low_x);
  if (!(height > 0) || !(width > 0) || !(a.area() > 0) || !(b.area() > 0)) return false;
  const float both = height * width;
  return both / (a.area() + b.area() - both) > threshold;
}

class NonMaxSuppression {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit NonMaxSuppression(const Node& node) : center_(node.get_int("center_point_box", 0) != 0) {
    const auto scores = provider::dims(node.input(1));
    batches_ = scores[0];
    classes_ = scores[1];
    boxes_ = scores[2];
  }

  void run(RunContext& context) const {
    const int64_t most = context.has_input(2) ? *context.in<int64_t>(2) : 0;
    const float threshold = context.has_input(3) ? *context.in<float>(3) : 0.0f;
    if (!(threshold >= 0 && threshold <= 1))
      base::fail(base::Code::kRunFailed, "NonMaxSuppression: iou_threshold must be between 0 and 1, got {}", threshold);
    std::vector<int64_t> selected;
    if (most > 0 && boxes_ > 0)
      for (int64_t b = 0; b < batches_; ++b)
        for (int64_t k = 0; k < classes_; ++k) {
          context.check_cancelled();
          select(context, b, k, most, threshold, selected);
        }
    const int64_t dims[] = {static_cast<int64_t>(selected.size()) / 3, 3};
    context.allocate_output(0, dims);
    std::copy(selected.begin(), selected.end(), context.out<int64_t>(0));
  }

 private:
  Box box(const float* v) const {
    if (center_) return {v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
    return {std::min(v[0], v[2]), std::min(v[1], v[3]), std::max(v[0], v[2]), std::max(v[1], v[3])};
  }

  void select(RunContext& context, int64_t b, int64_t k, int64_t most, float threshold,
              std::vector<int64_t>& selected) const {
    const float* scores = context.in<float>(1) + (b * classes_ + k) * boxes_;
    if (b == 0 && k == 0) base::take_kernel_memory(base::checked_mul(boxes_, 2 * (2 * sizeof(int64_t) + sizeof(Box))));
    // The best on top of a heap: most are never looked at. NaN come last, the first of equal ones first.
    struct Candidate {
      uint32_t key;
      int64_t index;
    };
    std::vector<Candidate> heap;
    heap.reserve(static_cast<size_t>(boxes_));
    const float* const least = context.has_input(4) ? context.in<float>(4) : nullptr;
    for (int64_t i = 0; i < boxes_; ++i)
      if (least == nullptr || scores[i] > *least)
        heap.push_back({scores[i] != scores[i] ? 0 : order_key(scores[i]), i});
    Pacer pacer(context);
    const auto worse = [&](const Candidate& x, const Candidate& y) {
      pacer.did(4);
      return x.key != y.key ? x.key < y.key : x.index > y.index;
    };
    std::make_heap(heap.begin(), heap.end(), worse);
    std::vector<Box> kept;
    while (!heap.empty() && static_cast<int64_t>(kept.size()) < most) {
      const int64_t i = heap.front().index;
      std::pop_heap(heap.begin(), heap.end(), worse);
      heap.pop_back();
      pacer.did(4 * static_cast<int64_t>(kept.size()) + 1);
      const Box candidate = box(context.in<float>(0) + (b * boxes_ + i) * 4);
      if (std::any_of(kept.begin(), kept.end(), [&](const Box& other) { return overlap(candidate, other, threshold); }))
        continue;
      kept.push_back(candidate);
      if (selected.size() + 3 > selected.capacity())  // it is about to double
        base::take_kernel_memory(static_cast<int64_t>((selected.size() + 3) * 2 * sizeof(int64_t)));
      selected.insert(selected.end(), {b, k, i});
    }
  }

  bool center_;
  int64_t batches_ = 0, classes_ = 0, boxes_ = 0;
};

}  // namespace

void kernels_onnx_non_max_suppression(provider::KernelTable& table) {
  table.add<NonMaxSuppression>("", "NonMaxSuppression", "reference");
}

}  // namespace onnxrun::cpu

// Parallel loops over work of known size, split into grains worth a hand-over and polled for cancellation; and the polling of loops inside one item.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

// What an item of work costs, in bytes or simple steps: products and sums of sizes that end at the greatest number there is, as sizes beside a dimension of 0
// may be any.
class Cost {
 public:
  Cost(int64_t steps) : steps_(steps) {}  // of a size, which is never below 0

  friend Cost operator*(Cost a, Cost b) {
    int64_t product;
    return __builtin_mul_overflow(a.steps_, b.steps_, &product) ? kMost : product;
  }
  friend Cost operator+(Cost a, Cost b) {
    int64_t sum;
    return __builtin_add_overflow(a.steps_, b.steps_, &sum) ? kMost : sum;
  }
  friend Cost operator/(Cost a, int64_t parts) { return a.steps_ / parts; }

  int64_t steps() const { return steps_; }

 private:
  static constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

  int64_t steps_;
};

// Calls body(begin, end) over ranges covering [0, count), in parallel. `cost` is about that of one item. Throws kCancelled when the run is cancelled; the output is then unfinished.
template <class F>
void parallel_polled(provider::RunContext& context, int64_t count, Cost cost, F&& body) {
  constexpr int64_t kGrain = int64_t{128} << 10;
  constexpr int64_t kPoll = int64_t{4} << 20;
  const int64_t bytes = std::max<int64_t>(1, cost.steps());
  const int64_t grain = std::max<int64_t>(1, kGrain / bytes);
  const int64_t stretch = std::max<int64_t>(1, kPoll / bytes);
  context.parallel(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += std::min(stretch, end - at)) {
      if (at != begin && context.cancelled()) return;
      body(at, at + std::min(stretch, end - at));
    }
  });
  if (count > stretch || bytes > kPoll) context.check_cancelled();
}

// Ends a loop of many small steps where the run was cancelled: one for each task, told how much was done since it was last told.
class Pacer {
 public:
  explicit Pacer(const provider::RunContext& context) : context_(context) {}

  // `steps` are simple ones, as a product or a comparison is. Throws kCancelled.
  void did(int64_t steps) {
    constexpr int64_t kPoll = int64_t{4} << 20;
    if ((done_ += std::clamp<int64_t>(steps, 0, kPoll)) < kPoll) return;
    done_ = 0;
    context_.check_cancelled();
  }

 private:
  const provider::RunContext& context_;
  int64_t done_ = 0;
};

}  // namespace onnxrun::cpu

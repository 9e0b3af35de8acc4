// Kernel classes of the elementwise family.
#pragma once

#include <fmt/format.h>

#include <string>

#include "base/shape.h"
#include "cuda/device/elementwise.h"
#include "cuda/host/broadcast.h"
#include "cuda/kernel.h"

namespace onnxrun::cuda {

inline Acceptance no_kernel(const Node& node) {
  return Acceptance::decline(fmt::format("no kernel for {}", base::dtype_name(dtype(node.input(0)))));
}

// The walk over a node's output with its first N inputs; throws Declined beyond kMaxAxes.
template <int N>
Axes<N> broadcast_walk(const Node& node) {
  const auto out = provider::dims(node.output(0));
  std::array<base::Dims, N> steps;
  for (size_t k = 0; k < N; ++k) steps[k] = base::broadcast_strides(provider::dims(node.input(k)), out);
  const auto axes = walk<N>(out, steps);
  if (!axes) throw provider::Declined{fmt::format("a broadcast over more than {} axes", kMaxAxes)};
  return *axes;
}

// An operator of one input. Choice has
//   static UnaryLaunch find(const Node& node);        // null: declined
//   static Formula formula(const Node& node);
template <class Choice>
class Unary {
 public:
  static Acceptance accepts(const Node& node) {
    if (Choice::find(node) == nullptr) return no_kernel(node);
    return dtype(node.input(0)) == dtype(node.output(0)) ? Acceptance().alias(0, 0) : Acceptance();
  }
  explicit Unary(const Node& node)
      : launch_(Choice::find(node)), formula_(Choice::formula(node)), count_(provider::count(node.output(0))) {}
  void run(RunContext& context) const {
    launch_(queue_of(context), formula_, context.input(0).data, context.output(0).data, count_);
  }

 private:
  UnaryLaunch launch_;
  Formula formula_;
  int64_t count_;
};

// An operator of two inputs. Choice has
//   static BinaryLaunch find(const Node& node);
//   static Formula formula(const Node& node);
//   static const char* failure(const Node& node);      // what bad data is reported as; null where there is none
template <class Choice>
class Binary {
 public:
  static Acceptance accepts(const Node& node) { return Choice::find(node) == nullptr ? no_kernel(node) : Acceptance(); }
  explicit Binary(const Node& node)
      : launch_(Choice::find(node)), formula_(Choice::formula(node)), axes_(broadcast_walk<2>(node)) {
    if (const char* failure = Choice::failure(node)) failure_ = failure;
  }
  void run(RunContext& context) const {
    Formula formula = formula_;
    if (!failure_.empty()) formula.report = stream_of(context).expect(failure_);
    launch_(queue_of(context), formula, axes_, context.input(0).data, context.input(1).data, context.output(0).data);
  }

 private:
  BinaryLaunch launch_;
  Formula formula_;
  Axes<2> axes_;
  std::string failure_;
};

}  // namespace onnxrun::cuda

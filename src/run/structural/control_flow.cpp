// Running If and Loop.
#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <span>

#include <onnxrun/provider.hpp>
#include "base/error.h"
#include "run/structural/functions.h"
#include "run/structural/stack.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::Tensor;
using base::Value;

namespace {

bool truth(const Feed& feed, const char* what) {
  if (feed.view.dtype != ONNXRUN_DTYPE_BOOL || provider::count(feed.view) != 1)
    base::fail(Code::kRunFailed, "{} must be one bool", what);
  return *static_cast<const bool*>(feed.view.data);
}

int64_t integer(const Feed& feed, const char* what) {
  if (feed.view.dtype != ONNXRUN_DTYPE_INT64 || provider::count(feed.view) != 1)
    base::fail(Code::kRunFailed, "{} must be one int64", what);
  return *static_cast<const int64_t*>(feed.view.data);
}

bool dims_known(const ir::Fact& fact) {
  return fact.shape && !fact.shape->empty() &&
         std::all_of(fact.shape->begin() + 1, fact.shape->end(), [](const ir::Dim& dim) { return dim.is_constant(); });
}

// An empty result of scanning zero times; inner dims that are unknown are 0.
Tensor empty_scan(const ir::Fact& fact, TensorPool& pool) {
  base::Dims dims{0};
  if (fact.shape)
    for (size_t i = 1; i < fact.shape->size(); ++i)
      dims.push_back((*fact.shape)[i].is_constant() ? (*fact.shape)[i].value() : 0);
  return pool.make(fact.dtype, std::move(dims));
}

}  // namespace

void run_if(StructuralContext& context) {
  std::vector<Value> outputs;
  context.run_body(truth(context.feed(0), "the condition") ? "then_branch" : "else_branch", {}, outputs);
  for (size_t i = 0; i < outputs.size(); ++i) context.set_output(i, std::move(outputs[i]));
}

void run_loop(StructuralContext& context) {
  const int64_t trips =
      context.has_input(0) ? integer(context.feed(0), "the trip count M") : std::numeric_limits<int64_t>::max();
  bool condition = context.has_input(1) ? truth(context.feed(1), "the condition") : true;
  const size_t states = context.input_count() > 2 ? context.input_count() - 2 : 0;
  const size_t scans = context.output_count() - states;

  std::vector<Value> carried;
  for (size_t i = 0; i < states; ++i) carried.push_back(context.input(i + 2));
  std::vector<Stack> scanned;
  for (size_t k = 0; k < scans; ++k) scanned.emplace_back(context.tensors());
  Value iteration(Tensor::scalar<int64_t>(0));
  Value keep_going(Tensor::scalar<bool>(condition));
  std::vector<Feed> feeds(states + 2);
  std::vector<Value> results;
  for (int64_t i = 0; i < trips && condition; ++i) {
    context.control().check();
    if (i >= context.limits().max_loop_iterations)
      base::exceed("a further iteration of the loop", context.limits().max_loop_iterations, "max_loop_iterations");
    // The body may have kept the last iteration's tensor, so a new one is made where it is shared.
    if (iteration.tensor().buffer().use_count() > 1) iteration = Tensor::scalar<int64_t>(i);
    else *iteration.tensor().mutable_data<int64_t>() = i;
    if (keep_going.tensor().buffer().use_count() > 1) keep_going = Tensor::scalar<bool>(condition);
    feeds[0] = feed_of(iteration);
    feeds[1] = feed_of(keep_going);
    for (size_t k = 0; k < states; ++k) feeds[k + 2] = feed_of(carried[k]);
    results.clear();
    context.run_body("body", feeds, results);
    // Without a condition at the start the body's means nothing.
    condition = truth(feed_of(results[0]), "the body's condition") || !context.has_input(1);
    for (size_t k = 0; k < states; ++k) carried[k] = std::move(results[k + 1]);
    for (size_t k = 0; k < scans; ++k) scanned[k].push(std::move(results[states + 1 + k].tensor()));
  }
  for (size_t k = 0; k < scans; ++k) {
    if (!context.has_output(states + k)) continue;
    if (!scanned[k].empty()) {
      context.set_output(states + k, scanned[k].take());
      continue;
    }
    ir::Fact fact = context.output_fact(states + k);
    if (!dims_known(fact)) {
      std::vector<onnxrun_tensor> inputs(states + 2);
      for (size_t i = 0; i < states; ++i) inputs[i + 2] = feed_of(carried[i]).view;
      const ir::Fact made = context.infer_body("body", inputs)[states + 1 + k];
      if (made.shape) {
        fact.shape = made.shape;
        fact.shape->insert(fact.shape->begin(), ir::Dim(0));
      }
    }
    context.set_output(states + k, empty_scan(fact, context.tensors()));
  }
  for (size_t k = 0; k < states; ++k) context.set_output(k, std::move(carried[k]));
}

}  // namespace onnxrun::run

// Inference of what never runs.
#pragma once

#include <string_view>

#include "ir/graph.h"

namespace onnxrun::ir {

// Whether `branch` is that of an If that its constant condition leaves out.
bool never_taken(const Graph& graph, const Node& node, std::string_view branch);

// While one lives, infer_in_place on this thread looks at the types of inputs only, so that a branch that is never taken, whose shapes may fit nothing, is no
// fault of the model.
class OnlyTypes {
 public:
  explicit OnlyTypes(bool wanted) : before_(active_) { active_ = active_ || wanted; }
  ~OnlyTypes() { active_ = before_; }
  OnlyTypes(const OnlyTypes&) = delete;
  OnlyTypes& operator=(const OnlyTypes&) = delete;

  static bool active() { return active_; }

 private:
  static thread_local bool active_;
  bool before_;
};

}  // namespace onnxrun::ir

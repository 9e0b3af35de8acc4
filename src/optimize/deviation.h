// How exporters spell out the normalization of rows: means that are kept, and what is divided by a deviation.
#pragma once

#include <vector>

#include "optimize/reading.h"

namespace onnxrun::optimize {

// The ReduceMean, or the GlobalAveragePool, that makes `value`, where it keeps its axes and they are known; null. `axes` gets them, from 0 on and ascending.
const ir::Node* kept_mean(const ir::Graph& graph, ir::ValueId value, std::vector<int64_t>& axes);

// The square root of the mean of squares of `of` over `axes` and of epsilon; where it `centres`, with the square of the mean taken from it.
struct Deviation {
  ir::ValueId of = ir::kNone;  // kNone: not found
  bool centres = false;
  std::vector<int64_t> axes;
  double epsilon = 0;
  std::vector<ir::NodeId> nodes;
};
Deviation deviation(const ir::Graph& graph, ir::ValueId root);

struct Quotient {
  ir::ValueId numerator = ir::kNone, denominator = ir::kNone;
  std::vector<ir::NodeId> nodes;
};
// What `node` divides by what: a / b, or a * (1 / b) in either order.
std::vector<Quotient> quotients(const ir::Graph& graph, const ir::Node& node);

// The value that `centred` is less its mean over `axes`; kNone.
ir::ValueId uncentred(const ir::Graph& graph, ir::ValueId centred, const std::vector<int64_t>& axes);

}  // namespace onnxrun::optimize

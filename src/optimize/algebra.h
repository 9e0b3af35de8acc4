// Products and sums as they are meant, however an exporter split them into nodes: 0.5 * (x * y), (x / 2) * y and x * (y * 0.5) are one
// product.
#pragma once

#include <vector>

#include "optimize/reading.h"

namespace onnxrun::optimize {

// number * factors[0] * factors[1] * …, in no order. `nodes` computes it; those but the root are read by no one else.
struct Product {
  double number = 1;
  std::vector<ir::ValueId> factors;
  std::vector<ir::NodeId> nodes;
};
// Of Mul, Div of floats by a number, and Pow with the exponents 2 and 3 (a factor twice or three times). `value` itself when it is none of these.
Product product(const ir::Graph& graph, ir::ValueId value);

// number + terms[0] + terms[1] + …
struct Sum {
  double number = 0;
  std::vector<ir::ValueId> terms;
  std::vector<ir::NodeId> nodes;
};
// Of Add and Sub of a number.
Sum sum(const ir::Graph& graph, ir::ValueId value);

// Takes `factor` out of the list; false when it is not in it.
bool take(std::vector<ir::ValueId>& list, ir::ValueId factor);

}  // namespace onnxrun::optimize

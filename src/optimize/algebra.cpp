// Flattening of products and sums.
#include "optimize/algebra.h"

#include <algorithm>

namespace onnxrun::optimize {

using ir::Graph;
using ir::Node;
using ir::ValueId;

namespace {

constexpr size_t kMaxTerms = 8, kMaxNodes = 32;

void add_factors(const Graph& graph, ValueId value, bool root, Product& result) {
  const Node* node = producer(graph, value);
  if (node != nullptr && (root || read_once(graph, value)) && result.factors.size() < kMaxTerms &&
      result.nodes.size() < kMaxNodes) {
    if (is(*node, "Mul")) {
      result.nodes.push_back(node->id);
      for (const ValueId in : node->inputs) {
        if (const auto n = number(graph, in)) result.number *= *n;
        else add_factors(graph, in, false, result);
      }
      return;
    }
    // Of integers the quotient is cut off.
    const bool divides = is(*node, "Div") && base::is_float(graph.value(value).fact.dtype);
    if (const auto divisor = divides ? number(graph, node->inputs[1]) : std::nullopt; divisor && *divisor != 0) {
      result.nodes.push_back(node->id);
      result.number /= *divisor;
      return add_factors(graph, node->inputs[0], false, result);
    }
    if (const auto exponent = is(*node, "Pow") ? number(graph, node->inputs[1]) : std::nullopt;
        exponent && (*exponent == 2 || *exponent == 3)) {
      result.nodes.push_back(node->id);
      result.factors.insert(result.factors.end(), static_cast<size_t>(*exponent), node->inputs[0]);
      return;
    }
  }
  result.factors.push_back(value);
}

void add_terms(const Graph& graph, ValueId value, bool root, Sum& result) {
  const Node* node = producer(graph, value);
  if (node != nullptr && (root || read_once(graph, value)) && result.terms.size() < kMaxTerms &&
      result.nodes.size() < kMaxNodes) {
    if (is(*node, "Add")) {
      result.nodes.push_back(node->id);
      for (const ValueId in : node->inputs) {
        if (const auto n = number(graph, in)) result.number += *n;
        else add_terms(graph, in, false, result);
      }
      return;
    }
    if (const auto n = is(*node, "Sub") ? number(graph, node->inputs[1]) : std::nullopt) {
      result.nodes.push_back(node->id);
      result.number -= *n;
      return add_terms(graph, node->inputs[0], false, result);
    }
  }
  result.terms.push_back(value);
}

}  // namespace

Product product(const Graph& graph, ValueId value) {
  Product result;
  add_factors(graph, value, true, result);
  return result;
}

Sum sum(const Graph& graph, ValueId value) {
  Sum result;
  add_terms(graph, value, true, result);
  return result;
}

bool take(std::vector<ValueId>& list, ValueId factor) {
  const auto at = std::find(list.begin(), list.end(), factor);
  if (at == list.end()) return false;
  list.erase(at);
  return true;
}

}  // namespace onnxrun::optimize

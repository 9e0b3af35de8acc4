// Walking the values of a graph for the largest.
#include "import/computed_values.h"

#include <algorithm>
#include <optional>

#include "base/dtype.h"
#include "import/run_import.h"

namespace onnxrun::import {
namespace {

constexpr size_t kShown = 3;

// Bytes of the elements; none where a dim or the type is not known.
std::optional<int64_t> bytes_of(const ir::Fact& fact) {
  if (!fact.is_tensor() || !fact.shape || fact.dtype == base::DType::kNone) return std::nullopt;
  int64_t count = 1;
  bool huge = false, empty = false;
  for (const ir::Dim& dim : *fact.shape) {
    if (!dim.is_constant()) return std::nullopt;
    empty |= dim.value() == 0;
    huge |= __builtin_mul_overflow(count, dim.value(), &count);
  }
  if (empty) return 0;
  // No type takes more than 16 bytes.
  if (huge || count > INT64_MAX / 16) return INT64_MAX;
  return static_cast<int64_t>(base::dtype_bytes(fact.dtype, count));
}

void collect(const ir::Graph& graph, ComputedValues& values) {
  for (size_t i = 0; i < graph.node_capacity(); ++i) {
    const auto id = static_cast<ir::NodeId>(i);
    if (!graph.has_node(id)) continue;
    const ir::Node& node = graph.node(id);
    for (const ir::Body& body : node.bodies) collect(*body.graph, values);
    for (const ir::ValueId out : node.outputs) {
      if (out == ir::kNone) continue;
      const ir::Value& value = graph.value(out);
      const std::optional<int64_t> bytes = bytes_of(value.fact);
      if (!bytes) {
        ++values.unknown;
        continue;
      }
      auto& largest = values.largest;
      const auto place =
          std::find_if(largest.begin(), largest.end(), [&](const auto& other) { return other.bytes < *bytes; });
      if (place == largest.end() && largest.size() == kShown) continue;
      largest.insert(place, {shown(value.name), node.describe(graph), value.fact.to_string(), *bytes});
      if (largest.size() > kShown) largest.pop_back();
    }
  }
}

}  // namespace

ComputedValues computed_values(const ir::Graph& graph) {
  ComputedValues values;
  collect(graph, values);
  return values;
}

}  // namespace onnxrun::import

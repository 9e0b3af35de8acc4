// Gathers rows of a constant matrix where one-hot rows are multiplied with it: embeddings as JAX (x == iota), TensorFlow and PyTorch's one_hot write them.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using base::DType;
using ir::Graph;
using ir::Node;
using ir::ValueId;

// One-hot rows: [..., n] that is 1 where its place in the last axis is the index, else 0.
struct OneHot {
  ValueId indices;
  bool spread;     // indices have a last axis of 1
  bool from_last;  // negative indices count from the end
};

bool counts_to(const Graph& graph, ValueId value, int64_t n) {
  const base::Tensor* tensor = constant(graph, value);
  if (tensor == nullptr || tensor->count() != n || tensor->dims().empty() || tensor->dims().back() != n) return false;
  const auto elements = integers(graph, value);
  for (int64_t i = 0; elements && i < n; ++i)
    if ((*elements)[static_cast<size_t>(i)] != i) return false;
  return elements.has_value();
}

bool is_index(const ir::Fact& fact) {
  return fact.rank() >= 0 && (fact.dtype == DType::kInt32 || fact.dtype == DType::kInt64);
}

std::optional<OneHot> compared(const Graph& graph, const Node& equal, int64_t n) {
  for (size_t i = 0; i < 2; ++i) {
    const ValueId indices = equal.inputs[i], range = equal.inputs[1 - i];
    const ir::Fact& fact = graph.value(indices).fact;
    if (is_index(fact) && fact.rank() >= 1 && fact.shape->back() == ir::Dim(1) && counts_to(graph, range, n) &&
        graph.value(range).fact.rank() <= fact.rank())
      return OneHot{indices, true, false};
  }
  return std::nullopt;
}

// Whether a tensor is [off, on] of 0 and 1.
bool is_zero_one(const Graph& graph, ValueId value) {
  const base::Tensor* tensor = constant(graph, value);
  if (tensor == nullptr || tensor->count() != 2) return false;
  if (tensor->dtype() == DType::kFloat32) return tensor->data<float>()[0] == 0 && tensor->data<float>()[1] == 1;
  const auto elements = integers(graph, value);
  return elements && (*elements)[0] == 0 && (*elements)[1] == 1;
}

std::optional<OneHot> one_hot(const Graph& graph, const Node& node, int64_t n) {
  const ir::Fact& fact = graph.value(node.inputs[0]).fact;
  const int64_t axis = node.attributes.get_int("axis", -1);
  const auto depth = number(graph, node.inputs[1]);
  if (!is_index(fact) || (axis != -1 && axis != fact.rank()) || !depth || *depth != static_cast<double>(n) ||
      !is_zero_one(graph, node.inputs[2]))
    return std::nullopt;
  return OneHot{node.inputs[0], false, true};
}

std::optional<OneHot> read_one_hot(const Graph& graph, ValueId value, int64_t n) {
  if (const Node* cast = made_by(graph, value, "Cast")) value = cast->inputs[0];
  if (const Node* equal = made_by(graph, value, "Equal")) return compared(graph, *equal, n);
  if (const Node* node = made_by(graph, value, "OneHot")) return one_hot(graph, *node, n);
  return std::nullopt;
}

}  // namespace

MatchResult match_replace_one_hot_product(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& node = graph.node(id);
  if (!is(node, "MatMul")) return MatchResult::none("no MatMul");
  const base::Tensor* rows = float_constant(graph, node.inputs[1]);
  if (rows == nullptr || rows->rank() != 2 || rows->count() == 0) return MatchResult::none("no constant matrix");
  const int64_t n = rows->dims()[0];
  const auto hot = read_one_hot(graph, node.inputs[0], n);
  if (!hot) return MatchResult::none("no one-hot rows");
  if (!is_finite(*rows)) return MatchResult::none("0 times a row would not be 0");
  const bool wide = graph.value(hot->indices).fact.dtype == DType::kInt64;
  ir::Patch patch(graph, "gather the rows that one-hot rows choose");
  const auto emit = [&](std::string_view op, std::vector<ValueId> inputs, ir::Attributes attributes = {}) {
    return patch.emit(context.table.find("", op), std::move(inputs), std::move(attributes));
  };
  const auto integer = [&](int64_t value) {
    return patch.constant(wide ? base::Tensor::scalar(value) : base::Tensor::scalar(static_cast<int32_t>(value)));
  };
  const ValueId last = patch.constant(base::Tensor::vector<int64_t>({-1}));
  const ValueId zero = integer(0), count = integer(n);
  ValueId index = hot->indices;
  if (hot->from_last) index = emit("Where", {emit("Less", {index, zero}), emit("Add", {index, count}), index});
  ValueId inside = emit("And", {emit("GreaterOrEqual", {index, zero}), emit("Less", {index, count})});
  index = emit("Where", {inside, index, zero});
  if (hot->spread) index = emit("Squeeze", {index, last});
  else inside = emit("Unsqueeze", {inside, last});
  const ValueId chosen =
      patch.emit(context.table.find("", "Gather"), {node.inputs[1], index}, {{"axis", int64_t{0}}}, node.name);
  patch.replace(node.outputs[0], emit("Where", {inside, chosen, patch.constant(base::Tensor::scalar(0.0f))}));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize

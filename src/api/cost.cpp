// Counting operations and bytes.
#include "api/cost.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ir/op.h"

namespace onnxrun::api {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Node;

constexpr std::array<std::string_view, 26> kMoves = {
    "Identity", "Reshape",      "Flatten",      "Squeeze",   "Unsqueeze",       "Transpose", "Concat",
    "Split",    "Slice",        "Gather",       "GatherND",  "GatherElements",  "Expand",    "Tile",
    "Pad",      "Shape",        "Size",         "Constant",  "ConstantOfShape", "If",        "Loop",
    "Scan",     "DepthToSpace", "SpaceToDepth", "ScatterND", "ScatterElements"};

// Whose sums run over the last axis of the first input.
constexpr std::array<std::string_view, 10> kProducts = {"MatMul",
                                                        "MatMulInteger",
                                                        "QLinearMatMul",
                                                        "FusedMatMul",
                                                        "WideMatMul",
                                                        "FusedMatMulActivation",
                                                        "MatMulNBits",
                                                        "DynamicQuantizeMatMul",
                                                        "MatMulIntegerToFloat",
                                                        "GemmFloat8"};

const ir::Shape* shape_of(const Graph& graph, const std::vector<ir::ValueId>& ids, size_t i) {
  if (i >= ids.size() || ids[i] == ir::kNone) return nullptr;
  const ir::Fact& fact = graph.value(ids[i]).fact;
  return fact.is_tensor() && fact.shape ? &*fact.shape : nullptr;
}

Dim product(const ir::Shape& shape, size_t from) {
  Dim result = 1;
  for (size_t i = from; i < shape.size(); ++i) result = result * shape[i];
  return result;
}

// A kernel's elements for one element: channels of the group times window.
Dim convolution(const ir::Shape* elements, const ir::Shape* weight) {
  return elements && weight && weight->size() > 1 ? Dim(2) * element_count(*elements) * product(*weight, 1) : Dim();
}

Dim recurrent(const ir::Shape* x, const ir::Shape* w, const ir::Shape* r) {
  if (!x || !w || !r || x->size() != 3 || w->size() != 3 || r->size() != 3) return {};
  return Dim(2) * (*x)[0] * (*x)[1] * (element_count(*w) + element_count(*r));
}

Dim depth(const Node& node, const ir::Shape& x) {
  return x.size() > 1 && node.attributes.get_int("transA", 0) != 0 ? x[x.size() - 2] : x.back();
}

// Two products of each query with each key, past ones included.
Dim attention(const ir::Shape* q, const ir::Shape* k, const ir::Shape* y, const ir::Shape* past) {
  if (!q || !k || !y || k->size() < 3) return {};
  const Dim keys = (*k)[k->size() == 4 ? 2 : 1] + (past && past->size() == 4 ? (*past)[2] : Dim(0));
  // Elements of Q for every key, and of Y for every key.
  return Dim(2) * keys * (element_count(*q) + element_count(*y));
}

// input(i) and output(i): the shape, or null where it is not known.
template <class Input, class Output>
Dim count_operations(const Node& node, Input&& input, Output&& output) {
  const std::string_view op = node.op->name;
  const ir::Shape *x = input(0), *w = input(1), *y = output(0);
  if (op == "Conv" || op == "FusedConv" || op == "BlockedConv" || op == "ConvInteger" || op == "DeformConv")
    return convolution(y, w);
  if (op == "QLinearConv" || op == "BlockedQLinearConv") return convolution(y, input(3));
  if (op == "ConvTranspose") return convolution(x, w);
  if (std::find(kProducts.begin(), kProducts.end(), op) != kProducts.end())
    return x && y && !x->empty() ? Dim(2) * element_count(*y) * depth(node, *x) : Dim();
  if (op == "Gemm" || op == "FusedGemm" || op == "QGemm") {
    if (!x || !y || x->size() != 2) return {};
    return Dim(2) * element_count(*y) * (*x)[node.attributes.get_int("transA", 0) != 0 ? 0 : 1];
  }
  if (op == "Attention") return attention(x, w, y, input(4));
  if (op == "LSTM" || op == "GRU" || op == "RNN") return recurrent(x, w, input(2));
  if (std::find(kMoves.begin(), kMoves.end(), op) != kMoves.end()) return 0;
  return y ? element_count(*y) : Dim();
}

// Arithmetic on sizes from files may overflow; then nothing is known.
template <class F>
Dim guarded(F&& f) {
  try {
    return f();
  } catch (const base::Error&) {
    return {};
  }
}

}  // namespace

Dim node_operations(const Graph& graph, const Node& node) {
  return guarded([&] {
    return count_operations(
        node, [&](size_t i) { return shape_of(graph, node.inputs, i); },
        [&](size_t i) { return shape_of(graph, node.outputs, i); });
  });
}

std::optional<int64_t> node_operations(const Node& node, std::span<const std::optional<base::Dims>> inputs,
                                       std::span<const std::optional<base::Dims>> outputs) {
  const auto shapes_of = [](std::span<const std::optional<base::Dims>> dims) {
    std::vector<std::optional<ir::Shape>> shapes;
    for (const auto& each : dims) shapes.push_back(each ? std::optional(ir::make_shape(*each)) : std::nullopt);
    return shapes;
  };
  const auto ins = shapes_of(inputs), outs = shapes_of(outputs);
  const auto at = [](const auto& shapes, size_t i) {
    return i < shapes.size() && shapes[i] ? &*shapes[i] : static_cast<const ir::Shape*>(nullptr);
  };
  const Dim count = guarded([&] {
    return count_operations(
        node, [&](size_t i) { return at(ins, i); }, [&](size_t i) { return at(outs, i); });
  });
  return count.is_constant() ? std::optional(count.value()) : std::nullopt;
}

Dim value_bytes(const ir::Fact& fact) {
  if (!fact.is_tensor() || !fact.shape || fact.dtype == ir::DType::kNone) return {};
  return guarded([&]() -> Dim {
    const Dim bits = element_count(*fact.shape) * Dim(base::dtype_bits(fact.dtype));
    return ceil_div(bits, 8);
  });
}

Dim node_bytes(const Graph& graph, const Node& node) {
  return guarded([&] {
    Dim total = 0;
    for (const auto* list : {&node.inputs, &node.outputs})
      for (const ir::ValueId id : *list)
        if (id != ir::kNone) total = total + value_bytes(graph.value(id).fact);
    return total;
  });
}

int64_t peak_bytes(const Graph& graph, int64_t symbol) {
  const auto size_of = [&](ir::ValueId id) -> int64_t {
    const ir::Value& value = graph.value(id);
    if (value.fact.constant && value.producer == ir::kNone) return 0;
    const Dim bytes =
        guarded([&] { return value_bytes(value.fact).substitute([&](std::string_view) { return Dim(symbol); }); });
    return std::max<int64_t>(bytes.value(), 0);
  };
  const std::vector<ir::NodeId> order = graph.topological_order();
  std::vector<size_t> last(graph.value_count(), 0);
  for (size_t i = 0; i < order.size(); ++i)
    for (const ir::ValueId id : graph.node(order[i]).inputs)
      if (id != ir::kNone) last[static_cast<size_t>(id)] = i;
  int64_t live = 0, peak = 0;
  const auto add = [&](ir::ValueId id) {
    if (__builtin_add_overflow(live, size_of(id), &live)) live = std::numeric_limits<int64_t>::max() / 2;
  };
  for (const ir::ValueId id : graph.inputs()) add(id);
  for (size_t i = 0; i < order.size(); ++i) {
    const Node& node = graph.node(order[i]);
    for (const ir::ValueId id : node.outputs)
      if (id != ir::kNone) add(id);
    peak = std::max(peak, live);
    for (const ir::ValueId id : node.inputs) {
      if (id == ir::kNone || last[static_cast<size_t>(id)] != i || graph.is_output(id) || graph.value(id).is_input)
        continue;
      live -= size_of(id);
      last[static_cast<size_t>(id)] = order.size();  // once
    }
  }
  return std::max(peak, live);
}

}  // namespace onnxrun::api

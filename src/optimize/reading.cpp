// Questions about the surroundings of a node.
#include "optimize/reading.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "base/floats.h"
#include "ir/op.h"

namespace onnxrun::optimize {

using base::DType;
using base::Tensor;
using ir::Graph;
using ir::Node;
using ir::ValueId;

bool is(const Node& node, std::string_view op, std::string_view domain) {
  return op == node.op->name && domain == node.op->domain;
}

const Node* producer(const Graph& graph, ValueId value) {
  if (value == ir::kNone || graph.value(value).producer == ir::kNone) return nullptr;
  return &graph.node(graph.value(value).producer);
}

const Node* made_by(const Graph& graph, ValueId value, std::string_view op, std::string_view domain) {
  const Node* node = producer(graph, value);
  return node != nullptr && is(*node, op, domain) ? node : nullptr;
}

bool is_elementwise(const Node& node) {
  static constexpr std::string_view kNames[] = {"Abs",         "Acos",
                                                "Add",         "And",
                                                "Asin",        "Atan",
                                                "BitwiseAnd",  "BitwiseNot",
                                                "BitwiseOr",   "BitwiseXor",
                                                "Cast",        "Ceil",
                                                "Celu",        "Clip",
                                                "Cos",         "Div",
                                                "Elu",         "Equal",
                                                "Erf",         "Exp",
                                                "Floor",       "Gelu",
                                                "Greater",     "GreaterOrEqual",
                                                "HardSigmoid", "HardSwish",
                                                "IsInf",       "IsNaN",
                                                "LeakyRelu",   "Less",
                                                "LessOrEqual", "Log",
                                                "Max",         "Min",
                                                "Mish",        "Mod",
                                                "Mul",         "Neg",
                                                "Not",         "Or",
                                                "PRelu",       "Pow",
                                                "Reciprocal",  "Relu",
                                                "Round",       "Selu",
                                                "Sigmoid",     "Sign",
                                                "Sin",         "Softplus",
                                                "Softsign",    "Sqrt",
                                                "Sub",         "Sum",
                                                "Swish",       "Tan",
                                                "Tanh",        "ThresholdedRelu",
                                                "Where",       "Xor"};
  return *node.op->domain == '\0' && node.outputs.size() == 1 &&
         std::ranges::find(kNames, std::string_view(node.op->name)) != std::end(kNames);
}

const ir::Shape* known_shape(const Graph& graph, ValueId value) {
  const ir::Fact& fact = graph.value(value).fact;
  return fact.is_tensor() && fact.shape ? &*fact.shape : nullptr;
}

bool has_one_element(const Graph& graph, ValueId value) {
  const auto dims = graph.value(value).fact.dims();
  return dims && base::element_count(*dims) == 1;
}

bool same_elements(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.count() != b.count()) return false;
  if (a.dtype() == DType::kString) return std::ranges::equal(a.span<std::string>(), b.span<std::string>());
  return a.stored() == b.stored() || std::memcmp(a.stored(), b.stored(), a.bytes()) == 0;
}

bool same_constant(const Graph& graph, ValueId a, ValueId b) {
  if (a == b) return true;
  const Tensor *x = constant(graph, a), *y = constant(graph, b);
  return x != nullptr && y != nullptr && same_elements(*x, *y);
}

bool read_once(const Graph& graph, ValueId value) {
  return graph.value(value).consumers.size() == 1 && !graph.is_output(value);
}

const Node* only_reader(const Graph& graph, ValueId value) {
  return read_once(graph, value) ? &graph.node(graph.value(value).consumers[0]) : nullptr;
}

const Tensor* constant(const Graph& graph, ValueId value) {
  if (value == ir::kNone || !graph.value(value).fact.constant) return nullptr;
  return &graph.value(value).fact.constant;
}

const Tensor* float_constant(const Graph& graph, ValueId value) {
  const Tensor* tensor = constant(graph, value);
  return tensor != nullptr && tensor->dtype() == DType::kFloat32 ? tensor : nullptr;
}

const Tensor* float_parameters(const Graph& graph, ValueId value, std::span<const int64_t> sizes) {
  const Tensor* tensor = float_constant(graph, value);
  if (tensor == nullptr || tensor->dims().size() < sizes.size()) return nullptr;
  const auto last = tensor->dims().end() - static_cast<std::ptrdiff_t>(sizes.size());
  const bool leads = std::all_of(tensor->dims().begin(), last, [](int64_t dim) { return dim == 1; });
  return leads && std::equal(sizes.begin(), sizes.end(), last) ? tensor : nullptr;
}

bool is_narrow_float(DType type) { return type == DType::kFloat16 || type == DType::kBfloat16; }

DType widened_type(DType type) { return is_narrow_float(type) ? DType::kFloat32 : type; }

bool is_finite(const Tensor& tensor) {
  // To the end, which compilers turn into vectors.
  uint32_t largest = 0;
  for (const float value : tensor.span<float>())
    largest = std::max(largest, std::bit_cast<uint32_t>(value) & 0x7fffffffu);
  return largest < std::bit_cast<uint32_t>(std::numeric_limits<float>::infinity());
}

Tensor as_float(const Tensor& tensor) {
  if (!is_narrow_float(tensor.dtype())) return tensor;
  Tensor result(DType::kFloat32, tensor.dims());
  if (tensor.dtype() == DType::kFloat16)
    base::convert(tensor.data<base::Float16>(), result.mutable_data<float>(), tensor.count());
  else base::convert(tensor.data<base::Bfloat16>(), result.mutable_data<float>(), tensor.count());
  return result;
}

std::optional<double> number(const Graph& graph, ValueId value) {
  const Tensor* tensor = constant(graph, value);
  if (tensor == nullptr || tensor->count() != 1) return std::nullopt;
  switch (tensor->dtype()) {
    case DType::kFloat32: return static_cast<double>(*tensor->data<float>());
    case DType::kFloat64: return *tensor->data<double>();
    case DType::kFloat16: return static_cast<double>(static_cast<float>(*tensor->data<base::Float16>()));
    case DType::kBfloat16: return static_cast<double>(static_cast<float>(*tensor->data<base::Bfloat16>()));
    case DType::kInt32:
    case DType::kInt64: return static_cast<double>(tensor->as_int64()[0]);
    default: return std::nullopt;
  }
}

std::optional<std::vector<int64_t>> integers(const Graph& graph, ValueId value) {
  const Tensor* tensor = constant(graph, value);
  if (tensor == nullptr || (tensor->dtype() != DType::kInt64 && tensor->dtype() != DType::kInt32)) return std::nullopt;
  return tensor->as_int64();
}

bool stands_for(double found, double wanted, DType type) {
  const double size = std::fabs(wanted);
  const bool wide = type == DType::kFloat64;
  const double rounding = (is_narrow_float(type) ? 1e-3 : wide ? 4e-16 : 2e-7) * size;
  if (std::fabs(found - wanted) <= rounding) return true;
  if (!(size > 0) || !std::isfinite(size) || !std::isfinite(found)) return false;
  const int first = static_cast<int>(std::floor(std::log10(size)));
  for (int digits = wide ? 12 : 5; digits < 17; ++digits) {
    const double scale = std::pow(10.0, digits - 1 - first);
    for (const double written : {std::round(wanted * scale) / scale, std::trunc(wanted * scale) / scale})
      if (std::fabs(found - written) <= rounding) return true;
  }
  return false;
}

bool same_type_and_shape(const ir::Fact& a, const ir::Fact& b) {
  return a.is_tensor() && b.is_tensor() && a.dtype == b.dtype && a.shape && b.shape && *a.shape == *b.shape;
}

bool same_type_and_rank(const ir::Fact& a, const ir::Fact& b) {
  return a.is_tensor() && b.is_tensor() && a.dtype == b.dtype && a.rank() >= 0 && a.rank() == b.rank();
}

bool may_copy(const Graph& graph, const Node& reshape, size_t i) {
  if (reshape.attributes.get_int("allowzero", 0) != 0) return false;
  const auto& asked = graph.value(reshape.inputs[1]).fact.elements;
  if (!asked) return true;
  return i < asked->size() && ((*asked)[i].is_unknown() || ir::range_of((*asked)[i]).holds(0));
}

bool reshapes_alike(const Graph& graph, const Node& reshape, const ir::Shape& before, const ir::Shape& after) {
  const int64_t rank = graph.value(reshape.outputs[0]).fact.rank();
  if (rank < 0) return false;
  for (size_t i = 0; i < static_cast<size_t>(rank); ++i)
    if (may_copy(graph, reshape, i) && !(i < before.size() && i < after.size() && before[i] == after[i])) return false;
  return true;
}

ValueId input(const Node& node, size_t i) { return i < node.inputs.size() ? node.inputs[i] : ir::kNone; }

ValueId other_input(const Node& node, ValueId value) {
  if (node.inputs.size() != 2) return ir::kNone;
  return node.inputs[0] == value ? node.inputs[1] : node.inputs[1] == value ? node.inputs[0] : ir::kNone;
}

bool depends_on(const Graph& graph, const std::vector<ValueId>& values, std::span<const ir::NodeId> nodes) {
  std::unordered_set<ir::NodeId> seen;
  std::vector<ValueId> open = values;
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    const Node* node = producer(graph, value);
    if (node == nullptr || !seen.insert(node->id).second) continue;
    if (std::ranges::find(nodes, node->id) != nodes.end()) return true;
    for (const ValueId in : node->inputs)
      if (in != ir::kNone) open.push_back(in);
    for (const ir::Body& body : node->bodies)
      for (const ValueId capture : body.graph->captures()) open.push_back(body.graph->value(capture).outer);
  }
  return false;
}

Tensor filled(int64_t count, float value) {
  Tensor tensor(DType::kFloat32, {count});
  std::fill_n(tensor.mutable_data<float>(), count, value);
  return tensor;
}

}  // namespace onnxrun::optimize

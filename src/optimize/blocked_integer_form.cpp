// Blocked forms of quantised operators.
#include "optimize/blocked_integer_form.h"

#include <algorithm>
#include <cmath>

#include "optimize/reading.h"

namespace onnxrun::optimize {

namespace {

using base::DType;
using base::Tensor;
using ir::Graph;
using ir::Node;
using ir::ValueId;

constexpr const char* kMicrosoft = "com.microsoft";
// Images of so few channels are not brought into blocks.
constexpr int64_t kPlainChannels = 4;
constexpr uint8_t kSign = 0x80;

class IntegerForming {
 public:
  IntegerForming(const PassContext& context, const Node& node, int64_t block)
      : graph_(context.graph), table_(context.table), node_(node), block_(block) {}

  std::optional<BlockedForm> form() {
    if (node_.inputs.empty() || node_.outputs.size() != 1 || !has_channels(graph_, node_.outputs[0]))
      return std::nullopt;
    const bool formed = is(node_, "QLinearConv")                 ? convolution()
                        : is(node_, "MaxPool")                   ? pool()
                        : is(node_, "Concat")                    ? concatenation(0, 1)
                        : is(node_, "QLinearConcat", kMicrosoft) ? quantized_concatenation()
                        : is(node_, "QLinearAdd", kMicrosoft) || is(node_, "QLinearMul", kMicrosoft) ? arithmetic()
                        : is(node_, "ByteTable", "onnxrun")                                          ? lookup()
                        : is(node_, "QuantizeLinear") || is(node_, "DequantizeLinear")               ? quantization()
                                                                                                     : false;
    return formed && form_.op != nullptr ? std::optional(std::move(form_)) : std::nullopt;
  }

 private:
  DType dtype(ValueId id) const { return graph_.value(id).fact.dtype; }
  bool is_byte(ValueId id) const { return dtype(id) == DType::kInt8 || dtype(id) == DType::kUint8; }
  int64_t channels(ValueId id) const { return (*graph_.value(id).fact.shape)[1].value(); }

  void take(ValueId value) { form_.operands.push_back({value, false, {}}); }
  void take(Tensor value) { form_.operands.push_back({ir::kNone, false, std::move(value)}); }
  bool take_blocked(ValueId value) {
    form_.operands.push_back({value, true, {}});
    return has_channels(graph_, value);
  }
  // A known float32 number.
  bool take_scale(ValueId value) {
    const Tensor* known = float_constant(graph_, value);
    if (known == nullptr || known->count() != 1) return false;
    take(known->reshaped({}));
    return true;
  }
  // A known zero point of values of a type; none is 0.
  bool take_zero(ValueId value, DType type) {
    uint8_t zero = 0;
    if (value != ir::kNone) {
      const Tensor* known = constant(graph_, value);
      if (known == nullptr || known->count() != 1 || known->dtype() != type) return false;
      zero = *static_cast<const uint8_t*>(known->raw());
    }
    take(Tensor::scalar<uint8_t>(type == DType::kInt8 ? zero ^ kSign : zero));
    return true;
  }
  bool take_quantized(size_t at) {
    const ValueId value = input(node_, at);
    return value != ir::kNone && is_byte(value) && take_blocked(value) && take_scale(input(node_, at + 1)) &&
           take_zero(input(node_, at + 2), dtype(value));
  }
  bool take_result(size_t at) {
    return take_scale(input(node_, at)) && take_zero(input(node_, at + 1), dtype(node_.outputs[0]));
  }

  bool convolution() {
    const ValueId x = node_.inputs[0];
    if (!has_channels(graph_, x)) return false;
    for (const size_t i : {3, 4, 5})
      if (constant(graph_, input(node_, i)) == nullptr) return false;
    if (!take_quantized(0)) return false;
    if (dtype(x) == DType::kUint8 && channels(x) <= kPlainChannels && node_.attributes.get_int("group", 1) == 1)
      form_.operands[0].blocked = false;
    for (const size_t i : {3, 4, 5}) take(node_.inputs[i]);
    if (!take_result(6)) return false;
    if (const ValueId bias = input(node_, 8); bias != ir::kNone) {
      if (constant(graph_, bias) == nullptr) return false;
      take(bias);
    }
    form_.op = table_.find("onnxrun", "BlockedQLinearConv");
    form_.attributes = node_.attributes;
    form_.attributes.set("block", block_);
    return true;
  }

  bool pool() {
    form_.op = table_.find("onnxrun", "BlockedMaxPool");
    form_.attributes = node_.attributes;
    form_.attributes.erase("storage_order");
    return is_byte(node_.inputs[0]) && take_blocked(node_.inputs[0]);
  }

  // Along channels that fill whole blocks, of inputs from `first` on in steps.
  bool concatenates(size_t first, size_t step) const {
    const int64_t rank = graph_.value(node_.outputs[0]).fact.rank(), axis = node_.attributes.get_int("axis", 1);
    if (axis != 1 && axis != 1 - rank) return false;
    for (size_t i = first; i < node_.inputs.size(); i += step) {
      if (!has_channels(graph_, node_.inputs[i]) || !is_byte(node_.inputs[i])) return false;
      if (i + step < node_.inputs.size() && channels(node_.inputs[i]) % block_ != 0) return false;
    }
    return true;
  }
  bool concatenation(size_t first, size_t step) {
    form_.op = node_.op;
    form_.attributes.set("axis", int64_t{1});
    if (!concatenates(first, step)) return false;
    for (size_t i = first; i < node_.inputs.size(); i += step) take_blocked(node_.inputs[i]);
    return true;
  }
  bool quantized_concatenation() {
    form_.op = node_.op;
    form_.attributes.set("axis", int64_t{1});
    if (!concatenates(2, 3) || !take_result(0)) return false;
    for (size_t i = 2; i < node_.inputs.size(); i += 3)
      if (!take_quantized(i)) return false;
    return true;
  }

  // Of values with as many channels as the result.
  bool arithmetic() {
    form_.op = node_.op;
    const int64_t rank = graph_.value(node_.outputs[0]).fact.rank(), count = channels(node_.outputs[0]);
    for (const size_t i : {0, 3}) {
      if (!take_quantized(i)) return false;
      const ValueId own = node_.inputs[i];
      if (graph_.value(own).fact.constant || graph_.value(own).fact.rank() != rank || channels(own) != count)
        return false;
    }
    return take_result(6);
  }

  // Blocks hold int8 values with their sign bits flipped.
  bool lookup() {
    const Tensor* known = constant(graph_, node_.inputs[1]);
    if (known == nullptr || known->count() != 256) return false;
    Tensor table(DType::kUint8, {256});
    const auto* from = static_cast<const uint8_t*>(known->raw());
    const uint8_t in = dtype(node_.inputs[0]) == DType::kInt8 ? kSign : 0,
                  out = known->dtype() == DType::kInt8 ? kSign : 0;
    for (int i = 0; i < 256; ++i) table.mutable_data<uint8_t>()[i] = from[i ^ in] ^ out;
    form_.op = node_.op;
    const bool blocked = take_blocked(node_.inputs[0]);
    take(std::move(table));
    return blocked;
  }

  // With one scale.
  bool quantization() {
    const bool quantizes = is(node_, "QuantizeLinear");
    const ValueId x = node_.inputs[0], y = node_.outputs[0], integers = quantizes ? y : x;
    if (!is_byte(integers) || dtype(quantizes ? x : y) != DType::kFloat32) return false;
    if (node_.attributes.get_int("precision", 0) != 0) return false;
    form_.op = node_.op;
    return take_blocked(x) && take_scale(input(node_, 1)) && take_zero(input(node_, 2), dtype(integers));
  }

  const Graph& graph_;
  const Operators table_;
  const Node& node_;
  int64_t block_;
  BlockedForm form_;
};

}  // namespace

std::optional<BlockedForm> blocked_integer_form(const PassContext& context, const Node& node, int64_t block) {
  return IntegerForming(context, node, block).form();
}

std::optional<Lanes> dequantized_lanes(const Graph& graph, const Node& node) {
  const auto scale = number(graph, input(node, 1));
  return scale && std::abs(*scale) * 255 <= 1 ? std::optional(Lanes::kUnit) : std::nullopt;
}

}  // namespace onnxrun::optimize

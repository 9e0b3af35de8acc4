// Prints graphs, nodes and constants.
#include "ir/text.h"

#include <functional>
#include <type_traits>

#include "base/error.h"
#include "base/packed.h"
#include "ir/op.h"

namespace onnxrun::ir {

namespace {

constexpr int64_t kShownElements = 8;
constexpr size_t kShownCharacters = 60;

std::string quoted(std::string_view text) {
  std::string result = "'";
  for (char c : text.substr(0, kShownCharacters)) {
    if (c == '\\' || c == '\'') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else result += c;
  }
  return result + (text.size() > kShownCharacters ? "...'" : "'");
}

std::string element(const Tensor& tensor, int64_t i) {
  switch (tensor.dtype()) {
    case DType::kFloat32: return fmt::format("{}", tensor.data<float>()[i]);
    case DType::kFloat64: return fmt::format("{}", tensor.data<double>()[i]);
    case DType::kFloat16: return fmt::format("{}", static_cast<float>(tensor.data<base::Float16>()[i]));
    case DType::kBfloat16: return fmt::format("{}", static_cast<float>(tensor.data<base::Bfloat16>()[i]));
    case DType::kInt8: return fmt::format("{}", static_cast<int>(tensor.data<int8_t>()[i]));
    case DType::kInt16: return fmt::format("{}", tensor.data<int16_t>()[i]);
    case DType::kInt32: return fmt::format("{}", tensor.data<int32_t>()[i]);
    case DType::kInt64: return fmt::format("{}", tensor.data<int64_t>()[i]);
    case DType::kUint8: return fmt::format("{}", static_cast<unsigned>(tensor.data<uint8_t>()[i]));
    case DType::kUint16: return fmt::format("{}", tensor.data<uint16_t>()[i]);
    case DType::kUint32: return fmt::format("{}", tensor.data<uint32_t>()[i]);
    case DType::kUint64: return fmt::format("{}", tensor.data<uint64_t>()[i]);
    case DType::kBool: return tensor.data<bool>()[i] ? "true" : "false";
    case DType::kString: return quoted(tensor.data<std::string>()[i]);
    default: break;
  }
  const int bits = base::dtype_bits(tensor.dtype());
  const auto* bytes = static_cast<const uint8_t*>(tensor.raw());
  if (base::is_integer(tensor.dtype()))
    return fmt::format("{}", base::packed_integer(tensor.dtype(), base::packed_get(bytes, bits, i)));
  if (bits == 8) return fmt::format("{}", base::decode_minifloat(tensor.dtype(), bytes[i]));
  if (bits < 8) return fmt::format("{}", base::decode_minifloat(tensor.dtype(), base::packed_get(bytes, bits, i)));
  return "...";
}

template <class T>
std::string list(const std::vector<T>& values, const std::function<std::string(const T&)>& print) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i) text += ", ";
    if (i == static_cast<size_t>(kShownElements)) {
      text += fmt::format("... ({})", values.size());
      break;
    }
    text += print(values[i]);
  }
  return text + "]";
}

// The type without the elements, which constants print themselves.
std::string type_text(const Fact& fact) {
  if (!fact.constant) return fact.to_string();
  Fact type = fact;
  type.elements.reset();
  return type.to_string();
}

class Printer {
 public:
  std::string take() { return std::move(text_); }

  void graph(const Graph& graph, int indent) {
    line(indent, fmt::format("graph {}({}) -> ({}) {{", graph.name, declarations(graph, graph.inputs()),
                             names(graph, graph.outputs())));
    for (ValueId id : graph.captures())
      line(indent + 1, fmt::format("{}: {} captures '{}'", graph.value(id).name, type_text(graph.value(id).fact),
                                   graph.parent() ? graph.parent()->value(graph.value(id).outer).name : "?"));
    for (size_t i = 0; i < graph.value_count(); ++i) {
      const Value& value = graph.value(static_cast<ValueId>(i));
      if (value.removed || value.producer != kNone || value.outer != kNone || !value.fact.constant) continue;
      line(indent + 1, fmt::format("{}: {} = {}", value.name, type_text(value.fact), to_text(value.fact.constant)));
    }
    for (NodeId id : order(graph)) node(graph, graph.node(id), indent + 1);
    line(indent, "}");
  }

  void node(const Graph& graph, const Node& node, int indent) {
    std::string text = declarations(graph, node.outputs);
    if (!text.empty()) text += " = ";
    text += fmt::format("{}({}", node.op ? node.op->full_name() : "?", names(graph, node.inputs));
    bool first = node.inputs.empty();
    for (const Attribute& attribute : node.attributes.list()) {
      text += fmt::format("{}{}={}", first ? "" : ", ", attribute.name, to_text(attribute.value));
      first = false;
    }
    text += ')';
    if (!node.name.empty()) text += "  # node " + quoted(node.name);
    line(indent, text);
    for (const Body& body : node.bodies) {
      line(indent + 1, body.name + ":");
      this->graph(*body.graph, indent + 2);
    }
  }

 private:
  static std::vector<NodeId> order(const Graph& graph) {
    try {
      return graph.topological_order();
    } catch (const base::Error&) {
      std::vector<NodeId> ids;
      for (size_t i = 0; i < graph.node_capacity(); ++i)
        if (graph.has_node(static_cast<NodeId>(i))) ids.push_back(static_cast<NodeId>(i));
      return ids;
    }
  }

  static std::string names(const Graph& graph, const std::vector<ValueId>& ids) {
    std::string text;
    for (ValueId id : ids) text += (text.empty() ? "" : ", ") + (id == kNone ? std::string("_") : graph.value(id).name);
    return text;
  }

  static std::string declarations(const Graph& graph, const std::vector<ValueId>& ids) {
    std::string text;
    for (ValueId id : ids) {
      if (!text.empty()) text += ", ";
      text += id == kNone ? std::string("_") : graph.value(id).name + ": " + type_text(graph.value(id).fact);
    }
    return text;
  }

  void line(int indent, std::string_view content) {
    text_.append(static_cast<size_t>(indent) * 2, ' ');
    text_ += content;
    text_ += '\n';
  }

  std::string text_;
};

}  // namespace

std::string to_text(const Tensor& tensor) {
  if (!tensor) return "none";
  if (tensor.memory() != ONNXRUN_MEMORY_HOST) return "{...}";
  if (tensor.rank() == 0) return element(tensor, 0);
  std::string text = "{";
  for (int64_t i = 0; i < tensor.count(); ++i) {
    if (i) text += ", ";
    if (i == kShownElements) {
      text += "...";
      break;
    }
    text += element(tensor, i);
  }
  return text + "}";
}

std::string to_text(const AttributeValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string>) return quoted(held);
        else if constexpr (std::is_same_v<T, Tensor>)
          return held ? fmt::format("{}{}{}", base::dtype_name(held.dtype()), base::to_string(held.dims()),
                                    to_text(held))
                      : "none";
        else if constexpr (std::is_same_v<T, Fact>) return held.to_string();
        else if constexpr (std::is_same_v<T, std::vector<std::string>>) return list<std::string>(held, quoted);
        else if constexpr (std::is_same_v<T, std::vector<Tensor>>)
          return list<Tensor>(held, [](const Tensor& tensor) { return to_text(tensor); });
        else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
          return list<int64_t>(held, [](const int64_t& number) { return fmt::format("{}", number); });
        else if constexpr (std::is_same_v<T, std::vector<float>>)
          return list<float>(held, [](const float& number) { return fmt::format("{}", number); });
        else return fmt::format("{}", held);
      },
      value);
}

std::string to_text(const Graph& graph) {
  Printer printer;
  printer.graph(graph, 0);
  return printer.take();
}

std::string to_text(const Graph& graph, const Node& node) {
  Printer printer;
  printer.node(graph, node, 0);
  return printer.take();
}

}  // namespace onnxrun::ir

// Prints names, types, constants and attributes.
#include <bit>
#include <complex>
#include <functional>
#include <type_traits>

#include "base/error.h"
#include "base/packed.h"
#include "base/utf8.h"
#include "ir/text.h"

namespace onnxrun::ir {

namespace {

constexpr int64_t kShownElements = 8;
constexpr size_t kShownCharacters = 60;

// A float, or its bits where reading the number back would give others (a NaN with a payload).
template <class T, class Bits>
std::string float_text(T value, Bits bits, Bits read_back) {
  return bits == read_back ? fmt::format("{}", value) : fmt::format("0x{:x}", bits);
}

std::string float_text(float value) {
  const float canonical = value != value ? std::numeric_limits<float>::quiet_NaN() : value;
  return float_text(value, std::bit_cast<uint32_t>(value), std::bit_cast<uint32_t>(canonical));
}
std::string float_text(double value) {
  const double canonical = value != value ? std::numeric_limits<double>::quiet_NaN() : value;
  return float_text(value, std::bit_cast<uint64_t>(value), std::bit_cast<uint64_t>(canonical));
}
template <class Half>
std::string half_text(Half half) {
  const float value = half;
  const float canonical = value != value ? std::numeric_limits<float>::quiet_NaN() : value;
  return float_text(value, half.bits, Half(canonical).bits);
}

std::string minifloat_text(DType dtype, uint8_t code) {
  const float value = base::decode_minifloat(dtype, code);
  const float canonical = value != value ? std::numeric_limits<float>::quiet_NaN() : value;
  return float_text(value, static_cast<unsigned>(code),
                    static_cast<unsigned>(base::encode_minifloat(dtype, canonical)));
}

template <class T>
std::string complex_text(const void* data, int64_t i) {
  const auto& value = static_cast<const std::complex<T>*>(data)[i];
  return "(" + float_text(value.real()) + " " + float_text(value.imag()) + ")";
}

std::string element(const Tensor& tensor, int64_t i, Text how) {
  switch (tensor.dtype()) {
    case DType::kFloat32: return float_text(tensor.data<float>()[i]);
    case DType::kFloat64: return float_text(tensor.data<double>()[i]);
    case DType::kFloat16: return half_text(tensor.data<base::Float16>()[i]);
    case DType::kBfloat16: return half_text(tensor.data<base::Bfloat16>()[i]);
    case DType::kInt8: return fmt::format("{}", static_cast<int>(tensor.data<int8_t>()[i]));
    case DType::kInt16: return fmt::format("{}", tensor.data<int16_t>()[i]);
    case DType::kInt32: return fmt::format("{}", tensor.data<int32_t>()[i]);
    case DType::kInt64: return fmt::format("{}", tensor.data<int64_t>()[i]);
    case DType::kUint8: return fmt::format("{}", static_cast<unsigned>(tensor.data<uint8_t>()[i]));
    case DType::kUint16: return fmt::format("{}", tensor.data<uint16_t>()[i]);
    case DType::kUint32: return fmt::format("{}", tensor.data<uint32_t>()[i]);
    case DType::kUint64: return fmt::format("{}", tensor.data<uint64_t>()[i]);
    case DType::kBool: return tensor.data<bool>()[i] ? "true" : "false";
    case DType::kString: return quoted_text(tensor.data<std::string>()[i], how);
    case DType::kComplex64: return complex_text<float>(tensor.raw(), i);
    case DType::kComplex128: return complex_text<double>(tensor.raw(), i);
    default: break;
  }
  const int bits = base::dtype_bits(tensor.dtype());
  const auto* bytes = static_cast<const uint8_t*>(tensor.raw());
  const uint8_t code = bits < 8 ? base::packed_get(bytes, bits, i) : bytes[i];
  return base::is_integer(tensor.dtype()) ? fmt::format("{}", base::packed_integer(tensor.dtype(), code))
                                          : minifloat_text(tensor.dtype(), code);
}

template <class T>
std::string list(const std::vector<T>& values, Text how, const std::function<std::string(const T&)>& print) {
  std::string text = "[";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i) text += ", ";
    if (how == Text::kShort && i == static_cast<size_t>(kShownElements)) {
      text += fmt::format("... ({})", values.size());
      break;
    }
    text += print(values[i]);
  }
  return text + "]";
}

bool is_plain(std::string_view name) {
  if (name.empty() || name == "_" || name.back() == ':') return false;
  for (size_t i = 0; i < name.size(); ++i)
    if (!is_name_character(name[i]) && !(name[i] == ':' && i > 0)) return false;
  return true;
}

std::string dim_text(const Dim& dim) {
  std::string text = dim.to_string();
  bool is_symbol = false;
  dim.visit_symbols(
      [&](std::string_view name) { is_symbol = is_symbol || (name == text && dim == Dim::symbol(name)); });
  if (!is_symbol) return text;
  const bool word =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == std::string::npos;
  return word && !text.empty() && (text[0] < '0' || text[0] > '9') ? text : quoted_text(text, Text::kWhole);
}

}  // namespace

std::string quoted_text(std::string_view text, Text how) {
  const bool cut = how == Text::kShort && text.size() > kShownCharacters;
  const bool escape_high = how == Text::kWhole && !base::is_utf8(text);
  std::string result = "'";
  for (const char c : cut ? text.substr(0, kShownCharacters) : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\' || c == '\'') result += '\\';
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && escape_high)) result += fmt::format("\\x{:02x}", byte);
    else result += c;
  }
  return result + (cut ? "...'" : "'");
}

std::string name_text(std::string_view name) {
  return is_plain(name) ? std::string(name) : quoted_text(name, Text::kWhole);
}

std::string type_text(const Fact& fact) {
  const std::string inner = fact.element ? type_text(*fact.element) : "?";
  switch (fact.kind) {
    case TypeKind::kUnknown: return "?";
    case TypeKind::kSequence: return "sequence(" + inner + ")";
    case TypeKind::kOptional: return "optional(" + inner + ")";
    case TypeKind::kMap:
      return fmt::format("map({}, {})", fact.key == DType::kNone ? "?" : base::dtype_name(fact.key), inner);
    default: break;
  }
  std::string text = fact.kind == TypeKind::kSparseTensor ? "sparse " : "";
  text += fact.dtype == DType::kNone ? std::string_view("?") : base::dtype_name(fact.dtype);
  if (!fact.shape) return text + "[...]";
  text += '[';
  for (size_t i = 0; i < fact.shape->size(); ++i) text += (i ? "," : "") + dim_text((*fact.shape)[i]);
  return text + ']';
}

std::string to_text(const Tensor& tensor, Text how) {
  if (!tensor) return "none";
  if (tensor.memory() != ONNXRUN_MEMORY_HOST) return "{...}";
  if (tensor.rank() == 0) return element(tensor, 0, how);
  std::string text = "{";
  for (int64_t i = 0; i < tensor.count(); ++i) {
    if (i) text += ", ";
    if (how == Text::kShort && i == kShownElements) {
      text += "...";
      break;
    }
    text += element(tensor, i, how);
  }
  return text + "}";
}

std::string to_text(const AttributeValue& value, Text how) {
  const auto tensor_text = [how](const Tensor& tensor) {
    if (!tensor) return std::string("none");
    return fmt::format("{}{}{}", base::dtype_name(tensor.dtype()), base::to_string(tensor.dims()),
                       to_text(tensor, how));
  };
  return std::visit(
      [&](const auto& held) -> std::string {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string>) return quoted_text(held, how);
        else if constexpr (std::is_same_v<T, Tensor>) return tensor_text(held);
        else if constexpr (std::is_same_v<T, Fact>) return type_text(held);
        else if constexpr (std::is_same_v<T, std::vector<std::string>>)
          return list<std::string>(held, how, [how](const std::string& text) { return quoted_text(text, how); });
        else if constexpr (std::is_same_v<T, std::vector<Tensor>>) return list<Tensor>(held, how, tensor_text);
        else if constexpr (std::is_same_v<T, std::vector<int64_t>>)
          return list<int64_t>(held, how, [](const int64_t& number) { return fmt::format("{}", number); });
        else if constexpr (std::is_same_v<T, std::vector<float>>)
          return list<float>(held, how, [](const float& number) { return float_text(number); });
        else if constexpr (std::is_same_v<T, float>) return float_text(held);
        else return fmt::format("{}", held);
      },
      value);
}

}  // namespace onnxrun::ir

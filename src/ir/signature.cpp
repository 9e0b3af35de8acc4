// Reads the text form of operator signatures.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ir/op.h"

namespace onnxrun::ir {

namespace {

constexpr uint64_t bit(DType dtype) { return uint64_t{1} << static_cast<int>(dtype); }

constexpr uint64_t kFloats = bit(DType::kFloat16) | bit(DType::kBfloat16) | bit(DType::kFloat32) | bit(DType::kFloat64);
constexpr uint64_t kFloat8s =
    bit(DType::kFloat8E4M3FN) | bit(DType::kFloat8E4M3FNUZ) | bit(DType::kFloat8E5M2) | bit(DType::kFloat8E5M2FNUZ);
constexpr uint64_t kInts = bit(DType::kInt8) | bit(DType::kInt16) | bit(DType::kInt32) | bit(DType::kInt64);
constexpr uint64_t kUints = bit(DType::kUint8) | bit(DType::kUint16) | bit(DType::kUint32) | bit(DType::kUint64);
constexpr uint64_t kComplex = bit(DType::kComplex64) | bit(DType::kComplex128);
constexpr uint64_t kAll = ((uint64_t{1} << (base::kLastDType + 1)) - 1) & ~uint64_t{1};

struct Group {
  std::string_view name;
  uint64_t types;
};
constexpr Group kGroups[] = {
    {"floats", kFloats},
    {"float8s", kFloat8s},
    {"ints", kInts},
    {"uints", kUints},
    {"integers", kInts | kUints},
    {"numeric", kFloats | kInts | kUints},
    {"complex", kComplex},
    {"classic",
     ((kFloats | kInts | kUints | kComplex | bit(DType::kBool) | bit(DType::kString)) & ~bit(DType::kBfloat16))},
    {"all", kAll},
    {"any", kAll | kAcceptsSequence | kAcceptsOptional | kAcceptsMap | kAcceptsSparse},
    {"seq", kAcceptsSequence},
    {"opt", kAcceptsOptional},
    {"map", kAcceptsMap},
    {"sparse", kAcceptsSparse},
};
constexpr std::string_view kKinds[] = {"int",    "float",   "string",  "tensor", "ints",
                                       "floats", "strings", "tensors", "type",   "graph"};

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view op) : op_(op) {}

  Signature parse(const OpSignature& text) {
    each(text.types, '|', [&](std::string_view item) { variable(item); });
    each(text.inputs, ',', [&](std::string_view item) { parameter(item, signature_.inputs); });
    each(text.outputs, ',', [&](std::string_view item) { parameter(item, signature_.outputs); });
    each(text.attributes, ',', [&](std::string_view item) { attribute(item); });
    for (size_t i = 0; i < signature_.inputs.size(); ++i) {
      const Parameter& input = signature_.inputs[i];
      if (!input.optional && !input.may_be_empty) signature_.min_inputs = i + 1;
    }
    signature_.max_inputs = most(signature_.inputs);
    signature_.max_outputs = most(signature_.outputs);
    return std::move(signature_);
  }

 private:
  [[noreturn]] void malformed(std::string_view text, std::string_view why) const {
    base::fail(base::Code::kInternal, "the signature of {} is malformed at '{}': {}", op_, text, why);
  }

  static size_t most(const std::vector<Parameter>& parameters) {
    return !parameters.empty() && parameters.back().variadic ? SIZE_MAX : parameters.size();
  }

  static std::string_view trim(std::string_view text) {
    const size_t first = text.find_first_not_of(" \n\t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \n\t") - first + 1);
  }

  template <class Visit>
  static void each(std::string_view text, char separator, const Visit& visit) {
    while (!trim(text).empty()) {
      const size_t end = std::min(text.find(separator), text.size());
      visit(trim(text.substr(0, end)));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }

  std::pair<std::string_view, std::string_view> split(std::string_view item) const {
    const size_t colon = item.find(':');
    if (colon == std::string_view::npos) malformed(item, "expected name:type");
    const auto name = trim(item.substr(0, colon)), type = trim(item.substr(colon + 1));
    if (name.empty() || type.empty()) malformed(item, "expected name:type");
    return {name, type};
  }

  static std::optional<uint64_t> types_named(std::string_view name) {
    for (const Group& group : kGroups)
      if (group.name == name) return group.types;
    if (const auto dtype = base::parse_dtype(name); dtype && *dtype != DType::kNone) return bit(*dtype);
    return std::nullopt;
  }

  void variable(std::string_view item) {
    const auto [name, list] = split(item);
    Variable variable{std::string(name), 0};
    each(list, ' ', [&, item = item](std::string_view type) {
      if (type.empty()) return;
      const auto types = types_named(type);
      if (!types) malformed(item, "unknown element type or group");
      variable.accepts |= *types;
    });
    std::vector<DType>& dtypes = signature_.types[variable.name];
    if (!dtypes.empty()) malformed(item, "the type variable is defined twice");
    for (int32_t d = 1; d <= base::kLastDType; ++d)
      if (variable.accepts & bit(static_cast<DType>(d))) dtypes.push_back(static_cast<DType>(d));
    variables_.push_back(std::move(variable));
  }

  void parameter(std::string_view item, std::vector<Parameter>& list) {
    const auto [decorated, type] = split(item);
    const size_t end = std::min(decorated.find_first_of("?*~"), decorated.size());
    Parameter result;
    result.name = decorated.substr(0, end);
    result.type = type;
    for (char mark : decorated.substr(end)) {
      if (mark == '?') result.optional = true;
      else if (mark == '~') result.heterogeneous = true;
      else if (mark == '*') (result.variadic ? result.may_be_empty : result.variadic) = true;
      else malformed(item, "expected ?, *, ** or ~ after the name");
    }
    if (result.name.empty() || !std::all_of(result.name.begin(), result.name.end(), is_name_character))
      malformed(item, "expected a name of letters, digits and _");
    if (!list.empty() && list.back().variadic) malformed(item, "only the last parameter may be variadic");
    for (size_t i = 0; i < variables_.size(); ++i)
      if (variables_[i].name == type) {
        result.variable = static_cast<int>(i);
        result.accepts = variables_[i].accepts;
      }
    if (result.variable < 0) {
      const auto types = types_named(type);
      if (!types) malformed(item, "the type is neither a variable nor a known type");
      result.accepts = *types;
    }
    list.push_back(std::move(result));
  }

  void attribute(std::string_view item) {
    auto [name, kind] = split(item);
    AttributeSpec spec;
    if (kind.ends_with('!')) {
      spec.required = true;
      kind.remove_suffix(1);
    }
    spec.name = name;
    spec.kind = kind;
    if (std::find(std::begin(kKinds), std::end(kKinds), kind) == std::end(kKinds))
      malformed(item, "unknown attribute kind");
    if (signature_.attribute(name)) malformed(item, "the attribute is listed twice");
    signature_.attributes.push_back(std::move(spec));
  }

  struct Variable {
    std::string name;
    uint64_t accepts;
  };

  std::string_view op_;
  Signature signature_;
  std::vector<Variable> variables_;
};

}  // namespace

const AttributeSpec* Signature::attribute(std::string_view name) const {
  for (const AttributeSpec& spec : attributes)
    if (spec.name == name) return &spec;
  return nullptr;
}

Signature parse_signature(const OpSignature& text, std::string_view op) { return Parser(op).parse(text); }

}  // namespace onnxrun::ir

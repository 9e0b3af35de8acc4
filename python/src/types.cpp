// Reading types from ports.
#include "types.h"

#include "dtypes.h"

namespace onnxrun::python {
namespace {

// What stands in "word( ... )", or nothing.
std::string_view inside(std::string_view text, std::string_view word) {
  if (!text.starts_with(word) || !text.substr(word.size()).starts_with('(') || !text.ends_with(')')) return {};
  return text.substr(word.size() + 1, text.size() - word.size() - 2);
}

Type of_elements(onnxrun_kind kind, std::string_view element) {
  Type type;
  type.kind = kind;
  type.element = std::make_shared<const Type>(parse_type(element));
  return type;
}

}  // namespace

Type parse_type(std::string_view text) {
  if (const auto element = inside(text, "sequence"); !element.empty())
    return of_elements(ONNXRUN_KIND_SEQUENCE, element);
  if (const auto element = inside(text, "optional"); !element.empty())
    return of_elements(ONNXRUN_KIND_OPTIONAL, element);
  if (const auto both = inside(text, "map"); !both.empty()) {
    const size_t comma = both.find(", ");
    if (comma == std::string_view::npos) return {};
    Type type = of_elements(ONNXRUN_KIND_MAP, both.substr(comma + 2));
    type.key = dtype_named(both.substr(0, comma));
    return type;
  }
  if (text == "?") return {};
  Type type;
  type.kind = ONNXRUN_KIND_TENSOR;
  type.dtype = dtype_named(text.substr(0, text.find('[')));
  return type;
}

}  // namespace onnxrun::python

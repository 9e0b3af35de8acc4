// Typed access to the attributes of a node.
#include "ir/attribute.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace onnxrun::ir {

namespace {

constexpr std::string_view kKinds[] = {"int",    "float",   "string",  "tensor", "ints",
                                       "floats", "strings", "tensors", "type"};
static_assert(std::variant_size_v<AttributeValue> == std::size(kKinds));

template <class T>
std::string_view kind_name() {
  return attribute_kind_name(AttributeValue(std::in_place_type<T>));
}

}  // namespace

std::string_view attribute_kind_name(const AttributeValue& value) { return kKinds[value.index()]; }

const AttributeValue* Attributes::find(std::string_view name) const {
  for (const Attribute& attribute : list_)
    if (attribute.name == name) return &attribute.value;
  return nullptr;
}

void Attributes::set(std::string_view name, AttributeValue value) {
  for (Attribute& attribute : list_)
    if (attribute.name == name) {
      attribute.value = std::move(value);
      return;
    }
  list_.push_back({std::string(name), std::move(value)});
}

bool Attributes::erase(std::string_view name) {
  return std::erase_if(list_, [&](const Attribute& attribute) { return attribute.name == name; }) > 0;
}

bool Attributes::rename(std::string_view from, std::string_view to) {
  if (from == to) return has(from);
  auto found =
      std::find_if(list_.begin(), list_.end(), [&](const Attribute& attribute) { return attribute.name == from; });
  if (found == list_.end()) return false;
  AttributeValue value = std::move(found->value);
  list_.erase(found);
  set(to, std::move(value));
  return true;
}

template <class T>
const T* Attributes::get(std::string_view name) const {
  const AttributeValue* value = find(name);
  if (!value) return nullptr;
  if (const T* held = std::get_if<T>(value)) return held;
  base::fail(base::Code::kInvalidModel, "attribute '{}' must be of kind {}, got {}", name, kind_name<T>(),
             attribute_kind_name(*value));
}

int64_t Attributes::get_int(std::string_view name, int64_t fallback) const {
  const int64_t* value = get<int64_t>(name);
  return value ? *value : fallback;
}

float Attributes::get_float(std::string_view name, float fallback) const {
  const float* value = get<float>(name);
  return value ? *value : fallback;
}

std::string Attributes::get_string(std::string_view name, std::string_view fallback) const {
  const std::string* value = get<std::string>(name);
  return value ? *value : std::string(fallback);
}

std::vector<int64_t> Attributes::get_ints(std::string_view name) const {
  const auto* value = get<std::vector<int64_t>>(name);
  return value ? *value : std::vector<int64_t>();
}

std::vector<float> Attributes::get_floats(std::string_view name) const {
  const auto* value = get<std::vector<float>>(name);
  return value ? *value : std::vector<float>();
}

std::vector<std::string> Attributes::get_strings(std::string_view name) const {
  const auto* value = get<std::vector<std::string>>(name);
  return value ? *value : std::vector<std::string>();
}

base::Tensor Attributes::get_tensor(std::string_view name) const {
  const auto* value = get<base::Tensor>(name);
  return value ? *value : base::Tensor();
}

}  // namespace onnxrun::ir

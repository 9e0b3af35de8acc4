// Attributes of a node: named values in a small ordered list, read through typed getters that check the kind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/tensor.h"
#include "ir/fact.h"

namespace onnxrun::ir {

// Graph attributes are a node's bodies (graph.h), not attributes here.
using AttributeValue = std::variant<int64_t, float, std::string, base::Tensor, std::vector<int64_t>, std::vector<float>,
                                    std::vector<std::string>, std::vector<base::Tensor>, Fact>;

// "int", "ints", "tensor", ...
std::string_view attribute_kind_name(const AttributeValue& value);

struct Attribute {
  std::string name;
  AttributeValue value;
};

// The getters have the same names as those of provider::Node so that typed readers in ops/attributes serve both. They throw kInvalidModel
// naming the attribute where its kind is another.
class Attributes {
 public:
  Attributes() = default;
  Attributes(std::initializer_list<Attribute> list) {
    for (const Attribute& attribute : list) set(attribute.name, attribute.value);
  }

  bool has(std::string_view name) const { return find(name) != nullptr; }
  const AttributeValue* find(std::string_view name) const;
  void set(std::string_view name, AttributeValue value);
  bool erase(std::string_view name);  // whether it was there
  bool rename(std::string_view from, std::string_view to);

  int64_t get_int(std::string_view name, int64_t fallback) const;
  float get_float(std::string_view name, float fallback) const;
  std::string get_string(std::string_view name, std::string_view fallback = {}) const;
  std::vector<int64_t> get_ints(std::string_view name) const;
  std::vector<float> get_floats(std::string_view name) const;
  std::vector<std::string> get_strings(std::string_view name) const;
  base::Tensor get_tensor(std::string_view name) const;  // empty when absent

  const std::vector<Attribute>& list() const { return list_; }

 private:
  template <class T>
  const T* get(std::string_view name) const;
  std::vector<Attribute> list_;  // in insertion order
};

}  // namespace onnxrun::ir

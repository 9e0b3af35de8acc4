// Lists that ai.onnx.ml gives either as integers or as strings: class labels, categories, vocabularies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace onnxrun::ops {

struct Labels {
  std::vector<int64_t> ints;
  std::vector<std::string> strings;

  bool are_strings() const { return !strings.empty(); }
  size_t size() const { return are_strings() ? strings.size() : ints.size(); }
};

// Throws kInvalidModel unless exactly one of the two attributes has elements.
template <class Source>
Labels read_labels(const Source& source, std::string_view ints, std::string_view strings) {
  Labels result{source.get_ints(ints), source.get_strings(strings)};
  if (result.ints.empty() == result.strings.empty())
    base::fail(base::Code::kInvalidModel, "exactly one of '{}' and '{}' must be given", ints, strings);
  return result;
}

}  // namespace onnxrun::ops

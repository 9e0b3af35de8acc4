// Which of LabelEncoder's attributes hold its keys, values and default.
#pragma once

#include <string>
#include <string_view>

#include "base/dtype.h"
#include "base/error.h"

namespace onnxrun::ops {

// A list given as "<prefix>_strings", "<prefix>_int64s", "<prefix>_floats" or "<prefix>_tensor".
struct EncoderList {
  std::string attribute;
  base::DType dtype = base::DType::kNone;  // kNone: the tensor says
};

// Throws kInvalidModel unless exactly one is there.
template <class Source>
EncoderList find_encoder_list(const Source& source, std::string_view prefix) {
  struct Form {
    std::string_view suffix;
    base::DType dtype;
  };
  constexpr Form kForms[] = {{"_strings", base::DType::kString},
                             {"_int64s", base::DType::kInt64},
                             {"_floats", base::DType::kFloat32},
                             {"_tensor", base::DType::kNone}};
  EncoderList found;
  for (const Form& form : kForms) {
    std::string name = std::string(prefix) + std::string(form.suffix);
    if (!source.has(name)) continue;
    if (!found.attribute.empty())
      base::fail(base::Code::kInvalidModel, "'{}' and '{}' are both given; one is wanted", found.attribute, name);
    found = {std::move(name), form.dtype};
  }
  if (found.attribute.empty())
    base::fail(base::Code::kInvalidModel,
               "one of '{0}_strings', '{0}_int64s', '{0}_floats' and '{0}_tensor' must be given", prefix);
  return found;
}

}  // namespace onnxrun::ops

// What a model declares a value to be, as a tree: conversions follow it.
#pragma once

#include <onnxrun/onnxrun.h>

#include <memory>
#include <string>
#include <string_view>

namespace onnxrun::python {

struct Type {
  onnxrun_kind kind = ONNXRUN_KIND_UNKNOWN;
  onnxrun_dtype dtype = ONNXRUN_DTYPE_NONE;  // of a tensor
  onnxrun_dtype key = ONNXRUN_DTYPE_NONE;    // of a map
  std::shared_ptr<const Type> element;       // of a sequence, optional or map
};

// Reads a port's text: "float32[batch,3]", "sequence(map(int64, float32[]))". What it cannot read is of unknown kind.
Type parse_type(std::string_view text);

}  // namespace onnxrun::python

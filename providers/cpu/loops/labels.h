// Writing the labels of a classifier's output.
#pragma once

#include <onnxrun/provider.hpp>

#include "base/text_memory.h"
#include "ops/attributes/labels.h"

namespace onnxrun::cpu {

// Sets element `row` of a label output to that of class `index`.
inline void write_label(const ops::Labels& labels, const onnxrun_tensor& output, int64_t row, int64_t index) {
  if (labels.are_strings()) static_cast<base::Text*>(output.data)[row].set(labels.strings[static_cast<size_t>(index)]);
  else static_cast<int64_t*>(output.data)[row] = labels.ints[static_cast<size_t>(index)];
}

// Where a class is decided between one label and none, what stands for none: 0 or "0".
inline void write_no_label(const ops::Labels& labels, const onnxrun_tensor& output, int64_t row) {
  if (labels.are_strings()) static_cast<std::string*>(output.data)[row] = std::string(1, '0');
  else static_cast<int64_t*>(output.data)[row] = 0;
}

}  // namespace onnxrun::cpu

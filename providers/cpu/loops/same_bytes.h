// The kernel of operators whose output is their first input under another shape: nothing to do where both share memory.
#pragma once

#include "cpu/loops/copy.h"

namespace onnxrun::cpu {

class SameBytes {
 public:
  static provider::Acceptance accepts(const provider::Node&) { return provider::Acceptance().alias(0, 0); }

  explicit SameBytes(const provider::Node& node) {
    const onnxrun_tensor& input = node.input(0);
    const auto type = static_cast<base::DType>(input.dtype);
    const int64_t count = provider::count(input);
    const bool string = type == base::DType::kString;
    const int64_t units[] = {string ? count : static_cast<int64_t>(base::dtype_bytes(type, count))};
    const int64_t one[] = {1};
    copy_ = StridedCopy(string ? unit_of(input.dtype) : Unit{1}, units, one, one);
  }

  void run(provider::RunContext& context) const {
    if (context.input(0).data != context.output(0).data)
      copy_.run(context, context.input(0).data, context.output(0).data);
  }

 private:
  StridedCopy copy_;
};

}  // namespace onnxrun::cpu

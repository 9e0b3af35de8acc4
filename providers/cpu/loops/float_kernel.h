// The frame of kernels from one float tensor to one, whatever float type it is stored in.
#pragma once

#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {

// Base of `Kernel`, which has a template compute(RunContext&, const T* x, T* y) const for T float and double; x and y hold the
// first input and output in the work type. Cancellation is noticed at its end at the latest.
template <class Kernel>
class FloatKernel {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  size_t scratch_bytes() const { return operands_.scratch_bytes(); }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    with_work_float(work_, [&](auto type) {
      using T = typename decltype(type)::type;
      static_cast<const Kernel&>(*this).compute(context, arrays.template in<T>(0), arrays.template out<T>(0));
    });
    context.check_cancelled();
    operands_.store(context, arrays);
  }

 protected:
  explicit FloatKernel(const Node& node) : work_(work_float(node, 1)), operands_(node, 1, 1, work_) {}

 private:
  DType work_;
  WorkOperands operands_;
};

}  // namespace onnxrun::cpu

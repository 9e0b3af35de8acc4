// MaxUnpool: scatters the elements of X to their indices in a plane of zeros.
#include <algorithm>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/open_output.h"
#include "ops/attributes/window.h"

namespace onnxrun::cpu {
namespace {

// Indices count in the smallest output that the window allows; a larger output_shape keeps their coordinates.
class MaxUnpool {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit MaxUnpool(const Node& node) : unit_(unit_of(node.input(0).dtype)) {
    const auto x = provider::dims(node.input(0));
    const ops::Window window = ops::read_window(node, ops::read_kernel(node, x.size() - 2));
    inferred_ = {x[0], x[1]};
    for (size_t d = 0; d < window.rank(); ++d)
      inferred_.push_back((x[d + 2] - 1) * window.strides[d] + window.kernel[d] - window.pads[d] -
                          window.pads[window.rank() + d]);
  }

  void run(RunContext& context) const {
    base::Dims dims = inferred_;
    if (context.has_input(2) && context.input(2).data != nullptr) {
      const int64_t* sizes = context.in<int64_t>(2);
      for (size_t d = 0; d < dims.size(); ++d) {
        if (sizes[d] < inferred_[d])
          base::fail(base::Code::kRunFailed, "input 'output_shape' asks for {} along axis {}, at least {} are needed",
                     sizes[d], d, inferred_[d]);
        dims[d] = sizes[d];
      }
    }
    const onnxrun_tensor& out = open_output(context, 0, dims);
    with_storage(unit_, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_trivially_copyable_v<T>) scatter(context, static_cast<T*>(out.data), dims);
    });
  }

 private:
  template <class T>
  void scatter(RunContext& context, T* y, const base::Dims& dims) const {
    const T* x = context.in<T>(0);
    const int64_t* indices = context.in<int64_t>(1);
    const int64_t count = provider::count(context.input(0)), limit = base::element_count(inferred_);
    std::fill_n(y, base::element_count(dims), T{});
    for (int64_t i = 0; i < count; ++i) {
      if ((i & 0xfffff) == 0) context.check_cancelled();
      int64_t at = indices[i];
      if (at < 0 || at >= limit)
        base::fail(base::Code::kRunFailed, "input 'I' has the index {}, beyond an output of {} elements", at, limit);
      if (dims != inferred_) at = moved(at, dims);
      y[at] = x[i];
    }
  }
  int64_t moved(int64_t at, const base::Dims& dims) const {
    int64_t result = 0, stride = 1;
    for (size_t d = dims.size(); d-- > 0;) {
      result += at % inferred_[d] * stride;
      at /= inferred_[d];
      stride *= dims[d];
    }
    return result;
  }

  Unit unit_;
  base::Dims inferred_;
};

}  // namespace

void kernels_onnx_max_unpool(provider::KernelTable& table) { table.add<MaxUnpool>("", "MaxUnpool", "reference"); }

}  // namespace onnxrun::cpu

// Slice: a copy from a start with the steps as strides; prepared ahead where the bounds are constants.
#include "ops/attributes/slice.h"

#include <optional>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

class Slice {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit Slice(const Node& node) {
    bool constant = true;
    for (size_t i = 1; i < 5; ++i)
      if (node.has_input(i) && node.input(i).data == nullptr && provider::count(node.input(i)) > 0) constant = false;
    if (constant)
      copy_ = prepare([&](size_t i) { return node.has_input(i) ? &node.input(i) : nullptr; }, node.output(0));
  }

  void run(RunContext& context) const {
    const void* from = context.input(0).data;
    void* to = context.output(0).data;
    if (copy_) return copy_->run(context, from, to);
    prepare([&](size_t i) { return context.has_input(i) ? &context.input(i) : nullptr; }, context.output(0))
        .run(context, from, to);
  }

 private:
  template <class Inputs>
  static StridedCopy prepare(Inputs&& input, const onnxrun_tensor& output) {
    const auto in = provider::dims(*input(0));
    const auto out = provider::dims(output);
    const base::Dims from_strides = base::contiguous_strides(in);
    base::Dims from = from_strides;
    int64_t offset = 0;
    const int64_t count = provider::count(*input(1));
    for (int64_t i = 0; i < count; ++i) {
      const auto axis = static_cast<size_t>(
          input(3) != nullptr ? base::normalize_axis(int_at(*input(3), i), static_cast<int64_t>(in.size())) : i);
      const int64_t step = input(4) != nullptr ? int_at(*input(4), i) : 1;
      if (step == 0) base::fail(base::Code::kRunFailed, "Slice: 'steps' has a 0 at {}", i);
      const auto range = ops::attributes::slice_range(in[axis], int_at(*input(1), i), int_at(*input(2), i), step);
      if (range.count != out[axis])
        base::fail(base::Code::kInternal, "Slice: {} elements of axis {} where {} were planned", range.count, axis,
                   out[axis]);
      if (range.count == 0) return {};
      offset += range.first * from_strides[axis];
      from[axis] = range.count > 1 ? from_strides[axis] * range.step : 0;
    }
    return {unit_of(output.dtype), out, from, base::contiguous_strides(out), offset};
  }

  std::optional<StridedCopy> copy_;
};

}  // namespace

void kernels_onnx_slice(provider::KernelTable& table) {
  table.add<Slice>("", "Slice", "reference");
  table.add<Unpacked<Slice>>("", "Slice", "unpacked");
}

}  // namespace onnxrun::cpu

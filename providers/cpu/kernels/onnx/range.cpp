// Range: start + i * step; narrow floats are computed in float64 and rounded once.
#include "ops/attributes/range.h"

#include "cpu/cpu.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

using RangeTypes = Join<Floats, Types<int16_t, int32_t, int64_t>>;

class Range {
 public:
  static Acceptance accepts(const Node& node) {
    return dispatch(RangeTypes{}, dtype(node.input(0)), [](auto) {}) ? Acceptance()
                                                                     : Acceptance::decline("no range of this type");
  }

  explicit Range(const Node& node) : dtype_(dtype(node.input(0))) {}

  void run(RunContext& context) const {
    dispatch(RangeTypes{}, dtype_, [&]<class T>(std::type_identity<T>) {
      using Wide = std::conditional_t<std::is_integral_v<T>, int64_t, double>;
      const auto start = static_cast<Wide>(*context.in<T>(0));
      const auto limit = static_cast<Wide>(*context.in<T>(1));
      const auto step = static_cast<Wide>(*context.in<T>(2));
      const int64_t dims[] = {ops::attributes::range_length(start, limit, step)};
      T* out = static_cast<T*>(open_output(context, 0, dims).data);
      parallel_polled(context, dims[0], sizeof(T) * 4, [&](int64_t begin, int64_t end) {
        if constexpr (std::is_integral_v<T>) {
          const auto by = static_cast<uint64_t>(step);
          uint64_t next = static_cast<uint64_t>(start) + static_cast<uint64_t>(begin) * by;
          for (int64_t i = begin; i < end; ++i, next += by) out[i] = static_cast<T>(next);
        } else {
          for (int64_t i = begin; i < end; ++i) out[i] = static_cast<T>(start + static_cast<double>(i) * step);
        }
      });
    });
  }

 private:
  DType dtype_;
};

}  // namespace

void kernels_onnx_range(provider::KernelTable& table) { table.add<Range>("", "Range", "reference"); }

}  // namespace onnxrun::cpu

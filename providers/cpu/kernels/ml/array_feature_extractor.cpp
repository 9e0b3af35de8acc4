// ArrayFeatureExtractor: elements of the last axis, copied by index.
#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class ArrayFeatureExtractor {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit ArrayFeatureExtractor(const Node& node) : unit_(unit_of(node.input(0).dtype)) {
    const auto dims = provider::dims(node.input(0));
    length_ = dims.back();
    rows_ = product(dims, 0, dims.size() - 1);
  }

  void run(RunContext& context) const {
    const int64_t count = provider::count(context.input(1));
    const auto* y = context.in<int64_t>(1);
    base::take_kernel_memory(base::checked_mul(count, sizeof(int64_t)));
    std::vector<int64_t> columns(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i)
      columns[static_cast<size_t>(i)] = position("ArrayFeatureExtractor", y[i], context.input(0).rank - 1, length_);
    const void* x = context.input(0).data;
    void* z = context.output(0).data;
    with_storage(unit_, [&](auto sample) {
      using T = decltype(sample);
      const T* from = static_cast<const T*>(x);
      T* to = static_cast<T*>(z);
      parallel_polled(context, rows_, Cost(count) * unit_.bytes, [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row)
          for (int64_t i = 0; i < count; ++i)
            to[row * count + i] = from[row * length_ + columns[static_cast<size_t>(i)]];
      });
    });
  }

 private:
  Unit unit_;
  int64_t rows_ = 0, length_ = 0;
};

}  // namespace

void kernels_ml_array_feature_extractor(provider::KernelTable& table) {
  table.add<ArrayFeatureExtractor>("ai.onnx.ml", "ArrayFeatureExtractor", "reference");
}

}  // namespace onnxrun::cpu

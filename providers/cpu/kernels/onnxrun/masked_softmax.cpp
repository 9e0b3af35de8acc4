// MaskedSoftmax: each row gets its mask and is normalised while it is at hand.
#include "cpu/cpu.h"
#include "cpu/kernels/simd/float_rows.h"
#include "cpu/loops/broadcast.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {
namespace {

class MaskedSoftmax {
 public:
  static Acceptance accepts(const Node&) {
    if (add() == nullptr) return Acceptance::decline("no fast Add at this instruction set level");
    return Acceptance().alias(0, 0);
  }

  explicit MaskedSoftmax(const Node& node) : size_(provider::dims(node.input(0)).back()) {
    const int64_t count = provider::count(node.input(0));
    rows_ = size_ == 0 ? 0 : count / size_;
    if (count != 0) mask_ = BroadcastPlan({provider::dims(node.input(1))}, provider::dims(node.input(0)));
  }

  void run(RunContext& context) const {
    const float *in = context.in<float>(0), *mask = context.in<float>(1);
    float* out = context.out<float>(0);
    const RowKernel plus = add();
    const int64_t n = size_;
    parallel_polled(context, rows_, Cost(n) * 9, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        float* y = out + row * n;
        mask_.each_row(row * n, (row + 1) * n, [&](const int64_t* offsets, int64_t at, int64_t count) {
          plus({{in + at, mask + offsets[0]}, {1, mask_.row_stride(0)}, out + at, count, nullptr});
        });
        row_scale(y, static_cast<float>(1.0 / row_exp(y, row_max(y, n), y, n)), y, n);
      }
    });
  }

 private:
  static RowKernel add() { return simd::float_row("Add"); }

  int64_t size_, rows_ = 0;
  BroadcastPlan mask_;
};

}  // namespace

void kernels_onnxrun_masked_softmax(provider::KernelTable& table) {
  table.add<MaskedSoftmax>("onnxrun", "MaskedSoftmax", "rows");
}

}  // namespace onnxrun::cpu

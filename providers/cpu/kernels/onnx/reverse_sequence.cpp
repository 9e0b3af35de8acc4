// ReverseSequence: rows of the time axis copied to their mirrored places.
#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

class ReverseSequence {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit ReverseSequence(const Node& node)
      : unit_(unit_of(node.input(0).dtype)), time_first_(node.get_int("time_axis", 0) == 0) {
    const auto dims = provider::dims(node.input(0));
    first_ = dims[0];
    second_ = dims[1];
    inner_ = product(dims, 2, dims.size());
  }

  void run(RunContext& context) const {
    const auto* lengths = context.in<int64_t>(1);
    const int64_t times = time_first_ ? first_ : second_;
    for (int64_t b = 0; b < (time_first_ ? second_ : first_); ++b)
      if (lengths[b] < 0 || lengths[b] > times)
        base::fail(base::Code::kRunFailed,
                   "ReverseSequence: sequence {} has length {}, but the time axis has {} elements", b, lengths[b],
                   times);
    parallel_polled(context, first_ * second_, Cost(inner_) * unit_.bytes, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t time = time_first_ ? i / second_ : i % second_;
        const int64_t length = lengths[time_first_ ? i % second_ : i / second_];
        const int64_t from = time < length ? length - 1 - time : time;
        const int64_t row = time_first_ ? from * second_ + i % second_ : i - time + from;
        copy_run(unit_, at(context.input(0).data, unit_, row * inner_), at(context.output(0).data, unit_, i * inner_),
                 inner_);
      }
    });
  }

 private:
  Unit unit_;
  bool time_first_;
  int64_t first_ = 0, second_ = 0, inner_ = 0;
};

}  // namespace

void kernels_onnx_reverse_sequence(provider::KernelTable& table) {
  table.add<ReverseSequence>("", "ReverseSequence", "reference");
  table.add<Unpacked<ReverseSequence>>("", "ReverseSequence", "unpacked");
}

}  // namespace onnxrun::cpu

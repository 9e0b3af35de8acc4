// Gather: rows of the axis copied by index.
#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

class Gather {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit Gather(const Node& node) : unit_(unit_of(node.input(0).dtype)) {
    const auto data = provider::dims(node.input(0));
    axis_ = base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(data.size()));
    const auto axis = static_cast<size_t>(axis_);
    size_ = data[axis];
    outer_ = product(data, 0, axis);
    inner_ = product(data, axis + 1, data.size());
    picks_ = provider::count(node.input(1));
  }

  void run(RunContext& context) const {
    const onnxrun_tensor& indices = context.input(1);
    if (inner_ == 0) {
      for (int64_t i = 0; i < picks_; ++i) position("Gather", int_at(indices, i), axis_, size_);
      return;
    }
    parallel_polled(context, outer_ * picks_, Cost(inner_) * unit_.bytes, [&](int64_t begin, int64_t end) {
      if (inner_ == 1) {
        with_storage(unit_, [&]<class T>(T) {
          const T* data = context.in<T>(0);
          T* out = context.out<T>(0);
          each(indices, begin, end, [&](int64_t item, int64_t from) { out[item] = data[from]; });
        });
      } else {
        const void* data = context.input(0).data;
        void* out = context.output(0).data;
        each(indices, begin, end, [&](int64_t item, int64_t from) {
          copy_run(unit_, at(data, unit_, from * inner_), at(out, unit_, item * inner_), inner_);
        });
      }
    });
  }

 private:
  // Calls f(item, row of the data) for the output rows [begin, end).
  template <class F>
  void each(const onnxrun_tensor& indices, int64_t begin, int64_t end, F&& f) const {
    int64_t base = begin / picks_ * size_;
    int64_t pick = begin % picks_;
    for (int64_t item = begin; item < end; ++item) {
      f(item, base + position("Gather", int_at(indices, pick), axis_, size_));
      if (++pick == picks_) {
        pick = 0;
        base += size_;
      }
    }
  }

  Unit unit_;
  int64_t axis_ = 0, size_ = 0, outer_ = 0, inner_ = 0, picks_ = 0;
};

}  // namespace

void kernels_onnx_gather(provider::KernelTable& table) {
  table.add<Gather>("", "Gather", "reference");
  table.add<Unpacked<Gather>>("", "Gather", "unpacked");
}

}  // namespace onnxrun::cpu

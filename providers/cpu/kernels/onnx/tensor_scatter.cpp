// TensorScatter: rows written into a cache; nothing but the rows moves where cache and output share memory.
#include "base/checked.h"

#include <algorithm>
#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

class TensorScatter {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance().alias(0, 0);
  }

  explicit TensorScatter(const Node& node)
      : unit_(unit_of(node.input(0).dtype)), circular_(node.get_string("mode", "linear") == "circular") {
    const auto cache = provider::dims(node.input(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", -2), static_cast<int64_t>(cache.size())));
    batch_ = cache[0];
    outer_ = product(cache, 0, axis);
    room_ = cache[axis];
    rows_ = provider::dims(node.input(1))[axis];
    inner_ = product(cache, axis + 1, cache.size());
  }

  void run(RunContext& context) const {
    void* out = context.output(0).data;
    const void* updates = context.input(1).data;
    const int64_t* at_index = context.has_input(2) ? context.in<int64_t>(2) : nullptr;
    for (int64_t b = 0; at_index != nullptr && b < batch_; ++b) check(b, at_index[b]);
    if (context.input(0).data != out) copy_all(context, unit_, context.input(0).data, out, outer_ * room_ * inner_);
    if (room_ == 0 || rows_ == 0 || inner_ == 0) return;
    parallel_polled(context, outer_, Cost(rows_) * inner_ * unit_.bytes, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t index = at_index != nullptr ? at_index[i / (outer_ / batch_)] : 0;
        const int64_t start = circular_ ? (index % room_ + room_) % room_ : index;
        const int64_t first = std::min(rows_, room_ - start);
        const char* from = at(updates, unit_, i * rows_ * inner_);
        char* to = at(out, unit_, i * room_ * inner_);
        copy_run(unit_, from, at(to, unit_, start * inner_), first * inner_);
        copy_run(unit_, at(from, unit_, first * inner_), to, (rows_ - first) * inner_);
      }
    });
  }

 private:
  void check(int64_t batch, int64_t index) const {
    if (!circular_ && (index < 0 || index > room_ - rows_))
      base::fail(base::Code::kRunFailed,
                 "TensorScatter: {} rows written at {} (batch {}) do not fit into a cache of {}", rows_, index, batch,
                 room_);
  }

  Unit unit_;
  bool circular_;
  int64_t batch_ = 0, outer_ = 0, room_ = 0, rows_ = 0, inner_ = 0;
};

}  // namespace

void kernels_onnx_tensor_scatter(provider::KernelTable& table) {
  table.add<TensorScatter>("", "TensorScatter", "reference");
  table.add<Unpacked<TensorScatter>>("", "TensorScatter", "unpacked");
}

}  // namespace onnxrun::cpu

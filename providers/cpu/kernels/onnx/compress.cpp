// Compress: slices whose condition is true, copied one after the other.
#include "cpu/cpu.h"

#include <algorithm>
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class Compress {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit Compress(const Node& node) : unit_(unit_of(node.input(0).dtype)), has_axis_(node.has("axis")) {
    const auto dims = provider::dims(node.input(0));
    if (has_axis_) {
      dims_.assign(dims.begin(), dims.end());
      axis_ = static_cast<size_t>(base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(dims.size())));
    } else {
      dims_ = {provider::count(node.input(0))};
    }
    outer_ = product(dims_, 0, axis_);
    inner_ = product(dims_, axis_ + 1, dims_.size());
  }

  void run(RunContext& context) const {
    const auto* condition = context.in<uint8_t>(1);
    const int64_t length = provider::count(context.input(1));
    for (int64_t i = dims_[axis_]; i < length; ++i)
      if (condition[i] != 0)
        base::fail(base::Code::kRunFailed, "Compress: 'condition' is true at {}, but axis {} has {} elements", i, axis_,
                   dims_[axis_]);
    const int64_t used = std::min(length, dims_[axis_]);
    base::Dims dims = dims_;
    dims[axis_] = std::count_if(condition, condition + used, [](uint8_t c) { return c != 0; });
    void* out = open_output(context, 0, dims).data;
    const void* data = context.input(0).data;
    int64_t written = 0;
    if (provider::count(context.output(0)) == 0) return;
    Pacer pacer(context);
    if (inner_ == 1 && !unit_.string) {
      for (int64_t i = 0; i < outer_; ++i) {
        pick(at(data, unit_, i * dims_[axis_]), condition, used, at(out, unit_, i * dims[axis_]), dims[axis_]);
        pacer.did(used + 1);
      }
      return;
    }
    for (int64_t i = 0; i < outer_; ++i) {
      for (int64_t k = 0; k < used; ++k) {
        if (condition[k] == 0) continue;
        copy_run(unit_, at(data, unit_, (i * dims_[axis_] + k) * inner_), at(out, unit_, written), inner_);
        written += inner_;
      }
      pacer.did(used + 1);
    }
  }

 private:
  // Single elements, `picked` of `used`: each is written where the next picked one belongs.
  void pick(const char* from, const uint8_t* condition, int64_t used, char* to, int64_t picked) const {
    with_storage(unit_, [&]<class T>(T) {
      if constexpr (!std::is_same_v<T, base::Text>) {
        const auto* source = reinterpret_cast<const T*>(from);
        auto* target = reinterpret_cast<T*>(to);
        int64_t written = 0;
        for (int64_t k = 0; k < used && written < picked; ++k) {
          target[written] = source[k];
          written += condition[k] != 0 ? 1 : 0;
        }
      }
    });
  }

  Unit unit_;
  bool has_axis_;
  size_t axis_ = 0;
  base::Dims dims_;
  int64_t outer_ = 0, inner_ = 0;
};

}  // namespace

void kernels_onnx_compress(provider::KernelTable& table) { table.add<Compress>("", "Compress", "reference"); }

}  // namespace onnxrun::cpu

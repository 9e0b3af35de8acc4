// Trilu: each row of a matrix cut at the diagonal.
#include <algorithm>
#include <string>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

class Trilu {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance().alias(0, 0);
  }

  explicit Trilu(const Node& node) : unit_(unit_of(node.input(0).dtype)), upper_(node.get_int("upper", 1) != 0) {
    const auto dims = provider::dims(node.input(0));
    height_ = dims[dims.size() - 2];
    width_ = dims.back();
    rows_ = width_ == 0 ? 0 : provider::count(node.input(0)) / width_;
  }

  void run(RunContext& context) const {
    if (provider::count(context.input(0)) == 0) return;
    const int64_t k = std::clamp(context.has_input(1) ? int_at(context.input(1), 0) : 0, -height_, width_);
    const std::string empty;
    const Bytes16 nothing;
    const void* zero = unit_.string ? static_cast<const void*>(&empty) : &nothing;
    const void* data = context.input(0).data;
    void* out = context.output(0).data;
    parallel_polled(context, rows_, Cost(width_) * unit_.bytes, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t cut = std::clamp<int64_t>(row % height_ + k + (upper_ ? 0 : 1), 0, width_);
        const int64_t first = upper_ ? cut : 0;
        const int64_t last = upper_ ? width_ : cut;
        char* to = at(out, unit_, row * width_);
        if (data != out) copy_run(unit_, at(data, unit_, row * width_ + first), at(to, unit_, first), last - first);
        fill_run(unit_, zero, to, first);
        fill_run(unit_, zero, at(to, unit_, last), width_ - last);
      }
    });
  }

 private:
  Unit unit_;
  bool upper_;
  int64_t height_ = 0, width_ = 0, rows_ = 0;
};

}  // namespace

void kernels_onnx_trilu(provider::KernelTable& table) {
  table.add<Trilu>("", "Trilu", "reference");
  table.add<Unpacked<Trilu>>("", "Trilu", "unpacked");
}

}  // namespace onnxrun::cpu

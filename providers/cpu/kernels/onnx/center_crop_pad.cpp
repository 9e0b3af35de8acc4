// CenterCropPad: the part that input and output share, copied into zeros.
#include <algorithm>
#include <string>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

class CenterCropPad {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit CenterCropPad(const Node& node)
      : unit_(unit_of(node.input(0).dtype)), count_(provider::count(node.output(0))) {
    const auto in = provider::dims(node.input(0));
    const auto out = provider::dims(node.output(0));
    const base::Dims from = base::contiguous_strides(in);
    const base::Dims to = base::contiguous_strides(out);
    base::Dims shared;
    int64_t from_offset = 0, to_offset = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      shared.push_back(std::min(in[i], out[i]));
      padded_ |= out[i] > in[i];
      from_offset += (in[i] - shared[i]) / 2 * from[i];
      to_offset += (out[i] - shared[i]) / 2 * to[i];
    }
    copy_ = StridedCopy(unit_, shared, from, to, from_offset, to_offset);
  }

  void run(RunContext& context) const {
    void* out = context.output(0).data;
    if (padded_) {
      const std::string empty;
      const Bytes16 nothing;
      const void* zero = unit_.string ? static_cast<const void*>(&empty) : &nothing;
      parallel_polled(context, count_, unit_.bytes,
                      [&](int64_t begin, int64_t end) { fill_run(unit_, zero, at(out, unit_, begin), end - begin); });
    }
    copy_.run(context, context.input(0).data, out);
  }

 private:
  Unit unit_;
  int64_t count_;
  bool padded_ = false;
  StridedCopy copy_;
};

}  // namespace

void kernels_onnx_center_crop_pad(provider::KernelTable& table) {
  table.add<CenterCropPad>("", "CenterCropPad", "reference");
  table.add<Unpacked<CenterCropPad>>("", "CenterCropPad", "unpacked");
}

}  // namespace onnxrun::cpu

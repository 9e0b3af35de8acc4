// Transpose: one strided copy, by rows, elements or cache tiles.
#include "ops/attributes/transpose.h"

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

class Transpose {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit Transpose(const Node& node) {
    const auto in = provider::dims(node.input(0));
    const base::Dims strides = base::contiguous_strides(in);
    base::Dims dims, from;
    for (int64_t axis : ops::attributes::permutation(node, static_cast<int64_t>(in.size()))) {
      dims.push_back(in[static_cast<size_t>(axis)]);
      from.push_back(strides[static_cast<size_t>(axis)]);
    }
    copy_ = StridedCopy(unit_of(node.input(0).dtype), dims, from, base::contiguous_strides(dims));
  }

  void run(RunContext& context) const { copy_.run(context, context.input(0).data, context.output(0).data); }

 private:
  StridedCopy copy_;
};

}  // namespace

void kernels_onnx_transpose(provider::KernelTable& table) {
  table.add<Transpose>("", "Transpose", "tiled");
  table.add<Unpacked<Transpose>>("", "Transpose", "unpacked");
}

}  // namespace onnxrun::cpu

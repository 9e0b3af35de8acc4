// Expand and Tile: copies that read repeated axes with a stride of 0.
#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

Acceptance accepts_unpacked(const Node& node) {
  return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
}

class Expand {
 public:
  static Acceptance accepts(const Node& node) { return accepts_unpacked(node); }

  explicit Expand(const Node& node) {
    const auto dims = provider::dims(node.output(0));
    const base::Dims from = base::broadcast_strides(provider::dims(node.input(0)), dims);
    copy_ = StridedCopy(unit_of(node.input(0).dtype), dims, from, base::contiguous_strides(dims));
  }

  void run(RunContext& context) const { copy_.run(context, context.input(0).data, context.output(0).data); }

 private:
  StridedCopy copy_;
};

class Tile {
 public:
  static Acceptance accepts(const Node& node) { return accepts_unpacked(node); }

  explicit Tile(const Node& node) {
    const auto in = provider::dims(node.input(0));
    const auto out = provider::dims(node.output(0));
    if (base::element_count(out) == 0) return;
    const base::Dims in_strides = base::contiguous_strides(in);
    base::Dims dims, from;
    for (size_t i = 0; i < in.size(); ++i) {
      dims.insert(dims.end(), {out[i] / in[i], in[i]});
      from.insert(from.end(), {0, in_strides[i]});
    }
    copy_ = StridedCopy(unit_of(node.input(0).dtype), dims, from, base::contiguous_strides(dims));
  }

  void run(RunContext& context) const { copy_.run(context, context.input(0).data, context.output(0).data); }

 private:
  StridedCopy copy_;
};

}  // namespace

void kernels_onnx_expand(provider::KernelTable& table) {
  table.add<Expand>("", "Expand", "reference");
  table.add<Unpacked<Expand>>("", "Expand", "unpacked");
  table.add<Tile>("", "Tile", "reference");
  table.add<Unpacked<Tile>>("", "Tile", "unpacked");
}

}  // namespace onnxrun::cpu

// DepthToSpace and SpaceToDepth: one transpose of the six axes that blocks and channels make.
#include "ops/attributes/depth_to_space.h"

#include <array>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

using Six = std::array<int64_t, 6>;

StridedCopy permuted(Unit unit, const Six& dims, const Six& perm) {
  const base::Dims strides = base::contiguous_strides(dims);
  base::Dims out, from;
  for (int64_t axis : perm) {
    out.push_back(dims[static_cast<size_t>(axis)]);
    from.push_back(strides[static_cast<size_t>(axis)]);
  }
  return {unit, out, from, base::contiguous_strides(out)};
}

class Rearrangement {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }
  void run(RunContext& context) const { copy_.run(context, context.input(0).data, context.output(0).data); }

 protected:
  StridedCopy copy_;
};

class DepthToSpace : public Rearrangement {
 public:
  explicit DepthToSpace(const Node& node) {
    const int64_t b = ops::attributes::block_size(node);
    const auto in = provider::dims(node.input(0));
    const Unit unit = unit_of(node.input(0).dtype);
    const int64_t depth = in[1] / b / b;
    copy_ = ops::attributes::depth_first(node) ? permuted(unit, {in[0], b, b, depth, in[2], in[3]}, {0, 3, 4, 1, 5, 2})
                                               : permuted(unit, {in[0], depth, b, b, in[2], in[3]}, {0, 1, 4, 2, 5, 3});
  }
};

class SpaceToDepth : public Rearrangement {
 public:
  explicit SpaceToDepth(const Node& node) {
    const int64_t b = ops::attributes::block_size(node);
    const auto in = provider::dims(node.input(0));
    const Six dims = {in[0], in[1], in[2] / b, b, in[3] / b, b};
    copy_ = permuted(unit_of(node.input(0).dtype), dims,
                     ops::attributes::depth_first(node) ? Six{0, 3, 5, 1, 2, 4} : Six{0, 1, 3, 5, 2, 4});
  }
};

}  // namespace

void kernels_onnx_depth_to_space(provider::KernelTable& table) {
  table.add<DepthToSpace>("", "DepthToSpace", "reference");
  table.add<Unpacked<DepthToSpace>>("", "DepthToSpace", "unpacked");
  table.add<SpaceToDepth>("", "SpaceToDepth", "reference");
  table.add<Unpacked<SpaceToDepth>>("", "SpaceToDepth", "unpacked");
}

}  // namespace onnxrun::cpu

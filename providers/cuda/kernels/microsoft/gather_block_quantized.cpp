// com.microsoft.GatherBlockQuantized.
#include "ops/attributes/gather_block_quantized.h"

#include "cuda/device/gather_blocks.h"
#include "cuda/kernels/coded.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"
#include "cuda/kernels/ints.h"

namespace onnxrun::cuda {
namespace {

class GatherBlockQuantized {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input(0).rank > kMaxAxes) return Acceptance::decline("too many axes");
    return is_plain_float(dtype(node.output(0))) ? Acceptance() : Acceptance::decline("scales of an unusual type");
  }
  explicit GatherBlockQuantized(const Node& node)
      : blocks_(ops::attributes::read_gather_blocks(node, dtype(node.input(0)), node.input(0).rank)),
        decoder_(blocks_.stored, tables_) {
    const auto data = provider::dims(node.input(0)), scales = provider::dims(node.input(2));
    if (data.size() > kMaxAxes) throw provider::Declined{"too many axes"};
    base::Dims dims(data.begin(), data.end());
    dims.back() = base::checked_mul(dims.back(), blocks_.per_element);
    const auto axis = static_cast<size_t>(blocks_.gather_axis);
    how_.outer = product(dims, 0, axis);
    how_.size = dims[axis];
    how_.inner = product(dims, axis + 1, dims.size());
    how_.picks = provider::count(node.input(1));
    how_.wide = dtype(node.input(1)) == DType::kInt64;
    how_.rank = static_cast<int>(dims.size());
    how_.quantized = static_cast<int>(blocks_.quantize_axis);
    how_.block = blocks_.block;
    how_.bits = base::dtype_bits(blocks_.stored);
    how_.columns = scales.empty() ? 1 : scales.back();
    // Rows of packed zero points begin at whole bytes.
    how_.row_codes = (how_.columns + blocks_.per_element - 1) / blocks_.per_element * blocks_.per_element;
    how_.middle = static_cast<float>(blocks_.middle(dtype(node.input(0))));
    how_.type = dtype(node.output(0));
    const base::Dims steps = base::contiguous_strides(scales);
    for (size_t d = 0; d < dims.size(); ++d) {
      how_.dims[d] = dims[d];
      how_.steps[d] = d >= scales.size() || scales[d] == 1 ? 0 : steps[d];
    }
  }
  size_t scratch_bytes() const { return tables_.bytes(); }

  void run(RunContext& context) const {
    BlockGather how = how_;
    tables_.send(stream_of(context), context.scratch());
    how.values = decoder_.values(static_cast<const char*>(context.scratch()));
    how.indices = context.input(1).data;
    how.scales = context.input(2).data;
    if (context.has_input(3)) how.zeros = static_cast<const uint8_t*>(context.input(3).data);
    launch_block_gather(queue_of(context), how, static_cast<const uint8_t*>(context.input(0).data),
                        context.output(0).data);
  }

 private:
  ops::attributes::GatherBlocks blocks_;
  Tables tables_;
  Decoder decoder_;
  BlockGather how_;
};

}  // namespace

void kernels_microsoft_gather_block_quantized(provider::KernelTable& table) {
  add<GatherBlockQuantized>(table, "com.microsoft", "GatherBlockQuantized", "map");
}

}  // namespace onnxrun::cuda

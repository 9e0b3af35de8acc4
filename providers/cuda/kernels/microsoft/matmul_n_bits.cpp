// com.microsoft.MatMulNBits.
#include "cuda/device/integer.h"
#include "cuda/kernels/elementwise.h"
#include "ops/attributes/n_bits.h"

namespace onnxrun::cuda {
namespace {

class MatMulNBits {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    if (find_n_bits(type) == nullptr) return no_kernel(node);
    if (dtype(node.input(2)) != type) return Acceptance::decline("scales of another type");
    if (node.has_input(3) && dtype(node.input(3)) != DType::kUint8 && dtype(node.input(3)) != type)
      return Acceptance::decline("zero points of another type");
    return {};
  }
  explicit MatMulNBits(const Node& node) : launch_(find_n_bits(dtype(node.input(0)))) {
    const auto sizes = ops::attributes::read_n_bits(node);
    how_.k = sizes.k, how_.n = sizes.n, how_.bits = sizes.bits, how_.block = sizes.block, how_.blocks = sizes.blocks();
    how_.row_bytes = sizes.row_bytes(), how_.zero_row_bytes = sizes.zero_row_bytes();
    how_.m = provider::count(node.input(0)) / sizes.k;
    packed_zeros_ = node.has_input(3) && dtype(node.input(3)) == DType::kUint8;
  }
  void run(RunContext& context) const {
    NBitsProduct how = how_;
    how.weights = context.in<uint8_t>(1);
    how.scales = context.input(2).data;
    if (context.has_input(3) && packed_zeros_) how.zeros = context.in<uint8_t>(3);
    else if (context.has_input(3)) how.float_zeros = context.input(3).data;
    if (context.has_input(4)) {
      how.groups = context.in<int32_t>(4);
      how.report = stream_of(context).expect("MatMulNBits: an element of 'g_idx' is no block");
    }
    if (context.has_input(5)) how.bias = context.input(5).data;
    launch_(queue_of(context), how, context.input(0).data, context.output(0).data);
  }

 private:
  NBitsLaunch launch_;
  NBitsProduct how_;
  bool packed_zeros_ = false;
};

}  // namespace

void kernels_microsoft_matmul_n_bits(provider::KernelTable& table) {
  add<MatMulNBits>(table, "com.microsoft", "MatMulNBits", "warps");
}

}  // namespace onnxrun::cuda

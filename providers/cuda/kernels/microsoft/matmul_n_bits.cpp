// com.microsoft.MatMulNBits: by a kernel that unpacks as it multiplies, or by cuBLASLt from unpacked weights.
#include <algorithm>
#include <vector>

#include "base/checked.h"
#include "cuda/device/n_bits.h"
#include "cuda/host/product.h"
#include "cuda/kernels/elementwise.h"
#include "ops/attributes/n_bits.h"

namespace onnxrun::cuda {
namespace {

class MatMulNBits {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    if (find_n_bits(type).product == nullptr) return no_kernel(node);
    if (dtype(node.input(2)) != type) return Acceptance::decline("scales of another type");
    if (node.has_input(3) && dtype(node.input(3)) != DType::kUint8 && dtype(node.input(3)) != type)
      return Acceptance::decline("zero points of another type");
    return {};
  }
  explicit MatMulNBits(const Node& node)
      : type_(dtype(node.input(0))), bytes_(base::dtype_bits(type_) / 8), launches_(find_n_bits(type_)) {
    const auto sizes = ops::attributes::read_n_bits(node);
    how_.k = sizes.k, how_.n = sizes.n, how_.bits = sizes.bits, how_.block = sizes.block, how_.blocks = sizes.blocks();
    how_.row_bytes = sizes.row_bytes(), how_.zero_row_bytes = sizes.zero_row_bytes();
    how_.m = provider::count(node.input(0)) / sizes.k;
    packed_zeros_ = node.has_input(3) && dtype(node.input(3)) == DType::kUint8;
    // 1 asks for sums of float32, of narrower floats, too; from 2 on A may be rounded to float16, as which TF32 keeps it.
    const int64_t level = node.get_int("accuracy_level", 0);
    if (!worth_unpacking() || (level == 1 && type_ != DType::kFloat32)) return;
    const int precision = level >= 2 ? ONNXRUN_PRECISION_MEDIUM : node.precision();
    const int64_t fits = kUnpackedBytes / base::checked_mul(how_.k, bytes_) / 64 * 64;
    chunk_ = std::min(how_.n, std::max<int64_t>(64, fits));
    for (const int64_t columns : {chunk_, how_.n % chunk_}) {
      if (columns == 0) continue;
      ProductShape shape;
      shape.m = how_.m, shape.n = columns, shape.k = how_.k;
      shape.b_transposed = true;
      shape.y_row = how_.n;
      shape.bias = node.has_input(5);
      products_.emplace_back(type_, precision, shape);
    }
  }
  size_t scratch_bytes() const {
    return products_.empty() ? 0
                             : Product::kWorkspace + static_cast<size_t>(base::checked_mul(chunk_, how_.k * bytes_));
  }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    NBitsProduct how = how_;
    how.weights = context.in<uint8_t>(1);
    how.scales = context.input(2).data;
    if (context.has_input(3) && packed_zeros_) how.zeros = context.in<uint8_t>(3);
    else if (context.has_input(3)) how.float_zeros = context.input(3).data;
    if (context.has_input(4)) {
      how.groups = context.in<int32_t>(4);
      how.report = stream.expect("MatMulNBits: an element of 'g_idx' is no block");
    }
    if (context.has_input(5)) how.bias = context.input(5).data;
    const void* a = context.input(0).data;
    if (products_.empty()) return launches_.product(queue, how, a, context.output(0).data);
    char* unpacked = static_cast<char*>(context.scratch()) + Product::kWorkspace;
    for (int64_t first = 0; first < how.n; first += chunk_) {
      context.check_cancelled();
      const int64_t columns = std::min(chunk_, how.n - first);
      launches_.unpack(queue, how, first, columns, unpacked);
      const auto* bias = static_cast<const char*>(how.bias);
      const Product& product = columns == chunk_ ? products_.front() : products_.back();
      product.run(stream, a, unpacked, bias == nullptr ? nullptr : bias + first * bytes_,
                  context.out<char>(0) + first * bytes_, context.scratch());
    }
  }

 private:
  static constexpr int64_t kUnpackedBytes = int64_t{64} << 20;

  // Unpacking writes and reads each weight in full, and costs a launch: of more rows, and of products that are large, that is less than what
  // tensor cores, or a product by tiles, save. A kernel that unpacks as it multiplies reads a few bits a weight, but once for every few rows.
  bool worth_unpacking() const {
    constexpr double kSmall = 1 << 24;
    return how_.m > kFewRows &&
           static_cast<double>(how_.m) * static_cast<double>(how_.n) * static_cast<double>(how_.k) > kSmall;
  }

  DType type_;
  int64_t bytes_;
  NBitsLaunches launches_;
  NBitsProduct how_;
  bool packed_zeros_ = false;
  int64_t chunk_ = 0;
  std::vector<Product> products_;  // of a whole chunk of columns, and of what is left
};

}  // namespace

void kernels_microsoft_matmul_n_bits(provider::KernelTable& table) {
  add<MatMulNBits>(table, "com.microsoft", "MatMulNBits", "unpacking");
}

}  // namespace onnxrun::cuda

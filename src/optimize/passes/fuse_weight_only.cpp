// Makes one MatMulNBits of a MatMul with constant weights that only a DequantizeLinear widens, transposed or not: the weights stay as narrow as they are.
#include <algorithm>
#include <bit>

#include "base/checked.h"
#include "ops/attributes/n_bits.h"
#include "ops/attributes/quantize.h"
#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using base::DType;
using base::Tensor;
using ir::Graph;
using ir::Node;
using ir::ValueId;
using ops::attributes::Granularity;

bool is_narrow(DType type) {
  return type == DType::kInt4 || type == DType::kUint4 || type == DType::kInt8 || type == DType::kUint8 ||
         type == DType::kInt2 || type == DType::kUint2;
}

// Weights of a product with K rows and N columns, stored [K, N] or, turned, [N, K].
class Weights {
 public:
  Weights(const Node& dequantize, const Tensor& codes, const Tensor& scale, const Tensor* zero, bool turned)
      : codes_(codes),
        scale_(scale),
        zero_(zero),
        turned_(turned),
        bits_(base::dtype_bits(codes.dtype())),
        view_(ops::attributes::quantize_view(dequantize.attributes, codes.dims(), scale.dims())) {
    sizes_.k = codes.dims()[turned ? 1 : 0];
    sizes_.n = codes.dims()[turned ? 0 : 1];
    sizes_.bits = bits_;
    axis_ = dequantize.attributes.get_int("axis", 1);
    if (axis_ < 0) axis_ += 2;
    if (view_.granularity == Granularity::kBlocks) {
      sizes_.block = view_.block;
    } else {
      sizes_.block = 128;
      while (sizes_.block > 32 && sizes_.k % sizes_.block != 0) sizes_.block /= 2;
    }
  }

  // Whether each scale belongs to one column, or to a block of rows of one.
  bool fits() const {
    if (sizes_.k < 1 || sizes_.n < 1 || sizes_.k > INT32_MAX || sizes_.n > INT32_MAX) return false;
    const int64_t along_rows = turned_ ? 1 : 0;
    if (view_.granularity == Granularity::kAxis) return axis_ != along_rows;
    if (view_.granularity == Granularity::kTensor) return true;
    // A block that is longer than the rows would only be padding.
    return axis_ == along_rows && sizes_.block >= 16 && std::has_single_bit(static_cast<uint64_t>(sizes_.block)) &&
           sizes_.block <= static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(sizes_.k, 16))));
  }

  const ops::attributes::NBits& sizes() const { return sizes_; }

  // [N, blocks, bytes of a block]: each code as an unsigned number.
  Tensor codes() const {
    Tensor result(DType::kUint8, {sizes_.n, sizes_.blocks(), sizes_.block * bits_ / 8});
    auto* to = result.mutable_data<uint8_t>();
    std::fill_n(to, result.count(), uint8_t{0});
    for (int64_t n = 0; n < sizes_.n; ++n)
      for (int64_t k = 0; k < sizes_.k; ++k)
        put(to + n * sizes_.row_bytes(), k, code(codes_, turned_ ? n * sizes_.k + k : k * sizes_.n + n));
    return result;
  }

  Tensor scales() const {
    Tensor result(DType::kFloat32, {sizes_.n, sizes_.blocks()});
    float* to = result.mutable_data<float>();
    for (int64_t n = 0; n < sizes_.n; ++n)
      for (int64_t b = 0; b < sizes_.blocks(); ++b) *to++ = scale_.data<float>()[place(n, b)];
    return result;
  }

  // Empty where every zero point is the middle of the codes, which needs none.
  Tensor zeros() const {
    bool needed = false;
    Tensor result(DType::kUint8, {sizes_.n, sizes_.zero_row_bytes()});
    auto* to = result.mutable_data<uint8_t>();
    std::fill_n(to, result.count(), uint8_t{0});
    for (int64_t n = 0; n < sizes_.n; ++n)
      for (int64_t b = 0; b < sizes_.blocks(); ++b) {
        const uint8_t zero = zero_ != nullptr ? code(*zero_, place(n, b)) : is_signed() ? middle() : uint8_t{0};
        needed |= zero != middle();
        put(to + n * sizes_.zero_row_bytes(), b, zero);
      }
    return needed ? result : Tensor();
  }

 private:
  bool is_signed() const {
    return codes_.dtype() == DType::kInt2 || codes_.dtype() == DType::kInt4 || codes_.dtype() == DType::kInt8;
  }
  uint8_t middle() const { return static_cast<uint8_t>(sizes_.middle()); }

  uint8_t code(const Tensor& from, int64_t index) const {
    const auto* bytes = static_cast<const uint8_t*>(from.raw());
    const int mask = (1 << bits_) - 1;
    const int found = (bytes[index * bits_ / 8] >> (index * bits_ % 8)) & mask;
    return static_cast<uint8_t>(is_signed() ? found ^ middle() : found);
  }
  void put(uint8_t* row, int64_t index, uint8_t code) const {
    row[index * bits_ / 8] = static_cast<uint8_t>(row[index * bits_ / 8] | code << (index * bits_ % 8));
  }
  // Of the scale of block b of column n.
  int64_t place(int64_t n, int64_t b) const {
    if (view_.granularity == Granularity::kTensor) return 0;
    if (view_.granularity == Granularity::kAxis) return n;
    return turned_ ? n * sizes_.blocks() + b : b * sizes_.n + n;
  }

  const Tensor& codes_;
  const Tensor& scale_;
  const Tensor* zero_;
  bool turned_;
  int64_t bits_, axis_ = 0;
  ops::attributes::QuantizeView view_;
  ops::attributes::NBits sizes_;
};

}  // namespace

MatchResult match_fuse_weight_only(const PassContext& context, ir::NodeId id) {
  const Graph& graph = context.graph;
  const Node& product = graph.node(id);
  if (!is(product, "MatMul") || context.capabilities == nullptr) return MatchResult::none("no MatMul");
  const Node* transpose = made_by(graph, product.inputs[1], "Transpose");
  const Node* dequantize =
      made_by(graph, transpose != nullptr ? transpose->inputs[0] : product.inputs[1], "DequantizeLinear");
  if (dequantize == nullptr || constant(graph, product.inputs[0]) != nullptr)
    return MatchResult::none("its weights are not dequantised");
  const Tensor *codes = constant(graph, dequantize->inputs[0]), *scale = float_constant(graph, dequantize->inputs[1]),
               *zero = constant(graph, input(*dequantize, 2));
  if (codes == nullptr || scale == nullptr || codes->rank() != 2 || !is_narrow(codes->dtype()) || codes->count() == 0 ||
      (input(*dequantize, 2) != ir::kNone && (zero == nullptr || zero->dtype() != codes->dtype())))
    return MatchResult::none("not constant matrices of 8 bits or less");
  if (graph.value(product.inputs[0]).fact.dtype != DType::kFloat32 || graph.value(product.inputs[0]).fact.rank() < 1 ||
      graph.value(dequantize->outputs[0]).fact.dtype != DType::kFloat32)
    return MatchResult::none("not float32");
  if (transpose != nullptr && ops::attributes::permutation(transpose->attributes, 2) != std::vector<int64_t>{1, 0})
    return MatchResult::none("its weights are not transposed");
  const Weights weights(*dequantize, *codes, *scale, zero, transpose != nullptr);
  if (!weights.fits()) return MatchResult::none("scales of another form");
  ir::Patch patch(graph, "keep weights narrow");
  const std::string& name = graph.value(dequantize->inputs[0]).name;
  std::vector<ValueId> inputs{product.inputs[0], patch.constant(weights.codes(), name),
                              patch.constant(weights.scales(), "scales")};
  if (Tensor zeros = weights.zeros()) inputs.push_back(patch.constant(std::move(zeros), "zero_points"));
  patch.replace(product.outputs[0], patch.emit(context.table.find("com.microsoft", "MatMulNBits"), std::move(inputs),
                                               {{"K", weights.sizes().k},
                                                {"N", weights.sizes().n},
                                                {"bits", weights.sizes().bits},
                                                {"block_size", weights.sizes().block}},
                                               product.name));
  patch.remove(id);
  return patch;
}

}  // namespace onnxrun::optimize

// Products with weights that only a DequantizeLinear widens.
#include <random>

#include "base/dtype.h"
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::DType;
using base::Tensor;
using ir::Attributes;
using ir::Dim;
using ir::ValueId;

const Dim kBatch = Dim::symbol("batch");

class WeightOnly : public PassTest {
 protected:
  Tensor drawn(DType type, base::Dims dims) {
    Tensor tensor(type, std::move(dims));
    auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
    for (size_t i = 0; i < tensor.bytes(); ++i) bytes[i] = static_cast<uint8_t>(random_());
    return tensor;
  }
  ValueId dequantized(DType type, base::Dims dims, base::Dims scales, bool zero, Attributes attributes) {
    std::vector<ValueId> inputs{constant(drawn(type, std::move(dims))), weights(scales)};
    if (zero) inputs.push_back(constant(drawn(type, std::move(scales))));
    return op("DequantizeLinear", std::move(inputs), std::move(attributes));
  }
  ValueId turned(ValueId x) { return op("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 0}}}); }

  std::mt19937 random_{3};
};

Attributes blocks(int64_t axis, int64_t size) { return {{"axis", axis}, {"block_size", size}}; }

TEST_F(WeightOnly, Blocks) {
  const auto x = input("x", {kBatch, 2, 64});
  output(op("MatMul", {x, dequantized(DType::kInt4, {64, 5}, {2, 5}, false, blocks(0, 32))}));
  output(op("MatMul", {x, dequantized(DType::kUint4, {64, 5}, {4, 5}, true, blocks(0, 16))}));
  output(op("MatMul", {x, turned(dequantized(DType::kUint4, {5, 64}, {5, 2}, true, blocks(1, 32)))}));
  output(op("MatMul", {x, turned(dequantized(DType::kUint4, {5, 64}, {5, 2}, false, blocks(-1, 32)))}));
  rewrites("fuse-weight-only", "MatMulNBits MatMulNBits MatMulNBits MatMulNBits", 1e-4);
}

TEST_F(WeightOnly, ColumnsAndWholeMatrices) {
  const auto x = input("x", {kBatch, 40});
  output(op("MatMul", {x, dequantized(DType::kInt8, {40, 6}, {6}, true, {{"axis", int64_t{1}}})}));
  output(op("MatMul", {x, dequantized(DType::kUint8, {40, 6}, {}, false, {})}));
  output(op("MatMul", {x, turned(dequantized(DType::kInt4, {6, 40}, {6}, false, {{"axis", int64_t{0}}}))}));
  output(op("MatMul", {x, dequantized(DType::kInt2, {40, 6}, {}, false, {})}));
  rewrites("fuse-weight-only", "MatMulNBits MatMulNBits MatMulNBits MatMulNBits", 1e-4);
}

TEST_F(WeightOnly, RowsAndOddBlocksStay) {
  const auto x = input("x", {kBatch, 48});
  output(op("MatMul", {x, dequantized(DType::kInt8, {48, 6}, {48}, false, {{"axis", int64_t{0}}})}));
  output(op("MatMul", {x, dequantized(DType::kInt8, {48, 6}, {2, 6}, false, blocks(0, 24))}));
  output(op("MatMul", {x, dequantized(DType::kInt8, {48, 32}, {48, 2}, false, blocks(1, 16))}));
  output(op("MatMul", {dequantized(DType::kInt8, {6, 48}, {}, false, {}), input("y", {48, 3})}));
  leaves("fuse-weight-only");
}

}  // namespace
}  // namespace onnxrun::optimize

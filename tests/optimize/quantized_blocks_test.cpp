// The passes that keep quantised convolutions on blocked channels, and functions of one byte in tables: results stay the same bytes.
#include "cpu/kernels/blocked.h"
#include "cpu/loops/integer_block_convolution.h"
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::DType;
using base::Tensor;
using ir::Dim;
using ir::ValueId;
using Ints = std::vector<int64_t>;

const Dim kBatch = Dim::symbol("batch");
constexpr const char* kMicrosoft = "com.microsoft";

// Values of one 8-bit type between QuantizeLinear and DequantizeLinear.
class QuantizedBlocks : public PassTest, public testing::WithParamInterface<DType> {
 protected:
  static bool tiles() { return cpu::integer_block_convolution_functions().block != 0; }
  bool is_signed() const { return GetParam() == DType::kInt8; }
  ValueId zero(int value) {
    return constant(is_signed() ? Tensor::scalar<int8_t>(static_cast<int8_t>(value - 128))
                                : Tensor::scalar<uint8_t>(static_cast<uint8_t>(value)));
  }
  ValueId quantized(ValueId x, float scale, int point) { return op("QuantizeLinear", {x, number(scale), zero(point)}); }
  ValueId dequantized(ValueId x, float scale, int point) {
    return op("DequantizeLinear", {x, number(scale), zero(point)});
  }
  ValueId image(int64_t channels) { return quantized(input("x", {kBatch, channels, 12, 10}), 0.03f, 131); }
  // From scale 0.03 and zero point 131 to the same.
  ValueId convolution(ValueId x, int64_t from, int64_t to, int64_t kernel = 3, int64_t groups = 1) {
    Tensor weights(DType::kInt8, {to, from / groups, kernel, kernel});
    for (int64_t i = 0; i < weights.count(); ++i)
      weights.mutable_data<int8_t>()[i] = static_cast<int8_t>((i * 37 + seed_ * 11) % 251 - 125);
    ++seed_;
    return op("QLinearConv",
              {x, number(0.03f), zero(131), constant(weights), number(0.002f), constant(Tensor::scalar<int8_t>(0)),
               number(0.03f), zero(131)},
              {{"pads", Ints(4, kernel / 2)}, {"group", groups}});
  }
  ValueId added(ValueId a, ValueId b) {
    return op("QLinearAdd", {a, number(0.03f), zero(131), b, number(0.03f), zero(131), number(0.05f), zero(120)}, {},
              kMicrosoft);
  }
  void output_float(ValueId x) { output(dequantized(x, 0.03f, 131)); }

 private:
  int64_t seed_ = 1;
};

TEST_P(QuantizedBlocks, ARegionIsMovedOnlyAtItsBorders) {
  if (!tiles()) GTEST_SKIP() << "no tiles at this instruction set level";
  const ValueId x =
      op("MaxPool", {convolution(image(20), 20, 32)}, {{"kernel_shape", Ints{2, 2}}, {"pads", Ints{0, 1, 1, 0}}});
  const ValueId y = added(x, convolution(convolution(x, 32, 32, 3, 32), 32, 32, 1));
  output(op("Softmax", {dequantized(convolution(y, 32, 24), 0.03f, 131)}));
  rewrites(
      "block-channels",
      "QuantizeLinear ToBlocked BlockedQLinearConv BlockedMaxPool BlockedQLinearConv BlockedQLinearConv QLinearAdd "
      "BlockedQLinearConv FromBlocked DequantizeLinear Softmax",
      0);
  rewrites("fuse-into-blocked-integer-convolution",
           "QuantizeLinear ToBlocked BlockedQLinearConv BlockedMaxPool BlockedQLinearConv BlockedQLinearConv "
           "BlockedQLinearConv FromBlocked DequantizeLinear Softmax",
           0);
}

// The mean of channels is computed in float32 on blocks of its own size.
TEST_P(QuantizedBlocks, ChannelsAreGatedAndConcatenated) {
  if (!tiles()) GTEST_SKIP() << "no tiles at this instruction set level";
  const ValueId x = convolution(image(16), 16, 32);
  const ValueId mean = op("GlobalAveragePool", {dequantized(x, 0.03f, 131)});
  const ValueId gate = convolution(quantized(mean, 0.03f, 131), 32, 32, 1);
  const ValueId gated =
      op("QLinearMul", {x, number(0.03f), zero(131), gate, number(0.03f), zero(131), number(0.03f), zero(131)}, {},
         kMicrosoft);
  const ValueId both =
      op("QLinearConcat", {number(0.04f), zero(110), gated, number(0.03f), zero(131), x, number(0.03f), zero(131)},
         {{"axis", int64_t{1}}}, kMicrosoft);
  output_float(convolution(both, 64, 16));
  rewrites("block-channels",
           "QuantizeLinear ToBlocked BlockedQLinearConv DequantizeLinear BlockedGlobalAveragePool QuantizeLinear "
           "BlockedQLinearConv QLinearMul QLinearConcat BlockedQLinearConv FromBlocked DequantizeLinear",
           0);
}

TEST_P(QuantizedBlocks, TablesBecomePartOfConvolutions) {
  if (!tiles()) GTEST_SKIP() << "no tiles at this instruction set level";
  const ValueId x = dequantized(convolution(image(16), 16, 24), 0.03f, 131);
  output_float(convolution(quantized(op("HardSwish", {x}), 0.03f, 131), 24, 16));
  rewrites("fuse-byte-function", "QuantizeLinear QLinearConv ByteTable QLinearConv DequantizeLinear", 0);
  rewrites("block-channels",
           "QuantizeLinear ToBlocked BlockedQLinearConv ByteTable BlockedQLinearConv FromBlocked DequantizeLinear", 0);
  rewrites("fuse-into-blocked-integer-convolution",
           "QuantizeLinear ToBlocked BlockedQLinearConv BlockedQLinearConv FromBlocked DequantizeLinear", 0);
}

TEST_P(QuantizedBlocks, TablesOfWhatOthersReadStay) {
  if (!tiles()) GTEST_SKIP() << "no tiles at this instruction set level";
  const ValueId x = convolution(image(16), 16, 32);
  const ValueId y = quantized(op("HardSwish", {dequantized(x, 0.03f, 131)}), 0.03f, 131);
  output_float(convolution(y, 32, 16));
  output_float(convolution(x, 32, 16));
  rewrites("fuse-byte-function",
           "QuantizeLinear QLinearConv QLinearConv DequantizeLinear ByteTable QLinearConv DequantizeLinear", 0);
  rewrites("block-channels",
           "QuantizeLinear ToBlocked BlockedQLinearConv BlockedQLinearConv ByteTable BlockedQLinearConv FromBlocked "
           "DequantizeLinear FromBlocked DequantizeLinear",
           0);
  leaves("fuse-into-blocked-integer-convolution");
}

TEST_P(QuantizedBlocks, AFunctionMayMeetItselfAgain) {
  const ValueId x = quantized(input("x", {kBatch, 7}), 0.03f, 131);
  const ValueId shifted =
      op("QLinearAdd", {x, number(0.03f), zero(131), zero(200), number(0.01f), zero(3), number(0.02f), zero(5)}, {},
         kMicrosoft);
  const ValueId y =
      op("QLinearMul", {shifted, number(0.02f), zero(5), x, number(0.03f), zero(131), number(0.1f), zero(40)}, {},
         kMicrosoft);
  output(op("ByteTable", {y, constant(Tensor(is_signed() ? DType::kInt8 : DType::kUint8, {256}))}, {}, "onnxrun"));
  output(y);
  rewrites("fuse-byte-function", "QuantizeLinear ByteTable ByteTable");
}

TEST_P(QuantizedBlocks, TwoValuesMakeNoTable) {
  const ValueId x = quantized(input("x", {kBatch, 7}), 0.03f, 131), y = quantized(input("y", {kBatch, 7}), 0.03f, 131);
  output(added(x, y));
  leaves("fuse-byte-function");
}

TEST_P(QuantizedBlocks, ScalesOfChannelsMakeNoTable) {
  const ValueId x = quantized(input("x", {kBatch, 7}), 0.03f, 131);
  const ValueId scales = weights({7});
  Tensor points(GetParam(), {7});
  std::fill_n(static_cast<uint8_t*>(points.mutable_raw()), 7, uint8_t{3});
  output(quantized(op("DequantizeLinear", {x, scales, constant(points)}, {{"axis", int64_t{1}}}), 0.03f, 131));
  leaves("fuse-byte-function");
}

TEST_P(QuantizedBlocks, WeightsWithOtherZeroPointsStayPlain) {
  const ValueId x = image(16);
  const ValueId w = constant(Tensor(DType::kInt8, {16, 16, 3, 3}));
  const ValueId y = op("QLinearConv", {x, number(0.03f), zero(131), w, number(0.002f),
                                       constant(Tensor::scalar<int8_t>(1)), number(0.03f), zero(131)});
  output_float(y);
  leaves("block-channels");
}

INSTANTIATE_TEST_SUITE_P(Types, QuantizedBlocks, testing::Values(DType::kUint8, DType::kInt8),
                         [](const auto& info) { return std::string(base::dtype_name(info.param)); });

}  // namespace
}  // namespace onnxrun::optimize

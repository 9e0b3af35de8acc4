// The passes that keep regions of convolutions on blocked channels.
#include <cmath>
#include <limits>

#include "cpu/kernels/blocked.h"
#include "cpu/loops/block_convolution.h"
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::ValueId;
using Ints = std::vector<int64_t>;

const Dim kBatch = Dim::symbol("batch");

class BlockedChannels : public PassTest {
 protected:
  void SetUp() override {
    if (cpu::onednn_block() == 0 && cpu::block_convolution_functions().block == 0)
      GTEST_SKIP() << "no kernels on blocked channels in this build at this instruction set level";
  }
  ValueId convolution(ValueId x, int64_t from, int64_t to, int64_t kernel = 3, int64_t groups = 1) {
    const Ints pads(4, kernel / 2);
    // Keeps the size of values: what is left of large ones that cancel would be rounding errors for the most part.
    const float size = 1 / std::sqrt(static_cast<float>(from / groups * kernel * kernel));
    return op("Conv", {x, weights({to, from / groups, kernel, kernel}, size), weights({to})},
              {{"pads", pads}, {"group", groups}});
  }
  ValueId image(int64_t channels) { return input("x", {kBatch, channels, 12, 10}); }
};

TEST_F(BlockedChannels, ARegionIsMovedOnlyAtItsBorders) {
  const ValueId x = op("Relu", {convolution(image(3), 3, 32)});
  const ValueId pooled =
      op("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"storage_order", int64_t{0}}});
  const ValueId y = op("Add", {convolution(op("Relu", {convolution(pooled, 32, 32)}), 32, 32), pooled});
  output(op("Flatten", {op("GlobalAveragePool", {op("AveragePool", {y}, {{"kernel_shape", Ints{2, 2}}})})}));
  rewrites("block-channels",
           "BlockedConv Relu BlockedMaxPool BlockedConv Relu BlockedConv Add BlockedAveragePool "
           "BlockedGlobalAveragePool FromBlocked Flatten",
           1e-4);
  rewrites("fuse-into-blocked-convolution",
           "BlockedConv BlockedMaxPool BlockedConv BlockedConv BlockedAveragePool BlockedGlobalAveragePool FromBlocked "
           "Flatten",
           1e-4);
}

TEST_F(BlockedChannels, ABiasOfUnknownRankIsAskedForAsItIs) {
  const ir::Attributes to_half = {{"to", static_cast<int64_t>(ir::DType::kFloat16)}};
  const auto filled = [&](base::Dims dims, float value) {
    base::Tensor tensor(ir::DType::kFloat16, std::move(dims));
    std::fill_n(tensor.mutable_data<base::Float16>(), tensor.count(), base::Float16(value));
    return constant(std::move(tensor));
  };
  // The only index of a 1 among 33, as a shape.
  std::vector<float> last(33);
  last[32] = 1;
  const ValueId marks = op("Add", {op("Mul", {input("marks", {33}), number(0)}),
                                   constant(base::Tensor::vector<float>(std::span<const float>(last)))});
  const ValueId shape = op("Squeeze", {op("NonZero", {marks}), ints({0})});
  const ValueId bias = op("Reshape", {op("Cast", {input("bias", {32})}, to_half), shape});
  ASSERT_EQ(graph_.value(bias).fact.rank(), -1);
  const ir::Attributes pads = {{"pads", Ints{1, 1, 1, 1}}};
  const ValueId x = op("Conv", {op("Cast", {image(32)}, to_half), filled({32, 32, 3, 3}, 0.01f), bias}, pads);
  const ValueId y = op("Conv", {op("Relu", {x}), filled({32, 32, 3, 3}, 0.01f)}, pads);
  output(op("Cast", {y}, {{"to", static_cast<int64_t>(ir::DType::kFloat32)}}));
  rewrites("block-channels",
           "Mul Add NonZero Squeeze Cast Reshape Cast Cast ToBlocked Cast BlockedConv Relu BlockedConv FromBlocked "
           "Cast Cast",
           1e-2);
}

TEST_F(BlockedChannels, AConvolutionByItselfStays) {
  output(convolution(image(32), 32, 32));
  leaves("block-channels");
}

TEST_F(BlockedChannels, AConvolutionBetweenOthersStays) {
  const ValueId x = op("Softmax", {image(32)}, {{"axis", int64_t{1}}});
  output(op("Softmax", {convolution(x, 32, 32)}, {{"axis", int64_t{1}}}));
  leaves("block-channels");
}

TEST_F(BlockedChannels, ChannelsThatFillNoBlockAreGatedAndAdded) {
  const ValueId x = op("HardSwish", {convolution(image(20), 20, 20)});
  ValueId gate = op("ReduceMean", {x, ints({-1, 2})});
  gate = op("Relu", {convolution(gate, 20, 12, 1)});
  gate = op("HardSigmoid", {convolution(gate, 12, 20, 1)});
  const ValueId y = convolution(op("Mul", {gate, x}), 20, 20, 3, 20);
  output(convolution(op("Add", {y, x}), 20, 7, 1));
  rewrites("block-channels",
           "ToBlocked BlockedConv HardSwish BlockedGlobalAveragePool BlockedConv Relu BlockedConv HardSigmoid Mul "
           "BlockedConv Add BlockedConv FromBlocked",
           1e-4);
  rewrites(
      "fuse-into-blocked-convolution",
      "ToBlocked BlockedConv BlockedGlobalAveragePool BlockedConv BlockedConv Mul BlockedConv BlockedConv FromBlocked",
      1e-4);
}

TEST_F(BlockedChannels, ConstantsOfChannelsAreBlockedToo) {
  const ValueId x = op("Sigmoid", {convolution(image(24), 24, 40)});
  const ValueId y = op("Mul", {op("Mul", {x, weights({40, 1, 1})}), weights({1, 40, 1, 1})});
  output(convolution(y, 40, 24));
  rewrites("block-channels", "ToBlocked BlockedConv Sigmoid Mul Mul BlockedConv FromBlocked", 1e-4);
}

TEST_F(BlockedChannels, LanesThatCouldGrowStayPlain) {
  const ValueId x = op("Sigmoid", {convolution(image(20), 20, 20)});
  const ValueId y = op("Mul", {op("Add", {x, number(3)}), number(1e3f)});
  output(convolution(y, 20, 20));
  rewrites("block-channels", "ToBlocked BlockedConv Sigmoid FromBlocked Add Mul Conv", 1e-4);
}

TEST_F(BlockedChannels, NeighboursRespondInBlocks) {
  const ir::Attributes five{{"size", int64_t{5}}};
  output(convolution(op("LRN", {convolution(image(20), 20, 20)}, five), 20, 20));
  rewrites("block-channels", "ToBlocked BlockedConv BlockedLRN BlockedConv FromBlocked", 1e-3);
}

TEST_F(BlockedChannels, NeighboursNeedLanesOfZero) {
  const ValueId x = op("Sigmoid", {convolution(image(20), 20, 20)});
  output(convolution(op("LRN", {x}, {{"size", int64_t{5}}}), 20, 20));
  rewrites("block-channels", "ToBlocked BlockedConv Sigmoid FromBlocked LRN Conv", 1e-4);
}

TEST_F(BlockedChannels, InfiniteFactorsStayPlain) {
  const ir::Attributes steep = {{"alpha", std::numeric_limits<float>::infinity()}};
  const ValueId x = op("Swish", {convolution(convolution(image(20), 20, 20), 20, 20)}, steep);
  output(convolution(op("LRN", {x}, {{"size", int64_t{5}}}), 20, 20));
  rewrites("block-channels", "ToBlocked BlockedConv BlockedConv FromBlocked Swish LRN Conv", 1e-4);
}

TEST_F(BlockedChannels, NumbersAreAddedWhereBlocksAreFull) {
  const ValueId y = op("Add", {op("Sigmoid", {convolution(image(32), 32, 32)}), number(3)});
  output(convolution(y, 32, 32));
  rewrites("block-channels", "ToBlocked BlockedConv Sigmoid Add BlockedConv FromBlocked", 1e-4);
}

TEST_F(BlockedChannels, ConcatOfFullBlocks) {
  const ValueId x = image(32), a = convolution(x, 32, 16, 1), b = convolution(x, 32, 36);
  output(convolution(op("Concat", {a, b}, {{"axis", int64_t{-3}}}), 52, 32));
  rewrites("block-channels", "ToBlocked BlockedConv BlockedConv Concat BlockedConv FromBlocked", 1e-4);
}

TEST_F(BlockedChannels, ConcatOfPartOfABlockIsABorder) {
  const ValueId x = image(32), a = convolution(convolution(x, 32, 64), 64, 20),
                b = convolution(convolution(x, 32, 64), 64, 20);
  output(convolution(op("Concat", {a, b}, {{"axis", int64_t{1}}}), 40, 32));
  rewrites("block-channels",
           "ToBlocked BlockedConv BlockedConv BlockedConv BlockedConv FromBlocked FromBlocked Concat Conv", 1e-4);
}

TEST_F(BlockedChannels, ValuesReadElsewhereAreMovedOnce) {
  const ValueId x = op("Relu", {convolution(image(32), 32, 32)});
  output(x);
  output(op("Softmax", {x}, {{"axis", int64_t{1}}}));
  output(convolution(convolution(x, 32, 64), 64, 32));
  rewrites("block-channels", "ToBlocked BlockedConv Relu BlockedConv BlockedConv FromBlocked Softmax FromBlocked",
           1e-4);
}

TEST_F(BlockedChannels, SizesMayBeSymbols) {
  const ValueId x = input("x", {kBatch, 16, Dim::symbol("height"), Dim::symbol("width")});
  output(convolution(op("Clip", {convolution(x, 16, 20), number(0), number(6)}), 20, 16));
  rewrites("block-channels", "ToBlocked BlockedConv Clip BlockedConv FromBlocked", 1e-4);
  rewrites("fuse-into-blocked-convolution", "ToBlocked BlockedConv BlockedConv FromBlocked", 1e-4);
}

TEST_F(BlockedChannels, NormalizationsBecomeFactorsAndShifts) {
  const ValueId x = convolution(image(32), 32, 24);
  const ValueId pooled = op("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}});
  const ValueId y = op("BatchNormalization", {pooled, weights({24}), weights({24}), weights({24}), weights({24})});
  output(convolution(op("Relu", {y}), 24, 32));
  rewrites("block-channels", "ToBlocked BlockedConv BlockedMaxPool BlockedAffine Relu BlockedConv FromBlocked", 1e-4);
  rewrites("fuse-into-blocked-convolution",
           "ToBlocked BlockedConv BlockedMaxPool BlockedAffine BlockedConv FromBlocked", 1e-4);
}

TEST_F(BlockedChannels, ImagesAreResizedInBlocks) {
  const ValueId x = convolution(image(32), 32, 20);
  const ValueId scales = constant(base::Tensor::vector<float>({1, 1, 2, 2.5f}));
  const ValueId larger = op("Resize", {x, ir::kNone, scales}, {{"mode", std::string("linear")}});
  const ValueId y = convolution(larger, 20, 16);
  output(convolution(op("Resize", {y, ir::kNone, ir::kNone, ints({9, 7})}, {{"axes", Ints{2, -1}}}), 16, 32));
  rewrites("block-channels", "ToBlocked BlockedConv Resize BlockedConv Resize BlockedConv FromBlocked", 1e-3);
}

TEST_F(BlockedChannels, ChannelsThatAreResizedStay) {
  const ValueId x = convolution(image(32), 32, 32);
  const ValueId scales = constant(base::Tensor::vector<float>({1, 0.5f, 1, 1}));
  output(convolution(op("Resize", {x, ir::kNone, scales}), 16, 32));
  leaves("block-channels");
}

TEST_F(BlockedChannels, WeightsThatAreNoConstantsStay) {
  const ValueId x = image(32);
  output(op("Conv", {op("Conv", {x, input("w", {32, 32, 1, 1})}), input("v", {32, 32, 1, 1})}));
  leaves("block-channels");
}

TEST_F(BlockedChannels, ABoundThatExcludesZeroIsNotTaken) {
  const ValueId x = op("Clip", {convolution(image(32), 32, 32), number(0.5f), number(6)});
  output(convolution(x, 32, 32));
  rewrites("block-channels", "ToBlocked BlockedConv Clip BlockedConv FromBlocked", 1e-4);
  leaves("fuse-into-blocked-convolution");
}

}  // namespace
}  // namespace onnxrun::optimize

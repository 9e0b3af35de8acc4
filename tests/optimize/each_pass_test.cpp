// Every pass has tests of what it makes of a graph and of what it must leave: checked in the tests' sources; here are those that no other file has.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "optimize/pass_test.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::Dim;
using ir::ValueId;
using Ints = std::vector<int64_t>;

const Dim kBatch = Dim::symbol("batch");

class EachPass : public PassTest {
 protected:
  ValueId quantized(ValueId x, float scale, uint8_t zero) {
    return op("QuantizeLinear", {x, number(scale), constant(Tensor::scalar(zero))});
  }
  ValueId dequantized(ValueId x, float scale, uint8_t zero) {
    return op("DequantizeLinear", {x, number(scale), constant(Tensor::scalar(zero))});
  }
  ValueId narrow_weights(base::Dims dims) {
    Tensor codes(base::DType::kInt8, std::move(dims));
    for (int64_t i = 0; i < codes.count(); ++i)
      codes.mutable_data<int8_t>()[i] = static_cast<int8_t>(i * 37 % 251 - 125);
    return op("DequantizeLinear", {constant(std::move(codes)), number(0.01f), constant(Tensor::scalar<int8_t>(0))});
  }
};

TEST(PassTests, EachPassHasOneOfWhatItMakesAndOneOfWhatItLeaves) {
  std::string text;
  for (const char* folder : {"optimize", "integration"})
    for (const auto& file : std::filesystem::directory_iterator(std::string(ONNXRUN_TEST_DATA) + "/../" + folder))
      if (file.path().extension() == ".cpp") {
        std::ifstream stream(file.path());
        text.append(std::istreambuf_iterator<char>(stream), {});
      }
  std::set<std::string> made, left;
  const std::regex call("(rewrites|leaves)\\([^;\"]*\"([a-z0-9-]+)\"");
  for (std::sregex_iterator it(text.begin(), text.end(), call), end; it != end; ++it)
    ((*it)[1] == "rewrites" ? made : left).insert((*it)[2]);
  ASSERT_GT(made.size(), 10u) << "no tests are found";
  for (const Pass& pass : pipeline()) {
    EXPECT_TRUE(made.contains(pass.name)) << pass.name << ": no test says what it makes of a graph";
    EXPECT_TRUE(left.contains(pass.name)) << pass.name << ": no test says what it must leave";
  }
}

TEST_F(EachPass, DeadNodes) {
  const ValueId x = input("x", {kBatch, 4});
  op("Neg", {op("Abs", {x})});
  output(op("Relu", {x}));
  rewrites("eliminate-dead", "Relu", 0);
}

TEST_F(EachPass, NodesOfWhichOneResultIsReadLive) {
  const ValueId x = input("x", {4, kBatch});
  output(op_many("Split", {x, ints({1, 3})}, 2)[1]);
  leaves("eliminate-dead");
}

TEST_F(EachPass, Identities) {
  output(op("Neg", {op("Identity", {op("Identity", {input("x", {kBatch, 4})})})}));
  rewrites("eliminate-identity", "Neg", 0);
}

TEST_F(EachPass, AnIdentityThatNamesAnInputAnOutputStays) {
  output(op("Identity", {input("x", {kBatch, 4})}));
  leaves("eliminate-identity");
}

TEST_F(EachPass, AReluThatQuantizationRepeats) {
  output(quantized(op("Relu", {input("x", {kBatch, 4})}), 0.05f, 0));
  rewrites("drop-relu-before-quantize", "QuantizeLinear", 0);
}

TEST_F(EachPass, AReluBeforeNegativeCodesStays) {
  output(quantized(op("Relu", {input("x", {kBatch, 4})}), 0.05f, 100));
  leaves("drop-relu-before-quantize");
}

TEST_F(EachPass, AProductBetweenQuantizations) {
  const ValueId x = dequantized(quantized(input("x", {kBatch, 8}), 0.04f, 128), 0.04f, 128);
  output(dequantized(quantized(op("MatMul", {x, narrow_weights({8, 5})}), 0.1f, 120), 0.1f, 120));
  rewrites("fuse-quantized", "QuantizeLinear QLinearMatMul DequantizeLinear", 0.11);
}

TEST_F(EachPass, AFunctionWithoutAnIntegerFormStaysBetweenQuantizations) {
  const ValueId x = dequantized(quantized(input("x", {kBatch, 8}), 0.04f, 128), 0.04f, 128);
  output(dequantized(quantized(op("Sin", {x}), 0.01f, 120), 0.01f, 120));
  leaves("fuse-quantized", 0.011);
}

TEST_F(EachPass, AProductOfDequantizedValues) {
  const ValueId x = dequantized(quantized(input("x", {kBatch, 8}), 0.04f, 128), 0.04f, 128);
  output(op("MatMul", {x, narrow_weights({8, 5})}));
  rewrites("fuse-dequantized-product", "QuantizeLinear MatMulIntegerToFloat", 1e-4);
}

TEST_F(EachPass, AProductWithComputedFloatsStays) {
  const ValueId x = dequantized(quantized(input("x", {kBatch, 8}), 0.04f, 128), 0.04f, 128);
  output(op("MatMul", {x, input("w", {8, 5})}));
  leaves("fuse-dequantized-product", 1e-4);
}

TEST_F(EachPass, AnIntegerProductThatIsReadAsIntegersStays) {
  const ValueId x = quantized(input("x", {kBatch, 8}), 0.04f, 128);
  Tensor codes(base::DType::kInt8, {8, 5});
  std::fill_n(codes.mutable_data<int8_t>(), codes.count(), int8_t{3});
  const ValueId sums = op("MatMulInteger", {x, constant(std::move(codes)), constant(Tensor::scalar<uint8_t>(128))});
  output(op("Mul", {op("Cast", {sums}, {{"to", int64_t{1}}}), number(0.5f)}));
  output(sums);
  leaves("fuse-integer-product");
}

TEST_F(EachPass, ASumOfThreeStays) {
  output(op("Sum", {input("x", {kBatch, 4}), input("y", {kBatch, 4}), input("z", {4})}));
  leaves("simplify-sum");
}

TEST_F(EachPass, TransposesWithOthersBetweenAreNotMerged) {
  const ValueId x = op("Transpose", {input("x", {kBatch, 4, 5})}, {{"perm", Ints{1, 0, 2}}});
  output(op("Transpose", {op("CumSum", {x, ints({0})})}, {{"perm", Ints{0, 2, 1}}}));
  leaves("merge-transposes");
}

TEST_F(EachPass, ShapesThatMayDifferAreComputedEach) {
  const ValueId z = input("z", {1});
  output(op("Expand", {z, op("Shape", {input("x", {kBatch, 4})})}));
  output(op("Expand", {z, op("Shape", {input("y", {Dim::symbol("other"), 4})})}));
  leaves("share-equal-shapes");
}

TEST_F(EachPass, AColumnAfterANormalizationStays) {
  const ValueId x = input("x", {kBatch, 8, 8});
  output(op("Mul", {op("LayerNormalization", {x, weights({8})}), weights({8, 1})}));
  leaves("fuse-normalization-scale");
}

TEST_F(EachPass, AClippedLineThatDoesNotEndAtOneIsNoHardSigmoid) {
  const ValueId x = op("Add", {input("x", {kBatch, 4}), number(3)});
  output(op("Div", {op("Clip", {x, number(0), number(6)}), number(5)}));
  leaves("fuse-hard-sigmoid");
}

TEST_F(EachPass, AConstantThatIsReadStays) {
  output(op("Add", {input("x", {kBatch, 4}), weights({4})}));
  leaves("eliminate-unused-initializers");
}

}  // namespace
}  // namespace onnxrun::optimize

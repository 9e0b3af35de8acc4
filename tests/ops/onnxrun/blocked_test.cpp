// Operators on blocked channels: their kernels give what their decompositions into ONNX's operators give.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

Tensor drawn(const Dims& dims, uint32_t seed) {
  Tensor tensor(DType::kFloat32, dims);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    tensor.mutable_data<float>()[i] = static_cast<float>(seed >> 8) * 0x1p-22f - 2.0f;
  }
  return tensor;
}

Tensor to_blocked(const Tensor& x, int64_t block) {
  return run_op({.op = "ToBlocked", .domain = "onnxrun", .attributes = {{"block", block}}, .inputs = {x}})[0];
}

OpCase convolution(int64_t block, Dims x, Dims w, ir::Attributes attributes) {
  attributes.set("block", block);
  return {.op = "BlockedConv",
          .domain = "onnxrun",
          .attributes = std::move(attributes),
          .inputs = {to_blocked(drawn(x, 1), block), drawn(w, 2)},
          .constant = {false, true}};
}

// The size of this machine's blocks; 0 where the build has no kernels for them.
int64_t machine_block() {
  for (const int64_t block : {16, 8}) {
    try {
      run_op(convolution(block, {1, 16, 4, 4}, {16, 16, 1, 1}, {}));
      return block;
    } catch (const base::Error& error) {
      if (error.code() != base::Code::kUnsupported) throw;
    }
  }
  return 0;
}

void expect_same_as_composed(OpCase test, double tolerance, const std::string& what) {
  const Tensor direct = run_op(test)[0];
  test.decomposed = true;
  const Tensor composed = run_op(test)[0];
  ASSERT_EQ(direct.dims(), composed.dims()) << what;
  for (int64_t i = 0; i < direct.count(); ++i) {
    const double a = static_cast<double>(direct.data<float>()[i]), b = static_cast<double>(composed.data<float>()[i]);
    if (std::isnan(a) && std::isnan(b)) continue;
    if (a == b) continue;
    ASSERT_LE(std::fabs(a - b), tolerance * std::fmax(1.0, std::fabs(b))) << what << " at element " << i;
  }
}

class Blocked : public testing::Test {
 protected:
  void SetUp() override {
    if (block_ == 0) GTEST_SKIP() << "no kernels on blocked channels in this build";
  }
  const int64_t block_ = machine_block();
};

TEST_F(Blocked, MovingThereAndBack) {
  for (const Dims& dims :
       {Dims{2, 20, 5, 7}, Dims{1, 32, 9}, Dims{1, 3, 2, 3, 4}, Dims{1, 40, 70, 70}, Dims{0, 8, 3, 3}}) {
    const OpCase there{
        .op = "ToBlocked", .domain = "onnxrun", .attributes = {{"block", block_}}, .inputs = {drawn(dims, 3)}};
    expect_same_as_composed(there, 0, base::to_string(dims));
    const OpCase back{
        .op = "FromBlocked", .domain = "onnxrun", .attributes = {{"channels", dims[1]}}, .inputs = {run_op(there)[0]}};
    expect_same_as_composed(back, 0, base::to_string(dims));
    const Tensor again = run_op(back)[0];
    ASSERT_EQ(again.dims(), dims);
    EXPECT_EQ(std::memcmp(again.raw(), there.inputs[0].raw(), again.bytes()), 0) << base::to_string(dims);
  }
}

struct Window {
  Dims x, w;
  ir::Attributes attributes;
};

std::vector<Window> windows() {
  using Ints = std::vector<int64_t>;
  return {{{1, 24, 13, 11}, {40, 24, 1, 1}, {}},
          {{2, 24, 13, 11}, {40, 24, 1, 1}, {{"strides", Ints{2, 2}}}},
          {{1, 33, 14, 14}, {47, 33, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}}},
          {{1, 33, 14, 14}, {47, 33, 3, 3}, {{"pads", Ints{2, 0, 2, 1}}, {"dilations", Ints{2, 2}}}},
          {{1, 20, 14, 14}, {20, 1, 3, 3}, {{"pads", Ints{1, 1, 1, 1}}, {"group", int64_t{20}}}},
          {{2, 24, 15, 15}, {24, 1, 5, 5}, {{"auto_pad", std::string("SAME_UPPER")}, {"group", int64_t{24}}}},
          {{1, 64, 9, 9}, {96, 32, 3, 3}, {{"group", int64_t{2}}}},
          {{1, 20, 50}, {30, 20, 3}, {{"strides", Ints{2}}, {"pads", Ints{1, 1}}}},
          {{1, 16, 6, 7, 8}, {32, 16, 3, 3, 3}, {{"pads", Ints{1, 1, 1, 1, 1, 1}}}}};
}

TEST_F(Blocked, ConvolutionsWithWhatTheyEndIn) {
  uint32_t seed = 10;
  for (const Window& window : windows())
    for (const bool biased : {false, true})
      for (const bool adds : {false, true})
        for (const char* activation : {"", "Relu", "HardSwish"}) {
          ir::Attributes attributes = window.attributes;
          if (*activation != '\0') attributes.set("activation", std::string(activation));
          OpCase test = convolution(block_, window.x, window.w, attributes);
          if (biased || adds) test.inputs.push_back(biased ? drawn({window.w[0]}, ++seed) : Tensor());
          if (adds) test.inputs.push_back(drawn(run_op(test)[0].dims(), ++seed));
          // Lanes beyond the last channel are zero in what is added, too.
          if (adds) {
            Dims plain = test.inputs[3].dims();
            plain.pop_back();
            plain[1] = window.w[0];
            test.inputs[3] = to_blocked(drawn(plain, ++seed), block_);
          }
          expect_same_as_composed(test, 1e-4,
                                  base::to_string(window.x) + " with " + base::to_string(window.w) + " " + activation);
        }
}

TEST_F(Blocked, ConvolutionsOfPlainImages) {
  const Dims w{20, 3, 3, 3};
  OpCase test = convolution(block_, {2, 16, 9, 12}, {16, 16, 1, 1}, {{"strides", std::vector<int64_t>{2, 2}}});
  test.inputs = {drawn({2, 3, 9, 12}, 5), drawn(w, 6), drawn({20}, 7)};
  expect_same_as_composed(test, 2e-5, "a plain image");
}

TEST_F(Blocked, Activations) {
  struct Case {
    std::string name;
    std::vector<float> parameters;
  };
  for (const Case& c : {Case{"Relu", {}}, Case{"LeakyRelu", {0.3f}}, Case{"Clip", {-1.0f, 2.5f}}, Case{"Elu", {1.5f}},
                        Case{"Sigmoid", {}}, Case{"HardSigmoid", {0.3f, 0.4f}}, Case{"HardSwish", {}},
                        Case{"Swish", {1.5f}}, Case{"Mish", {}}, Case{"Tanh", {}}, Case{"Gelu", {}}}) {
    ir::Attributes attributes{{"activation", c.name}};
    if (!c.parameters.empty()) attributes.set("activation_params", c.parameters);
    OpCase test = convolution(block_, {1, 20, 9, 9}, {20, 20, 1, 1}, attributes);
    expect_same_as_composed(test, 2e-5, c.name);
    // Far out, and not a number: each output is its own input.
    Tensor identity(DType::kFloat32, {20, 20, 1, 1});
    for (int64_t i = 0; i < 400; ++i) identity.mutable_data<float>()[i] = i % 21 == 0 ? 1.0f : 0.0f;
    Tensor x = drawn({1, 20, 3, 3}, 4);
    float* first = x.mutable_data<float>();
    for (const float value : {-1e4f, 1e4f, -100.0f, 100.0f, -30.0f, 30.0f, -1e-20f, 1e-20f, -0.0f}) *first++ = value;
    test.inputs = {to_blocked(x, block_), identity};
    expect_same_as_composed(test, 2e-6, c.name + " far out");
  }
}

TEST_F(Blocked, WhatIsNoNumberStaysNone) {
  for (const char* activation : {"", "Relu", "Clip", "HardSwish", "Sigmoid"}) {
    OpCase test = convolution(block_, {1, 16, 4, 4}, {16, 16, 1, 1}, {});
    if (*activation != '\0') test.attributes.set("activation", std::string(activation));
    if (std::string(activation) == "Clip") test.attributes.set("activation_params", std::vector<float>{-1.0f, 1.0f});
    test.inputs[0].mutable_data<float>()[block_ * 5 + 3] = std::numeric_limits<float>::quiet_NaN();
    expect_same_as_composed(test, 2e-5, activation);
  }
}

TEST_F(Blocked, Pools) {
  using Ints = std::vector<int64_t>;
  for (const char* op : {"BlockedMaxPool", "BlockedAveragePool"})
    for (const Dims& dims : {Dims{2, 20, 9, 10}, Dims{1, 32, 11}, Dims{1, 16, 5, 6, 7}}) {
      const size_t axes = dims.size() - 2;
      ir::Attributes attributes{
          {"kernel_shape", Ints(axes, 3)}, {"strides", Ints(axes, 2)}, {"pads", Ints(2 * axes, 1)}};
      for (const int64_t option : {0, 1}) {
        attributes.set(std::string(op) == "BlockedMaxPool" ? "ceil_mode" : "count_include_pad", option);
        expect_same_as_composed(
            {.op = op, .domain = "onnxrun", .attributes = attributes, .inputs = {to_blocked(drawn(dims, 8), block_)}},
            1e-6, op + base::to_string(dims));
      }
    }
  for (const Dims& dims : {Dims{2, 20, 9, 10}, Dims{1, 32, 11}, Dims{1, 16, 5, 6, 7}})
    expect_same_as_composed(
        {.op = "BlockedGlobalAveragePool", .domain = "onnxrun", .inputs = {to_blocked(drawn(dims, 9), block_)}}, 1e-6,
        base::to_string(dims));
}

TEST_F(Blocked, ResponsesOfNeighbours) {
  for (const Dims& dims : {Dims{2, 20, 9, 10}, Dims{1, 32, 11}, Dims{1, 3, 5, 6}, Dims{1, 64, 13, 11}})
    for (const int64_t size : {1, 2, 5, 32, 101})
      expect_same_as_composed({.op = "BlockedLRN",
                               .domain = "onnxrun",
                               .attributes = {{"size", size}, {"alpha", 0.3f}, {"bias", 2.0f}},
                               .inputs = {to_blocked(drawn(dims, 10), block_)}},
                              1e-5, base::to_string(dims) + " window " + std::to_string(size));
}

TEST_F(Blocked, FactorsAndShiftsOfChannels) {
  for (const int64_t block : {8, 16, 48})
    for (const Dims& dims : {Dims{2, 20, 9, 10}, Dims{1, 48, 7}, Dims{1, 5, 90, 70}})
      for (const char* activation : {"", "Relu", "Sigmoid", "Swish"}) {
        OpCase test{.op = "BlockedAffine",
                    .domain = "onnxrun",
                    .inputs = {to_blocked(drawn(dims, 3), block), drawn({dims[1]}, 4), drawn({dims[1]}, 5)}};
        if (*activation != '\0') test.attributes.set("activation", std::string(activation));
        expect_same_as_composed(test, 1e-5, base::to_string(dims) + " " + activation);
      }
}

TEST_F(Blocked, ShapesThatDoNotFitAreRefused) {
  const auto fails = [](const OpCase& test, const char* part) {
    try {
      run_op(test);
      ADD_FAILURE() << "expected an error with '" << part << "'";
    } catch (const base::Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  OpCase test = convolution(block_, {1, 48, 4, 4}, {16, 16, 1, 1}, {});
  fails(test, "blocks of channels");
  test = convolution(block_, {1, 16, 4, 4}, {16, 16, 1, 1}, {});
  test.attributes.set("block", int64_t{0});
  fails(test, "attribute 'block'");
  test = convolution(block_, {1, 16, 4, 4}, {16, 16, 1, 1}, {});
  test.inputs.push_back({});
  test.inputs.push_back(drawn({1, 1, 3, 4, block_}, 3));
  fails(test, "input 'Z'");
  fails({.op = "BlockedAffine",
         .domain = "onnxrun",
         .inputs = {drawn({1, 2, 3, 4, block_}, 3), drawn({3 * block_}, 4), drawn({3 * block_}, 5)}},
        "'scale'");
  fails({.op = "FromBlocked",
         .domain = "onnxrun",
         .attributes = {{"channels", int64_t{100}}},
         .inputs = {to_blocked(drawn({1, 16, 2, 2}, 1), block_)}},
        "blocks of channels");
}

}  // namespace
}  // namespace onnxrun::ops

// The packed kernels of RNN, GRU and LSTM against the plain ones in float64, in all their variants.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::Tensor;

struct Variant {
  const char* op;
  int64_t gates;
  ir::Attributes attributes;
  int64_t directions;
  bool lengths, states, peepholes, constant, batch_first;
};

struct Values {
  std::vector<float> data;
  Dims dims;
  template <class T>
  Tensor as() const {
    std::vector<T> elements;
    for (float value : data) elements.push_back(static_cast<T>(value));
    return tensor<T>(std::move(elements), dims);
  }
  Tensor as_double() const { return tensor<double>({data.begin(), data.end()}, dims); }
};

// In element type T, whose values are given to both.
template <class T>
void check_type(const Variant& v, double tolerance) {
  constexpr int64_t kSeq = 5, kBatch = 8, kInput = 3, kHidden = 19;
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 0.5f);
  const auto draw = [&](Dims dims) {
    Values values{{}, dims};
    for (int64_t i = 0; i < base::element_count(dims); ++i)
      values.data.push_back(static_cast<float>(static_cast<T>(normal(random))));
    return values;
  };
  const int64_t d = v.directions, g = v.gates;
  const Dims state = v.batch_first ? Dims{kBatch, d, kHidden} : Dims{d, kBatch, kHidden};
  const std::vector<Values> drawn = {draw(v.batch_first ? Dims{kBatch, kSeq, kInput} : Dims{kSeq, kBatch, kInput}),
                                     draw({d, g * kHidden, kInput}), draw({d, g * kHidden, kHidden}),
                                     draw({d, 2 * g * kHidden})};
  const Values h = draw(state), c = draw(state), p = draw({d, 3 * kHidden});
  const Tensor lengths = tensor<int32_t>({5, 1, 3, 0, 2, 5, 4, 5}, {kBatch});
  const auto run = [&](bool wide) {
    const auto put = [&](const Values& values) { return wide ? values.as_double() : values.as<T>(); };
    OpCase test{.op = v.op, .attributes = v.attributes, .outputs = g == 4 ? size_t{3} : size_t{2}};
    for (const Values& values : drawn) test.inputs.push_back(put(values));
    test.inputs.push_back(v.lengths ? lengths : Tensor());
    test.inputs.push_back(v.states ? put(h) : Tensor());
    if (g == 4) {
      test.inputs.push_back(v.states ? put(c) : Tensor());
      test.inputs.push_back(v.peepholes ? put(p) : Tensor());
    }
    while (!test.inputs.back()) test.inputs.pop_back();
    if (v.constant) test.constant = {false, true, true, true, false, false, false, true};
    return run_op(test);
  };
  const std::vector<Tensor> fast = run(false), plain = run(true);
  ASSERT_EQ(fast.size(), plain.size());
  for (size_t i = 0; i < fast.size(); ++i) {
    ASSERT_EQ(fast[i].dims(), plain[i].dims());
    for (int64_t k = 0; k < fast[i].count(); ++k)
      ASSERT_NEAR(static_cast<double>(static_cast<float>(fast[i].data<T>()[k])), plain[i].data<double>()[k], tolerance)
          << "output " << i << " at " << k;
  }
}

void check(const Variant& v) {
  check_type<float>(v, 3e-6);
  check_type<base::Float16>(v, 0x1p-10);
  check_type<base::Bfloat16>(v, 0x1p-7);
}

TEST(Recurrent, PackedKernelsAgreeWithTheEquations) {
  const ir::Attributes forward, backward = {{"direction", std::string("reverse")}},
                                both = {{"direction", std::string("bidirectional")}};
  for (bool constant : {false, true}) {
    check({"RNN", 1, forward, 1, false, true, false, constant, false});
    check({"RNN", 1, both, 2, true, false, false, constant, false});
    check({"GRU", 3, backward, 1, true, true, false, constant, false});
    check({"GRU",
           3,
           {{"direction", std::string("bidirectional")}, {"linear_before_reset", int64_t{1}}},
           2,
           true,
           true,
           false,
           constant,
           false});
    check({"LSTM", 4, forward, 1, false, false, false, constant, false});
    check({"LSTM", 4, both, 2, true, true, true, constant, false});
    check({"LSTM",
           4,
           {{"layout", int64_t{1}}, {"direction", std::string("reverse")}},
           1,
           true,
           true,
           true,
           constant,
           true});
  }
}

TEST(Recurrent, ClipInputForgetAndActivations) {
  check({"LSTM", 4, {{"clip", 0.3f}, {"input_forget", int64_t{1}}}, 1, false, true, true, false, false});
  check({"LSTM",
         4,
         {{"activations", std::vector<std::string>{"HardSigmoid", "Softsign", "Affine"}},
          {"activation_alpha", std::vector<float>{0.3f, 0.5f}},
          {"activation_beta", std::vector<float>{0.4f, 0.1f}}},
         1,
         false,
         true,
         false,
         false,
         false});
  check({"GRU",
         3,
         {{"activations", std::vector<std::string>{"sigmoid", "LeakyRelu"}}, {"layout", int64_t{1}}},
         1,
         true,
         true,
         false,
         false,
         true});
}

TEST(Recurrent, ActivationParametersGoToThoseThatHaveThem) {
  // One unit, no recurrence: Y = 0.5 x + 2.
  const auto out = run_op(
      {.op = "RNN",
       .attributes = {{"activations", std::vector<std::string>{"Affine"}},
                      {"activation_alpha", std::vector<float>{0.5f}},
                      {"activation_beta", std::vector<float>{2.0f}}},
       .inputs = {tensor<float>({3, 4}, {2, 1, 1}), tensor<float>({1}, {1, 1, 1}), tensor<float>({0}, {1, 1, 1})},
       .outputs = 2});
  EXPECT_EQ(values<float>(out[0]), (std::vector<float>{3.5f, 4.0f}));
  EXPECT_EQ(values<float>(out[1]), (std::vector<float>{4.0f}));
}

TEST(Recurrent, RefusesWhatDoesNotFit) {
  const Tensor x = tensor<float>({1, 2}, {2, 1, 1}), w = tensor<float>({1}, {1, 1, 1}),
               wide = tensor<float>({1, 2}, {1, 1, 2});
  EXPECT_THROW(run_op({.op = "RNN", .inputs = {x, wide, w}}), base::Error);
  EXPECT_THROW(
      run_op({.op = "RNN", .attributes = {{"activations", std::vector<std::string>{"Tan"}}}, .inputs = {x, w, w}}),
      base::Error);
  EXPECT_THROW(run_op({.op = "RNN", .inputs = {x, w, w, Tensor(), tensor<int32_t>({3}, {1})}}), base::Error);
}

}  // namespace
}  // namespace onnxrun::ops

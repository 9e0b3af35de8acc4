// The tiled float32 kernel of Attention against the plain one in float64, over shapes that cross its tiles and panels.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::Tensor;

struct Case {
  int64_t batch, q_heads, kv_heads, q_length, kv_length, past, head, v_head;
  ir::Attributes attributes;
  enum { kNone, kFloat, kBool } mask;
  bool merged, padded;
};

void check(const Case& c) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 1);
  const int64_t total = c.past + c.kv_length;
  const auto inputs = [&](bool wide) {
    random.seed(3);
    const auto draw = [&](Dims dims) {
      std::vector<float> data(static_cast<size_t>(base::element_count(dims)));
      for (float& x : data) x = normal(random);
      return wide ? tensor<double>({data.begin(), data.end()}, dims) : tensor<float>(data, dims);
    };
    const auto heads = [&](int64_t count, int64_t length, int64_t size) {
      return draw(c.merged ? Dims{c.batch, length, count * size} : Dims{c.batch, count, length, size});
    };
    std::vector<Tensor> result = {heads(c.q_heads, c.q_length, c.head),
                                  heads(c.kv_heads, c.kv_length, c.head),
                                  heads(c.kv_heads, c.kv_length, c.v_head),
                                  Tensor(),
                                  Tensor(),
                                  Tensor(),
                                  Tensor()};
    if (c.mask == Case::kFloat) result[3] = draw({c.q_heads, c.q_length, total});
    if (c.mask == Case::kBool) {
      Tensor mask(base::DType::kBool, {c.batch, 1, c.q_length, total});
      for (int64_t i = 0; i < mask.count(); ++i) mask.mutable_data<bool>()[i] = i % 5 != 0;
      result[3] = mask;
    }
    if (c.past > 0) {
      result[4] = draw({c.batch, c.kv_heads, c.past, c.head});
      result[5] = draw({c.batch, c.kv_heads, c.past, c.v_head});
    }
    if (c.padded) {
      std::vector<int64_t> valid;
      for (int64_t b = 0; b < c.batch; ++b) valid.push_back(std::max<int64_t>(0, total - 3 * b - 1));
      result[6] = int64s(valid);
    }
    while (!result.back()) result.pop_back();
    return result;
  };
  ir::Attributes attributes = c.attributes;
  if (c.merged) {
    attributes.set("q_num_heads", c.q_heads);
    attributes.set("kv_num_heads", c.kv_heads);
  }
  const size_t outputs = c.past > 0 ? 3 : 1;
  const auto fast = run_op({.op = "Attention", .attributes = attributes, .inputs = inputs(false), .outputs = outputs});
  const auto plain = run_op({.op = "Attention", .attributes = attributes, .inputs = inputs(true), .outputs = outputs});
  for (size_t i = 0; i < outputs; ++i) {
    ASSERT_EQ(fast[i].dims(), plain[i].dims());
    for (int64_t k = 0; k < fast[i].count(); ++k)
      ASSERT_NEAR(static_cast<double>(fast[i].data<float>()[k]), plain[i].data<double>()[k], 5e-6)
          << "output " << i << " at " << k;
  }
}

TEST(Attention, TiledAgreesWithTheEquations) {
  const ir::Attributes plain, causal = {{"is_causal", int64_t{1}}}, capped = {{"softcap", 1.5f}, {"scale", 0.3f}};
  const ir::Attributes window = {{"left_window_size", int64_t{9}}, {"right_window_size", int64_t{2}}};
  check({2, 3, 3, 40, 300, 0, 8, 5, plain, Case::kNone, false, false});
  check({2, 4, 2, 25, 25, 0, 70, 130, causal, Case::kNone, false, false});
  check({1, 4, 1, 13, 140, 60, 16, 16, causal, Case::kFloat, false, false});
  check({2, 2, 2, 17, 129, 0, 16, 64, capped, Case::kBool, false, false});
  check({2, 4, 2, 30, 150, 0, 16, 16, window, Case::kNone, true, false});
  check({3, 2, 1, 14, 90, 0, 16, 16, causal, Case::kBool, true, true});
}

TEST(Attention, OneQueryAtATimeAgreesWithTheEquations) {
  const ir::Attributes plain, causal = {{"is_causal", int64_t{1}}};
  check({2, 6, 2, 1, 1, 333, 64, 64, causal, Case::kNone, false, false});
  check({1, 2, 2, 3, 7, 0, 5, 3, plain, Case::kFloat, true, false});
  check({2, 2, 2, 2, 130, 0, 16, 16, causal, Case::kNone, false, true});
}

TEST(Attention, AQueryThatSeesNothingGivesZeros) {
  const Tensor q = tensor<float>({1, 2}, {1, 1, 1, 2}), kv = tensor<float>({1, 2, 3, 4}, {1, 1, 2, 2});
  const auto y = run_op({.op = "Attention", .inputs = {q, kv, kv, tensor<bool>({false, false}, {1, 2})}})[0];
  EXPECT_EQ(values<float>(y), (std::vector<float>{0, 0}));
}

TEST(Attention, RefusesWhatDoesNotFit) {
  const Tensor q = tensor<float>({1, 2}, {1, 1, 1, 2}), kv = tensor<float>({1, 2, 3}, {1, 1, 1, 3});
  EXPECT_THROW(run_op({.op = "Attention", .inputs = {q, kv, kv}}), base::Error);
  EXPECT_THROW(run_op({.op = "Attention", .inputs = {q, q, q, tensor<float>({0, 0, 0}, {1, 3})}}), base::Error);
  EXPECT_THROW(run_op({.op = "Attention", .inputs = {q, q, q, Tensor(), Tensor(), Tensor(), int64s({2})}}),
               base::Error);
}

TEST(RotaryEmbedding, RefusesAPositionBeyondTheCaches) {
  const Tensor x = tensor<float>({1, 2}, {1, 1, 1, 2}), cache = tensor<float>({1}, {1, 1});
  EXPECT_THROW(run_op({.op = "RotaryEmbedding", .inputs = {x, cache, cache, tensor<int64_t>({1}, {1, 1})}}),
               base::Error);
}

}  // namespace
}  // namespace onnxrun::ops

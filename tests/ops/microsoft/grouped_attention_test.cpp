// com.microsoft's grouped attention on inputs that do not fit: every one is refused with what is wrong, and nothing is read or written beyond the caches.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::Tensor;
using testing::HasSubstr;

Tensor ones(Dims dims) {
  return tensor<float>(std::vector<float>(static_cast<size_t>(base::element_count(dims)), 1.0f), dims);
}
Tensor int32s(std::vector<int32_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return tensor<int32_t>(std::move(values), {count});
}

// Two heads of 16 over one, a single new token, room for four keys of which `last` + 1 count.
OpCase step(int32_t last, int32_t total) {
  OpCase test{.op = "GroupQueryAttention", .domain = "com.microsoft"};
  test.attributes = {{"num_heads", int64_t{2}}, {"kv_num_heads", int64_t{1}}};
  test.inputs = {ones({1, 1, 32}),    ones({1, 1, 16}), ones({1, 1, 16}), ones({1, 1, 4, 16}),
                 ones({1, 1, 4, 16}), int32s({last}),   int32s({total})};
  test.outputs = 3;
  return test;
}

TEST(GroupQueryAttention, EqualValuesGiveThatValue) {
  const auto results = run_op(step(2, 3));
  EXPECT_THAT(values<float>(results[0]), testing::Each(testing::FloatEq(1.0f)));
  EXPECT_EQ(results[1].dims(), (Dims{1, 1, 4, 16}));
}

TEST(GroupQueryAttention, ACacheThatIsFullGrows) { EXPECT_EQ(run_op(step(4, 5))[1].dims(), (Dims{1, 1, 5, 16})); }

TEST(GroupQueryAttention, RefusesLengthsThatDoNotFit) {
  expect_refused(step(-1, 3), "seqlens_k[0] is -1");
  expect_refused(step(3, 3), "seqlens_k[0] is 3");
  expect_refused(step(8, 9), "'past_key' has room for 4");
  expect_refused(step(2147483647, 3), "seqlens_k[0] is 2147483647");
  expect_refused(step(0, -5), "total_sequence_length");
}

TEST(GroupQueryAttention, RefusesPositionsOutsideTheRotaryCaches) {
  OpCase test = step(2, 3);
  test.attributes.set("do_rotary", int64_t{1});
  expect_refused(test, "do_rotary needs 'cos_cache'");
  test.inputs.push_back(ones({2, 8}));
  test.inputs.push_back(ones({2, 8}));
  expect_refused(test, "position 2, but the rotary caches have 2");
  test.inputs[7] = test.inputs[8] = ones({8, 9});
  expect_refused(test, "rotates 9 pairs, but heads have 16 elements");
}

TEST(GroupQueryAttention, RefusesShapesThatDoNotFit) {
  OpCase test = step(2, 3);
  test.inputs[4] = ones({1, 1, 3, 16});
  expect_refused(test, "the room of 'past_key' and 'past_value'");
  test = step(2, 3);
  test.inputs[1] = ones({1, 1, 8});
  expect_refused(test, "kv_num_heads times the head size");
  test = step(2, 3);
  test.attributes.set("kv_num_heads", int64_t{0});
  expect_refused(test, "kv_num_heads");
  test = step(2, 3);
  test.inputs.resize(11);
  test.inputs[10] = ones({1, 2, 1, 2});
  expect_refused(test, "'attention_bias'");
}

}  // namespace
}  // namespace onnxrun::ops

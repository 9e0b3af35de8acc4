// Attention by bfloat16 parts on tiles against the float32 kernel on vectors.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "cpu/loops/parts.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

class PartAttention : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_part_products()) GTEST_SKIP() << "no tiles at this instruction set level";
  }

  struct Inputs {
    Tensor q, k, v, mask = {}, past_key = {}, past_value = {};
  };
  static KernelCall call_of(const Inputs& in, int precision, const std::map<std::string, Attribute>& attributes) {
    KernelCall call{.op = "Attention", .inputs = {in.q, in.k, in.v}, .outputs = {}, .kernel = "tiled"};
    Dims y = in.q.dims();
    y.back() = in.v.dims().back();
    call.outputs = {{DType::kFloat32, y}};
    if (in.mask || in.past_key) call.inputs.push_back(in.mask);
    if (in.past_key) {
      call.inputs.insert(call.inputs.end(), {in.past_key, in.past_value});
      Dims keys = in.k.dims(), values = in.v.dims();
      keys[2] += in.past_key.dims()[2];
      values[2] += in.past_key.dims()[2];
      call.outputs.insert(call.outputs.end(), {{DType::kFloat32, keys}, {DType::kFloat32, values}});
    }
    call.attributes = attributes;
    call.precision = precision;
    return call;
  }
  static Tensor attend(const Inputs& in, int precision, const std::map<std::string, Attribute>& attributes = {},
                       int threads = 2) {
    KernelCall call = call_of(in, precision, attributes);
    call.threads = threads;
    return run_kernel(call)[0];
  }
  static Tensor attend_plain(const Inputs& in, const std::map<std::string, Attribute>& attributes = {}) {
    const SimdLevel level = simd_level();
    limit_simd_level(SimdLevel::kV4);
    Tensor result = attend(in, ONNXRUN_PRECISION_HIGHEST, attributes);
    limit_simd_level(level);
    return result;
  }
};

constexpr int kPrecisions[] = {ONNXRUN_PRECISION_HIGH, ONNXRUN_PRECISION_MEDIUM};

// Values are of about 1, so that these are relative errors.
float bound_of(int precision) { return precision == ONNXRUN_PRECISION_HIGH ? 3e-5f : 2e-2f; }

Tensor mask_of(const Dims& dims, DType type) {
  Tensor mask(type, dims);
  for (int64_t i = 0; i < mask.count(); ++i)
    if (type == DType::kBool) mask.mutable_data<bool>()[i] = i % 7 != 3;
    else mask.mutable_data<float>()[i] = i % 7 == 3 ? -std::numeric_limits<float>::infinity() : 0.1f * (i % 5);
  return mask;
}

TEST_F(PartAttention, AgreesWithFloat32OnAnyNumberOfThreads) {
  const struct {
    int64_t batch, heads, kv_heads, queries, keys, size, value_size, past;
    DType mask;
    bool causal;
  } cases[] = {
      {1, 2, 2, 32, 32, 64, 64, 0, DType::kNone, false},   {2, 3, 3, 128, 128, 64, 64, 0, DType::kFloat32, false},
      {1, 4, 2, 77, 300, 40, 72, 0, DType::kBool, false},  {1, 2, 1, 257, 257, 128, 128, 0, DType::kNone, true},
      {2, 2, 2, 50, 50, 33, 17, 0, DType::kFloat32, true}, {1, 2, 2, 40, 40, 64, 64, 225, DType::kNone, true},
      {1, 1, 1, 33, 700, 1, 1, 0, DType::kNone, false},    {1, 2, 2, 65, 513, 96, 128, 0, DType::kBool, true}};
  for (const auto& c : cases)
    for (const int precision : kPrecisions) {
      Inputs in{.q = random({c.batch, c.heads, c.queries, c.size}, 1),
                .k = random({c.batch, c.kv_heads, c.keys, c.size}, 2),
                .v = random({c.batch, c.kv_heads, c.keys, c.value_size}, 3)};
      if (c.past > 0) {
        in.past_key = random({c.batch, c.kv_heads, c.past, c.size}, 4);
        in.past_value = random({c.batch, c.kv_heads, c.past, c.value_size}, 5);
      }
      if (c.mask != DType::kNone) in.mask = mask_of({c.queries, c.past + c.keys}, c.mask);
      const std::map<std::string, Attribute> attributes = {{"is_causal", int64_t{c.causal}}};
      const Tensor want = attend_plain(in, attributes), got = attend(in, precision, attributes, 1);
      const std::string what =
          std::to_string(c.queries) + " queries of " + std::to_string(c.size) + ", " + std::to_string(c.keys) + " keys";
      EXPECT_NE(std::memcmp(got.raw(), want.raw(), want.bytes()), 0) << what << " are not of parts";
      for (int64_t i = 0; i < want.count(); ++i)
        ASSERT_NEAR(got.data<float>()[i], want.data<float>()[i], bound_of(precision)) << what << " at " << i;
      for (const int threads : {2, 3, 64}) {
        const Tensor other = attend(in, precision, attributes, threads);
        EXPECT_EQ(std::memcmp(other.raw(), got.raw(), got.bytes()), 0) << what << " on " << threads << " threads";
      }
    }
}

// Scores far apart: weights of 2^-100 are summed as they are.
TEST_F(PartAttention, KeepsTinyWeights) {
  constexpr int64_t kKeys = 64, kSize = 32;
  Inputs in{.q = random({1, 1, 32, kSize}, 1), .k = random({1, 1, kKeys, kSize}, 2), .v = random({1, 1, kKeys, 16}, 3)};
  float *q = in.q.mutable_data<float>(), *k = in.k.mutable_data<float>(), *v = in.v.mutable_data<float>();
  std::fill_n(q, in.q.count(), 0.0f);
  std::fill_n(k, in.k.count(), 0.0f);
  for (int64_t i = 0; i < 32; ++i) q[i * kSize] = 1;
  // The first key has all the weight, and no value; the others e^-70 each.
  k[0] = 70;
  std::fill_n(v, 16, 0.0f);
  const std::map<std::string, Attribute> attributes = {{"scale", 1.0f}};
  const Tensor want = attend_plain(in, attributes), got = attend(in, ONNXRUN_PRECISION_HIGH, attributes);
  for (int64_t i = 0; i < want.count(); ++i) {
    ASSERT_GT(std::abs(want.data<float>()[i]), 0.0f);
    ASSERT_NEAR(got.data<float>()[i] / want.data<float>()[i], 1, 1e-3);
  }
}

// What nobody sees, and masked keys, may hold anything.
TEST_F(PartAttention, DoesNotReadWhatIsNotSeen) {
  const Dims dims{1, 2, 64, 64};
  for (const float odd : {std::numeric_limits<float>::infinity(), std::nanf("")})
    for (const int precision : kPrecisions) {
      const Inputs in{.q = random(dims, 1), .k = random(dims, 2), .v = random(dims, 3)};
      const auto run = [&](const Tensor& k, const Tensor& v) {
        KernelCall call = call_of({.q = in.q, .k = k, .v = v}, precision, {});
        Tensor valid(DType::kInt64, {1});
        valid.mutable_data<int64_t>()[0] = 40;
        call.inputs.insert(call.inputs.end(), {Tensor(), Tensor(), Tensor(), valid});
        return run_kernel(call)[0];
      };
      Tensor k = in.k, v = in.v;
      for (int64_t h = 0; h < 2; ++h) {
        std::fill_n(k.mutable_data<float>() + (h * 64 + 40) * 64, 24 * 64, odd);
        std::fill_n(v.mutable_data<float>() + (h * 64 + 40) * 64, 24 * 64, odd);
      }
      const Tensor want = run(in.k, in.v), got = run(k, v);
      for (int64_t i = 0; i < want.count(); ++i)
        ASSERT_NEAR(got.data<float>()[i], want.data<float>()[i], bound_of(precision)) << odd << " at " << i;
    }
}

// What parts cannot hold goes by float32, as far as it reaches, and nowhere else.
TEST_F(PartAttention, LeavesOddNumbersToFloat32) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  // The last one is not a number, whose upper half would be 0.
  for (const float odd :
       {kInfinity, -kInfinity, std::nanf(""), 3e38f, 1e20f, 1e-33f, 1e-40f, 1e-18f, std::bit_cast<float>(0x7fffffff)})
    for (const int which : {0, 1, 2}) {
      Inputs in{.q = random({1, 1, 70, 64}, 1), .k = random({1, 1, 600, 64}, 2), .v = random({1, 1, 600, 64}, 3)};
      Tensor& tensor = which == 0 ? in.q : which == 1 ? in.k : in.v;
      tensor.mutable_data<float>()[3 * 64 + 3] = odd;
      const Tensor want = attend_plain(in), got = attend(in, ONNXRUN_PRECISION_HIGH);
      for (int64_t i = 0; i < want.count(); ++i) {
        const float x = got.data<float>()[i], y = want.data<float>()[i];
        if (std::isnan(y)) ASSERT_TRUE(std::isnan(x)) << odd << " in " << which << " at " << i;
        else if (std::isinf(y)) ASSERT_EQ(x, y) << odd << " in " << which << " at " << i;
        else ASSERT_NEAR(x, y, 3e-5f + std::abs(y) * 3e-5f) << odd << " in " << which << " at " << i;
      }
    }
}

}  // namespace
}  // namespace onnxrun::cpu

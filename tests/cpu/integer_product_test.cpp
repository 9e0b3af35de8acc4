// MatMulInteger on packed panels gives the plain loops' sums, at every instruction set level this machine has.
#include <gtest/gtest.h>

#include <cstring>

#include "cpu/loops/weight_parts.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

// Small numbers, of which one of `every` is any byte.
Tensor bytes(DType type, const Dims& dims, uint32_t seed, int64_t every = 1) {
  Tensor tensor(type, dims);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    const int any = static_cast<int>(seed >> 24), small = any % 100 - 50 + (type == DType::kUint8 ? 128 : 0);
    static_cast<uint8_t*>(tensor.mutable_raw())[i] =
        static_cast<uint8_t>((seed >> 8) % static_cast<uint32_t>(every) == 0 ? any : small);
  }
  return tensor;
}

class IntegerProductAtLevel : public testing::TestWithParam<SimdLevel> {
 protected:
  void SetUp() override {
    if (GetParam() > detected_simd_level()) GTEST_SKIP() << "this machine lacks " << simd_level_name(GetParam());
    limit_simd_level(GetParam());
  }
  void TearDown() override { limit_simd_level(detected_simd_level()); }
};

TEST_P(IntegerProductAtLevel, PanelsGiveTheReferencesSums) {
  for (const int64_t m : {1, 2, 3, 4, 5, 6, 7, 13, 100})
    for (const int64_t k : {1, 4, 30, 128})
      for (const int64_t n : {1, 8, 16, 17, 40, 64, 71, 300})
        for (const DType type : {DType::kInt8, DType::kUint8})
          for (const int64_t every : {1, 400, 1 << 20})
            for (const bool constants : {true, false}) {
              KernelCall call{.op = "MatMulInteger",
                              .inputs = {bytes(DType::kUint8, {m, k}, 1), bytes(type, {k, n}, 2, every)},
                              .outputs = {{DType::kInt32, {m, n}}},
                              .kernel = "panels",
                              .constants = constants};
              const Tensor got = run_kernel(call)[0];
              call.kernel = "reference";
              const Tensor want = run_kernel(call)[0];
              ASSERT_EQ(std::memcmp(got.raw(), want.raw(), want.bytes()), 0)
                  << m << " x " << k << " x " << n << ", every " << every << (constants ? ", packed ahead" : "");
            }
}

INSTANTIATE_TEST_SUITE_P(Levels, IntegerProductAtLevel,
                         testing::Values(SimdLevel::kV2, SimdLevel::kV3, SimdLevel::kV4, SimdLevel::kVnni),
                         [](const auto& info) { return std::string(simd_level_name(info.param)); });

TEST(WeightParts, EveryPairKeepsItsSumAndFits) {
  for (int a = -128; a < 128; ++a)
    for (int b = -128; b < 128; ++b) {
      int8_t weights[8] = {static_cast<int8_t>(a), static_cast<int8_t>(b)}, rest[8] = {};
      const bool remains = keep_part(weights, rest, 8);
      ASSERT_EQ(remains, !pair_fits(a, b));
      if (!remains) rest[0] = rest[1] = 0;
      ASSERT_EQ(weights[0] + rest[0], a);
      ASSERT_EQ(weights[1] + rest[1], b);
      ASSERT_TRUE(pair_fits(weights[0], weights[1]) && pair_fits(rest[0], rest[1])) << a << " and " << b;
    }
}

}  // namespace
}  // namespace onnxrun::cpu

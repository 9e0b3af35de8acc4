// Products of few rows with matrices as they lie in memory, at every level, against sums in double.
#include "cpu/loops/thin_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "cpu/levels_here.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using ThinProducts = AtLevel;

TEST_P(ThinProducts, AreSumsOfProductsForEitherOrder) {
  for (const int64_t m : {1, 2, 3, 4, 5, 8})
    for (const int64_t k : {1, 3, 16, 37, 70})
      for (const int64_t n : {1, 2, 15, 16, 33, 100})
        for (const bool turned : {false, true})
          for (const bool add : {false, true}) {
            const Tensor a = random({m, k}, 1), b = random({k, n}, 2);
            std::vector<float> y(static_cast<size_t>(m * (n + 2)), 0.5f);
            const int64_t row = turned ? 1 : n, column = turned ? k : 1;
            multiply_thin({.a = a.data<float>(),
                           .lda = k,
                           .m = m,
                           .k = k,
                           .b = b.data<float>(),
                           .b_row = row,
                           .b_column = column,
                           .n = n,
                           .add = add,
                           .y = y.data(),
                           .ldy = n + 2});
            for (int64_t i = 0; i < m; ++i)
              for (int64_t j = 0; j < n + 2; ++j) {
                double sum = add || j >= n ? 0.5 : 0;
                for (int64_t p = 0; p < k && j < n; ++p)
                  sum += static_cast<double>(a.data<float>()[i * k + p]) *
                         static_cast<double>(b.data<float>()[p * row + j * column]);
                ASSERT_NEAR(y[static_cast<size_t>(i * (n + 2) + j)], sum, 1e-5)
                    << m << " x " << k << " x " << n << (turned ? " turned" : "") << " at " << i << ", " << j;
              }
          }
}

// Positive numbers, many of them: errors do not grow with the depth.
TEST_P(ThinProducts, OfGreatDepthAreAsExact) {
  constexpr int64_t kDepth = 100000, kColumns = 600;
  std::vector<float> a(kDepth), b(static_cast<size_t>(kDepth * kColumns)), y(kColumns);
  for (size_t i = 0; i < a.size(); ++i) a[i] = 0.5f + static_cast<float>(i * 7 % 1001) / 1001;
  for (size_t i = 0; i < b.size(); ++i) b[i] = 0.5f + static_cast<float>(i * 13 % 997) / 997;
  for (const bool turned : {false, true}) {
    const int64_t row = turned ? 1 : kColumns, column = turned ? kDepth : 1;
    multiply_thin({.a = a.data(),
                   .lda = kDepth,
                   .m = 1,
                   .k = kDepth,
                   .b = b.data(),
                   .b_row = row,
                   .b_column = column,
                   .n = kColumns,
                   .add = false,
                   .y = y.data(),
                   .ldy = kColumns});
    for (int64_t j = 0; j < kColumns; j += 37) {
      double sum = 0;
      for (int64_t p = 0; p < kDepth; ++p)
        sum += static_cast<double>(a[static_cast<size_t>(p)]) *
               static_cast<double>(b[static_cast<size_t>(p * row + j * column)]);
      EXPECT_NEAR(static_cast<double>(y[static_cast<size_t>(j)]) / sum, 1, 3e-6) << j << (turned ? " turned" : "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, ThinProducts, testing::ValuesIn(levels_here()), name_of_level);

KernelCall call_of(Dims a, Dims b, Dims y, const char* op) {
  return {.op = op,
          .inputs = {random(std::move(a), 1), random(std::move(b), 2)},
          .outputs = {{DType::kFloat32, std::move(y)}},
          .kernel = "panels",
          .constants = false};
}

TEST(ThinMatMul, MultipliesManyMatricesAndBroadcasts) {
  const struct {
    Dims a, b, y;
  } cases[] = {{{12, 1, 64}, {12, 64, 700}, {12, 1, 700}},
               {{2, 1, 3, 40}, {5, 40, 17}, {2, 5, 3, 17}},
               {{70}, {70, 30}, {30}},
               {{8, 70}, {70}, {8}},
               {{1, 70000}, {70000, 20}, {1, 20}},
               {{4, 0}, {0, 5}, {4, 5}},
               {{0, 5}, {5, 4}, {0, 4}},
               {{3, 5}, {5, 0}, {3, 0}}};
  for (const auto& c : cases) {
    KernelCall call = call_of(c.a, c.b, c.y, "MatMul");
    const Tensor got = run_kernel(call)[0];
    call.kernel = "reference";
    expect_close(got, run_kernel(call)[0], c.a.back(), base::to_string(c.a));
  }
}

TEST(ThinMatMul, GemmTransposesAndAdds) {
  for (const int64_t ta : {0, 1})
    for (const int64_t tb : {0, 1}) {
      KernelCall call = call_of(ta ? Dims{50, 5} : Dims{5, 50}, tb ? Dims{70, 50} : Dims{50, 70}, {5, 70}, "Gemm");
      call.inputs.push_back(random({70}, 3));
      call.attributes = {{"transA", ta}, {"transB", tb}, {"beta", -2.0f}};
      const Tensor got = run_kernel(call)[0];
      call.kernel = "reference";
      expect_close(got, run_kernel(call)[0], 50, "Gemm");
    }
}

// Zeros that fill up a vector meet nothing of the next row.
TEST(ThinMatMul, KeepsInfinitiesWhereTheyAre) {
  KernelCall call = call_of({3, 21}, {5, 21}, {3, 5}, "Gemm");
  call.attributes = {{"transB", int64_t{1}}};
  call.inputs[0].mutable_data<float>()[21] = std::numeric_limits<float>::infinity();
  const Tensor got = run_kernel(call)[0];
  for (int64_t i = 0; i < 15; ++i) EXPECT_EQ(std::isinf(got.data<float>()[i]), i / 5 == 1) << i;
}

}  // namespace
}  // namespace onnxrun::cpu

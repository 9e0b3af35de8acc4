// Products of float32 as products of bfloat16 parts: on emulated tiles everywhere, and on the processor's where it has them, against sums in double and the float32 kernel.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cpu/loops/parts.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"
#include "cpu/tile_registers.h"

namespace onnxrun::cpu {
namespace {

// Part `part` of `value`, as its definition has it.
Bfloat16 part_of(float value, int part) {
  for (; part > 0; --part) value -= static_cast<float>(Bfloat16(value));
  return Bfloat16(value);
}

double sum_of(const float* a, const float* b, int64_t k, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < k; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i * n]);
  return sum;
}

template <int kParts>
void expect_emulated_product(int64_t rows, int64_t columns, bool add) {
  constexpr int64_t kDepth = 2 * PartOperands::kStep, kTile = PartOperands::kTile;
  const int64_t ldc = columns + 3, panels = (columns + kPanel - 1) / kPanel;
  const Tensor a = random({rows, kDepth}, 1), b = random({kDepth, columns}, 2);
  const float *as = a.data<float>(), *bs = b.data<float>();
  std::vector<char> a_parts(static_cast<size_t>(2 * PartOperands::a_step(kParts))),
      b_parts(static_cast<size_t>(panels * 2 * PartOperands::b_step(kParts)));
  const int64_t first_tile = PartOperands::first_tile(rows, kParts);
  const auto put = [](char* to, Bfloat16 value) { std::memcpy(to, &value, sizeof value); };
  for (int64_t k = 0; k < kDepth; ++k)
    for (int part = 0; part < kParts; ++part) {
      const int64_t step = k / PartOperands::kStep, in_step = k % PartOperands::kStep;
      for (int64_t r = 0; r < rows; ++r)
        put(a_parts.data() + step * PartOperands::a_step(kParts) + 2 * part * kTile +
                (r < first_tile ? r * kTileBytes : kTile + (r - first_tile) * kTileBytes) + 2 * in_step,
            part_of(as[r * kDepth + k], part));
      for (int64_t c = 0; c < columns; ++c)
        put(b_parts.data() + (c / kPanel * 2 + step) * PartOperands::b_step(kParts) +
                (c % kPanel / 16 * kParts + part) * kTile + in_step / 2 * kTileBytes + c % 16 * 4 + in_step % 2 * 2,
            part_of(bs[k * columns + c], part));
    }
  std::vector<float> c(static_cast<size_t>((rows + 1) * ldc), 7.0f);
  PartTiles<PairRegisters, kParts>::multiply({.a = a_parts.data(),
                                              .b = b_parts.data(),
                                              .steps = 2,
                                              .rows = rows,
                                              .columns = columns,
                                              .add = add,
                                              .c = c.data(),
                                              .ldc = ldc});
  const double bound = kParts == 3 ? 1e-5 : static_cast<double>(kDepth) * 0x1p-15;
  for (int64_t r = 0; r <= rows; ++r)
    for (int64_t j = 0; j < ldc; ++j) {
      const float got = c[static_cast<size_t>(r * ldc + j)];
      if (r == rows || j >= columns) ASSERT_EQ(got, 7.0f) << "beside the result at " << r << ", " << j;
      else
        ASSERT_NEAR(static_cast<double>(got), sum_of(as + r * kDepth, bs + j, kDepth, columns) + (add ? 7 : 0), bound)
            << rows << " x " << columns << " at " << r << ", " << j;
    }
}

TEST(PartTiles, MultiplyParts) {
  for (const int64_t rows : {2, 15, 16, 17, 31, 32})
    for (const int64_t columns : {1, 16, 17, 32, 33, 63, 64, 65, 150})
      for (const bool add : {false, true}) {
        expect_emulated_product<3>(rows, columns, add);
        expect_emulated_product<2>(rows, columns, add);
      }
  for (const int64_t columns : {1, 17, 64, 150}) expect_emulated_product<2>(1, columns, columns == 17);
  EXPECT_EQ(Registers::configured, Registers::released);
}

TEST(PartExtents, TellWhichProductsNeedFloat32) {
  const auto safe = [](float least, float most, float least_b, float most_b) {
    return parts_are_safe({least, most}, {least_b, most_b}, 1000);
  };
  EXPECT_TRUE(safe(1e-10f, 1e10f, 1e-10f, 1e10f));
  EXPECT_TRUE(safe(1e-27f, 1, 0.125f, 1));
  EXPECT_TRUE(parts_are_safe({}, {}, 1000)) << "zeros";
  EXPECT_TRUE(parts_are_safe({}, {1e-3f, 1}, 1000));
  EXPECT_FALSE(safe(1e-30f, 1, 1e-3f, 1)) << "products of parts below the normal numbers";
  EXPECT_FALSE(safe(1e-32f, 1, 1, 1));
  EXPECT_FALSE(safe(1, 1e20f, 1, 1e17f)) << "sums that overflow";
  EXPECT_FALSE(safe(1e-3f, 3e38f, 1e-30f, 1e-30f)) << "parts that round to infinity";
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_FALSE(safe(1, bad, 1, 1));
    EXPECT_FALSE(safe(1, 1, 1, bad));
    EXPECT_FALSE(parts_are_safe({1, bad}, {}, 1000)) << "infinity times zero";
  }
}

TEST(PartExtents, OfTwoPiecesKeepWhatIsNotANumber) {
  const float nan = std::nanf("");
  EXPECT_TRUE(std::isnan(both({1, nan}, {2, 3}).most));
  EXPECT_TRUE(std::isnan(both({1, 3}, {2, nan}).most));
  EXPECT_EQ(both({1, 3}, {2, 5}).most, 5);
  EXPECT_EQ(both({2, 3}, {1, 2}).most, 3);
  EXPECT_EQ(both({2, 3}, {1, 2}).least, 1);
}

// The processor's tiles.
class PartProducts : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_part_products()) GTEST_SKIP() << "no tiles at this instruction set level";
  }

  static Tensor multiply(const Tensor& a, const Tensor& b, int precision = ONNXRUN_PRECISION_HIGHEST,
                         bool constants = true, int threads = 3) {
    Dims y = a.dims();
    y.back() = b.dims().back();
    return run_kernel({.op = "MatMul",
                       .inputs = {a, b},
                       .outputs = {{DType::kFloat32, y}},
                       .kernel = constants && precision == ONNXRUN_PRECISION_HIGH ? "parts" : "panels",
                       .constants = constants,
                       .precision = precision,
                       .threads = threads})[0];
  }
  // By the float32 kernel.
  static Tensor multiply_plain(const Tensor& a, const Tensor& b) {
    const SimdLevel level = simd_level();
    limit_simd_level(SimdLevel::kBf16);
    Tensor result = multiply(a, b);
    limit_simd_level(level);
    return result;
  }

  // Root of the mean of squared errors, and the largest error in units of the sum of the products' magnitudes.
  struct Errors {
    double mean = 0, largest = 0;
  };
  static Errors errors_of(const Tensor& got, const Tensor& a, const Tensor& b) {
    const int64_t k = a.dims()[1], n = b.dims()[1];
    Errors errors;
    for (int64_t i = 0; i < got.count(); ++i) {
      const float *row = a.data<float>() + i / n * k, *column = b.data<float>() + i % n;
      double magnitude = 0;
      for (int64_t p = 0; p < k; ++p)
        magnitude += std::abs(static_cast<double>(row[p]) * static_cast<double>(column[p * n]));
      const double error = std::abs(static_cast<double>(got.data<float>()[i]) - sum_of(row, column, k, n));
      errors.mean += error * error;
      if (error > 0) errors.largest = std::max(errors.largest, error / magnitude);
    }
    errors.mean = std::sqrt(errors.mean / static_cast<double>(got.count()));
    return errors;
  }
};

TEST_F(PartProducts, OfAllSizes) {
  const struct {
    Dims a, b;
  } cases[] = {{{96, 32}, {32, 345}},       {{97, 70}, {70, 340}},
               {{97, 801}, {801, 337}},     {{127, 1537}, {1537, 191}},
               {{3, 2, 50, 90}, {90, 108}}, {{3, 2, 100, 33}, {3, 2, 33, 305}},
               {{700, 1000}, {1000, 86}},   {{2, 300, 501}, {2, 501, 200}},
               {{99, 3001}, {3001, 1430}},  {{2, 100, 3001}, {2, 3001, 1430}},
               {{96, 32}, {32, 24}},        {{127, 137}, {137, 31}}};  // too small to be split
  for (const auto& c : cases)
    for (const bool constants : {true, false}) {
      const Tensor a = random(c.a, 1), b = random(c.b, 2);
      Dims y = c.a;
      y.back() = c.b.back();
      const Tensor want =
          run_kernel({.op = "MatMul", .inputs = {a, b}, .outputs = {{DType::kFloat32, y}}, .kernel = "reference"})[0];
      expect_close(multiply(a, b, ONNXRUN_PRECISION_HIGHEST, constants), want, c.a.back(),
                   base::to_string(c.a) + " by " + base::to_string(c.b));
    }
}

TEST_F(PartProducts, OfManyMatricesAreSplitInChunks) {
  const Tensor a = random({90, 200, 260}, 1), b = random({90, 260, 123}, 2);
  const Tensor got = multiply(a, b), want = run_kernel({.op = "MatMul",
                                                        .inputs = {a, b},
                                                        .outputs = {{DType::kFloat32, {90, 200, 123}}},
                                                        .kernel = "reference"})[0];
  expect_close(got, want, 260, "90 matrices");
  const Tensor tall = random({5000, 1100}, 3), narrow = random({1100, 78}, 4);
  expect_close(multiply(tall, narrow),
               run_kernel({.op = "MatMul",
                           .inputs = {tall, narrow},
                           .outputs = {{DType::kFloat32, {5000, 78}}},
                           .kernel = "reference"})[0],
               1100, "5000 rows");
}

// Constants are packed in two parts: products of any number of rows are of them.
TEST_F(PartProducts, OfPackedParts) {
  const struct {
    Dims a, b;
  } cases[] = {{{1, 32}, {32, 24}},       {{1, 700}, {700, 130}},    {{2, 65}, {65, 64}},
               {{15, 801}, {801, 65}},    {{16, 1537}, {1537, 31}},  {{17, 1537}, {1537, 200}},
               {{33, 96}, {96, 64}},      {{3, 2, 5, 90}, {90, 64}}, {{3, 2, 10, 33}, {3, 2, 33, 40}},
               {{700, 1000}, {1000, 70}}, {{0, 64}, {64, 64}},       {{99, 3001}, {3001, 143}},
               {{64}, {64, 30}}};
  for (const auto& c : cases) {
    const Tensor a = random(c.a, 1), b = random(c.b, 2);
    Dims y = c.a;
    y.back() = c.b.back();
    const KernelCall call{.op = "MatMul", .inputs = {a, b}, .outputs = {{DType::kFloat32, y}}, .kernel = "reference"};
    const Tensor want = run_kernel(call)[0];
    const Tensor got = multiply(a, b, ONNXRUN_PRECISION_HIGH), loose = multiply(a, b, ONNXRUN_PRECISION_HIGH, false);
    const double bound = std::max(1e-5, static_cast<double>(c.a.back()) * 0x1p-15);
    for (int64_t i = 0; i < want.count(); ++i) {
      ASSERT_NEAR(got.data<float>()[i], want.data<float>()[i], bound) << base::to_string(c.a) << " at " << i;
      ASSERT_NEAR(loose.data<float>()[i], want.data<float>()[i], bound) << base::to_string(c.a) << " at " << i;
    }
  }
}

// Of one part: operands rounded to bfloat16, whose depth is any.
TEST_F(PartProducts, OfRoundedNumbers) {
  for (const int64_t k : {32, 33, 61, 64, 769, 801, 1600})
    for (const int64_t m : {32, 33, 47, 100, 300})
      for (const bool constants : {true, false}) {
        const Tensor a = random({m, k}, 1), b = random({k, 150}, 2);
        const Tensor want = run_kernel({.op = "MatMul",
                                        .inputs = {rounded(a), rounded(b)},
                                        .outputs = {{DType::kFloat32, {m, 150}}},
                                        .kernel = "reference"})[0];
        const Tensor got = run_kernel({.op = "MatMul",
                                       .inputs = {a, b},
                                       .outputs = {{DType::kFloat32, {m, 150}}},
                                       .kernel = "bfloat16",
                                       .constants = constants,
                                       .precision = ONNXRUN_PRECISION_MEDIUM})[0];
        expect_close(got, want, k, std::to_string(m) + " rows, " + std::to_string(k) + " deep");
      }
}

TEST_F(PartProducts, GemmScalesTransposesAndAdds) {
  for (const int64_t ta : {0, 1})
    for (const int64_t tb : {0, 1}) {
      KernelCall call{.op = "Gemm",
                      .inputs = {random(ta ? Dims{141, 201} : Dims{201, 141}, 1),
                                 random(tb ? Dims{135, 141} : Dims{141, 135}, 2), random({1, 135}, 3)},
                      .outputs = {{DType::kFloat32, {201, 135}}},
                      .attributes = {{"transA", ta}, {"transB", tb}, {"alpha", 0.5f}, {"beta", -2.0f}},
                      .kernel = "reference"};
      const Tensor want = run_kernel(call)[0];
      const std::string name = "transA " + std::to_string(ta) + ", transB " + std::to_string(tb);
      call.kernel = "panels";
      for (const bool constants : {true, false}) {
        call.constants = constants;
        expect_close(run_kernel(call)[0], want, 141, name);
      }
      call.kernel = "parts";
      call.constants = true;
      call.precision = ONNXRUN_PRECISION_HIGH;
      const Tensor got = run_kernel(call)[0];
      for (int64_t i = 0; i < got.count(); ++i)
        ASSERT_NEAR(got.data<float>()[i], want.data<float>()[i], 141 * 0x1p-15) << name << " at " << i;
    }
}

// Ordinary numbers, sums that cancel, and numbers of very different sizes: never worse than float32 arithmetic.
TEST_F(PartProducts, ErrNoMoreThanFloat32) {
  constexpr int64_t kRows = 192, kDepth = 1024, kColumns = 128;
  for (const int kind : {0, 1, 2, 3}) {
    Tensor a = random({kRows, kDepth}, 1), b = random({kDepth, kColumns}, 2);
    float *as = a.mutable_data<float>(), *bs = b.mutable_data<float>();
    if (kind == 1 || kind == 3)
      for (int64_t i = 0; i < a.count(); ++i)
        if (i % 2 != 0) as[i] = as[i - 1] * (1 + 0x1p-12f);
    if (kind == 1 || kind == 3)
      for (int64_t i = 0; i < b.count(); ++i)
        if (i / kColumns % 2 != 0) bs[i] = -bs[i - kColumns];
    if (kind >= 2)
      for (int64_t i = 0; i < a.count(); ++i) as[i] = std::ldexp(as[i], static_cast<int>(i / 2 * 7 % 41) - 20);
    const Errors parts = errors_of(multiply(a, b), a, b), plain = errors_of(multiply_plain(a, b), a, b),
                 two = errors_of(multiply(a, b, ONNXRUN_PRECISION_HIGH), a, b);
    EXPECT_LE(parts.mean, plain.mean) << "data " << kind;
    EXPECT_LE(parts.largest, static_cast<double>(kDepth) * 0x1p-25) << "data " << kind;
    EXPECT_LE(two.largest, 0x1p-15) << "data " << kind;
    EXPECT_GT(two.mean, parts.mean) << "two parts have less to multiply";
  }
}

// Rows and columns whose parts would not do are float32's, the others beside them are not touched by it.
TEST_F(PartProducts, LeaveWhatPartsCannotHoldToFloat32) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float odd : {kInfinity, -kInfinity, std::nanf(""), 3e38f, 1e-33f, 1e-40f, 1e20f})
    for (const bool in_a : {true, false}) {
      Tensor a = random({200, 900}, 1), b = random({900, 150}, 2);
      if (in_a) a.mutable_data<float>()[40 * 900 + 3] = odd;
      else b.mutable_data<float>()[800 * 150 + 70] = odd;
      const Tensor plain = multiply_plain(a, b);
      for (const int precision : {ONNXRUN_PRECISION_HIGHEST, ONNXRUN_PRECISION_HIGH}) {
        const Tensor got = multiply(a, b, precision);
        // Numbers of about 1, 900 of them in a sum.
        const float bound = precision == ONNXRUN_PRECISION_HIGHEST ? 1e-4f : 900 * 0x1p-15f, share = bound / 10;
        int64_t equal = 0;
        for (int64_t i = 0; i < got.count(); ++i) {
          const float x = got.data<float>()[i], y = plain.data<float>()[i];
          if (std::isnan(y)) ASSERT_TRUE(std::isnan(x)) << odd << " at " << i;
          else if (std::isinf(y)) ASSERT_EQ(x, y) << odd << " at " << i;
          else ASSERT_NEAR(x, y, bound + std::abs(y) * share) << odd << " at " << i;
          equal += x == y ? 1 : 0;
        }
        EXPECT_LT(equal, got.count() / 2) << "other blocks are multiplied by parts";
      }
    }
}

// What C of a Gemm holds already counts as well: the sum is float32's where parts would round it up to infinity or lose it.
TEST_F(PartProducts, StartWithWhatIsThere) {
  constexpr int64_t kRows = 200, kDepth = 64, kColumns = 135;
  Tensor a(DType::kFloat32, {kRows, kDepth}), b(DType::kFloat32, {kDepth, kColumns}),
      c(DType::kFloat32, {kRows, kColumns});
  std::fill_n(a.mutable_data<float>(), a.count(), 0.0f);
  std::fill_n(b.mutable_data<float>(), b.count(), 0.0f);
  for (int64_t i = 0; i < kRows; ++i) a.mutable_data<float>()[i * kDepth] = 0x1.ffp51f;
  for (int64_t i = 0; i < kColumns; ++i) b.mutable_data<float>()[i] = 0x1p51f;
  const auto run = [&](float value) {
    std::fill_n(c.mutable_data<float>(), c.count(), value);
    return run_kernel(
        {.op = "Gemm", .inputs = {a, b, c}, .outputs = {{DType::kFloat32, {kRows, kColumns}}}, .kernel = "panels"})[0];
  };
  for (const float value : {std::numeric_limits<float>::max(), std::numeric_limits<float>::infinity(), 1.0f}) {
    const Tensor got = run(value);
    for (int64_t i = 0; i < got.count(); ++i) ASSERT_EQ(got.data<float>()[i], std::fma(0x1.ffp51f, 0x1p51f, value));
  }
  std::fill_n(a.mutable_data<float>(), a.count(), 0.0f);
  const Tensor got = run(1e-40f);
  for (int64_t i = 0; i < got.count(); ++i) ASSERT_EQ(got.data<float>()[i], 1e-40f);
}

TEST_F(PartProducts, DoNotDependOnThreads) {
  const Tensor a = random({3, 333, 1000}, 1), b = random({3, 1000, 400}, 2);
  for (const int precision : {ONNXRUN_PRECISION_HIGHEST, ONNXRUN_PRECISION_HIGH}) {
    const Tensor want = multiply(a, b, precision, true, 1);
    for (const int threads : {2, 3, 64}) {
      const Tensor got = multiply(a, b, precision, true, threads);
      EXPECT_EQ(std::memcmp(got.data<float>(), want.data<float>(), static_cast<size_t>(want.count()) * 4), 0)
          << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace onnxrun::cpu

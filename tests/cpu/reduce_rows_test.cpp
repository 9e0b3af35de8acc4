// Extremes, their indices, running sums and the best k at every instruction set level against plain loops.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "cpu/cpu.h"
#include "cpu/levels_here.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::Tensor;

using ReduceRows = AtLevel;

// `nan`: one element in 40 is not a number.
template <class T>
Tensor draw(const Dims& dims, std::mt19937& random, bool nan) {
  Tensor x(dtype_of<T>, dims);
  for (int64_t i = 0; i < x.count(); ++i) {
    T value = static_cast<T>(static_cast<int>(random() % 200) - (std::is_unsigned_v<T> ? 0 : 100));
    if constexpr (std::is_floating_point_v<T>)
      if (nan && random() % 40 == 0) value = std::numeric_limits<T>::quiet_NaN();
    x.mutable_data<T>()[i] = value;
  }
  return x;
}

template <class T>
bool same(T a, T b) {
  return a == b || (a != a && b != b);
}

// Whether b is ahead of a; NaN is ahead of all numbers.
template <class T>
bool ahead(T b, T a, bool largest) {
  return a == a && (b != b || (largest ? b > a : b < a));
}

template <class T>
void compare_extremes(std::mt19937& random) {
  for (const int64_t rows : {1, 7, 70})
    for (const int64_t columns : {1, 3, 16, 65, 130, 1200})
      for (const bool nan : {false, true})
        for (const bool last_axis : {false, true})
          for (const bool largest : {false, true}) {
            const Tensor x = draw<T>({rows, columns}, random, nan);
            const int64_t outputs = last_axis ? rows : columns, size = last_axis ? columns : rows;
            const std::map<std::string, Attribute> axis = {{"axis", int64_t{last_axis}}, {"keepdims", int64_t{0}}};
            Tensor axes(DType::kInt64, {1});
            axes.mutable_data<int64_t>()[0] = last_axis;
            const Tensor values = run_kernel({largest ? "ReduceMax" : "ReduceMin",
                                              {x, axes},
                                              {{dtype_of<T>, {outputs}}},
                                              {{"keepdims", int64_t{0}}}})[0];
            const Tensor indices = run_kernel({.op = largest ? "ArgMax" : "ArgMin",
                                               .inputs = {x},
                                               .outputs = {{DType::kInt64, {outputs}}},
                                               .attributes = axis,
                                               .kernel = "reference"})[0];
            for (int64_t o = 0; o < outputs; ++o) {
              const auto element = [&](int64_t i) {
                return x.data<T>()[last_axis ? o * columns + i : i * columns + o];
              };
              int64_t best = 0;
              for (int64_t i = 1; i < size; ++i)
                if (ahead(element(i), element(best), largest)) best = i;
              ASSERT_TRUE(same(values.data<T>()[o], element(best))) << rows << "x" << columns << " at " << o;
              ASSERT_EQ(indices.data<int64_t>()[o], best) << rows << "x" << columns << " at " << o;
            }
          }
}

TEST_P(ReduceRows, FindExtremesAndTheirIndices) {
  std::mt19937 random(1);
  compare_extremes<float>(random);
  compare_extremes<double>(random);
  compare_extremes<int8_t>(random);
  compare_extremes<uint8_t>(random);
  compare_extremes<int32_t>(random);
  compare_extremes<int64_t>(random);
}

TEST_P(ReduceRows, LogarithmsOfSumsOverRows) {
  std::mt19937 random(2);
  constexpr int64_t kRows = 33, kColumns = 150;
  Tensor x = draw<float>({kRows, kColumns}, random, false);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (int64_t r = 0; r < kRows; ++r) x.mutable_data<float>()[r * kColumns + 1] = -kInf;
  x.mutable_data<float>()[5 * kColumns + 2] = kInf;
  x.mutable_data<float>()[5 * kColumns + 3] = std::numeric_limits<float>::quiet_NaN();
  Tensor axes(DType::kInt64, {1});
  axes.mutable_data<int64_t>()[0] = 0;
  const Tensor y = run_kernel({"ReduceLogSumExp", {x, axes}, {{DType::kFloat32, {1, kColumns}}}})[0];
  for (int64_t j = 0; j < kColumns; ++j) {
    double largest = -kInf, sum = 0;
    for (int64_t r = 0; r < kRows; ++r)
      largest = std::fmax(largest, static_cast<double>(x.data<float>()[r * kColumns + j]));
    for (int64_t r = 0; r < kRows; ++r)
      sum += std::exp(static_cast<double>(x.data<float>()[r * kColumns + j]) - largest);
    const float got = y.data<float>()[j];
    if (j == 1) EXPECT_EQ(got, -kInf);
    else if (j == 2) EXPECT_EQ(got, kInf);
    else if (j == 3) EXPECT_NE(got, got);
    else EXPECT_NEAR(got, largest + std::log(sum), 1e-4) << j;
  }
}

TEST_P(ReduceRows, GlobalMaxPoolsKeepNan) {
  std::mt19937 random(3);
  for (const int64_t size : {1, 49, 700, 1111})
    for (const bool nan : {false, true}) {
      const Tensor x = draw<float>({2, 5, size}, random, nan);
      const Tensor y = run_kernel({"GlobalMaxPool", {x}, {{DType::kFloat32, {2, 5, 1}}}})[0];
      for (int64_t plane = 0; plane < 10; ++plane) {
        const float* from = x.data<float>() + plane * size;
        float best = from[0];
        for (int64_t i = 1; i < size; ++i)
          if (ahead(from[i], best, true)) best = from[i];
        ASSERT_TRUE(same(y.data<float>()[plane], best));
      }
    }
}

// Rows shorter and longer than a register, in place of the whole.
TEST_P(ReduceRows, SoftmaxOfEveryLength) {
  std::mt19937 random(6);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (int64_t size = 1; size < 150; size += size < 40 ? 1 : 17)
    for (const char* op : {"Softmax", "LogSoftmax"})
      for (const int64_t axis : {0, 1}) {
        Tensor x = draw<float>({size, size}, random, false);
        for (int64_t i = 0; i < size; ++i) x.mutable_data<float>()[i * size] = -kInf;  // a column of nothing
        const Tensor y = run_kernel({op, {x}, {{DType::kFloat32, {size, size}}}, {{"axis", axis}}})[0];
        for (int64_t line = 0; line < size; ++line) {
          const auto at = [&](int64_t i) { return axis == 1 ? line * size + i : i * size + line; };
          double largest = -kInf, sum = 0;
          for (int64_t i = 0; i < size; ++i) largest = std::fmax(largest, static_cast<double>(x.data<float>()[at(i)]));
          for (int64_t i = 0; i < size; ++i) sum += std::exp(static_cast<double>(x.data<float>()[at(i)]) - largest);
          for (int64_t i = 0; i < size; ++i) {
            const double z = static_cast<double>(x.data<float>()[at(i)]) - largest;
            const double want = op[0] == 'S' ? std::exp(z) / sum : z - std::log(sum);
            const float got = y.data<float>()[at(i)];
            if (want != want) ASSERT_NE(got, got) << op << size;
            else if (std::isinf(want)) ASSERT_EQ(got, static_cast<float>(want)) << op << size;
            else ASSERT_NEAR(got, want, 2e-6 * std::fmax(1, std::fabs(want))) << op << size << " at " << at(i);
          }
        }
      }
}

// Against sums in double, over runs that fill no register and over several.
TEST_P(ReduceRows, SumsOfEveryLength) {
  std::mt19937 random(7);
  for (const int64_t size : {1, 2, 15, 16, 17, 63, 64, 65, 100, 511, 513, 1300})
    for (const char* op : {"ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL1", "ReduceL2"}) {
      const Tensor x = draw<float>({3, size}, random, false), k = draw<int64_t>({3, size}, random, false);
      Tensor axes(DType::kInt64, {1});
      axes.mutable_data<int64_t>()[0] = 1;
      const std::string name = op;
      const Tensor y = run_kernel({op, {x, axes}, {{DType::kFloat32, {3, 1}}}})[0];
      const Tensor whole = run_kernel({op, {k, axes}, {{DType::kInt64, {3, 1}}}})[0];
      for (int64_t row = 0; row < 3; ++row) {
        double sum = 0;
        int64_t whole_sum = 0;
        for (int64_t i = row * size; i < (row + 1) * size; ++i) {
          const double v = static_cast<double>(x.data<float>()[i]);
          const int64_t w = k.data<int64_t>()[i];
          sum += name == "ReduceL1" ? std::fabs(v) : name == "ReduceL2" || name == "ReduceSumSquare" ? v * v : v;
          whole_sum += name == "ReduceL1" ? std::abs(w) : name == "ReduceL2" || name == "ReduceSumSquare" ? w * w : w;
        }
        if (name == "ReduceMean") sum /= static_cast<double>(size), whole_sum /= size;
        if (name == "ReduceL2") {
          sum = std::sqrt(sum);
          whole_sum = static_cast<int64_t>(std::sqrt(static_cast<double>(whole_sum)));
        }
        ASSERT_NEAR(y.data<float>()[row], sum, 1e-6 * std::fmax(1, std::fabs(sum))) << op << size;
        ASSERT_EQ(whole.data<int64_t>()[row], whole_sum) << op << size;
      }
    }
}

TEST(TopK, PassesOverWhatCannotWin) {
  std::mt19937 random(4);
  for (const int64_t size : {5, 31, 64, 97, 1000})
    for (const int64_t k : {1, 4, 5})
      for (const bool nan : {false, true})
        for (const int64_t largest : {0, 1}) {
          const Tensor x = draw<float>({size}, random, nan);
          Tensor count(DType::kInt64, {1});
          count.mutable_data<int64_t>()[0] = k;
          const auto got =
              run_kernel({"TopK", {x, count}, {{DType::kFloat32, {k}}, {DType::kInt64, {k}}}, {{"largest", largest}}});
          std::vector<int64_t> order(static_cast<size_t>(size));
          for (int64_t i = 0; i < size; ++i) order[static_cast<size_t>(i)] = i;
          // NaN is greater than all numbers.
          std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
            const float p = x.data<float>()[a], q = x.data<float>()[b];
            const bool greater = q == q && (p != p || p > q), less = p == p && (q != q || p < q);
            return largest != 0 ? greater : less;
          });
          for (int64_t i = 0; i < k; ++i) ASSERT_EQ(got[1].data<int64_t>()[i], order[static_cast<size_t>(i)]) << size;
        }
}

TEST(CumSum, RowsAndColumnsInBothDirections) {
  std::mt19937 random(5);
  for (const int64_t columns : {1, 3, 1500})
    for (const int64_t exclusive : {0, 1})
      for (const int64_t reverse : {0, 1})
        for (const int64_t axis : {0, 1}) {
          constexpr int64_t kRows = 9;
          const Tensor x = draw<int64_t>({kRows, columns}, random, false);
          Tensor along(DType::kInt64, {});
          along.mutable_data<int64_t>()[0] = axis;
          const Tensor y = run_kernel({"CumSum",
                                       {x, along},
                                       {{DType::kInt64, {kRows, columns}}},
                                       {{"exclusive", exclusive}, {"reverse", reverse}}})[0];
          const int64_t lines = axis == 0 ? columns : kRows, size = axis == 0 ? kRows : columns;
          for (int64_t line = 0; line < lines; ++line) {
            int64_t total = 0;
            for (int64_t step = 0; step < size; ++step) {
              const int64_t i = reverse != 0 ? size - 1 - step : step;
              const int64_t at = axis == 0 ? i * columns + line : line * columns + i;
              const int64_t before = total;
              total += x.data<int64_t>()[at];
              ASSERT_EQ(y.data<int64_t>()[at], exclusive != 0 ? before : total);
            }
          }
        }
}

INSTANTIATE_TEST_SUITE_P(Levels, ReduceRows, testing::ValuesIn(levels_here()), name_of_level);

}  // namespace
}  // namespace onnxrun::cpu

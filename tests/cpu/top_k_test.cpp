// TopK against a stable sort.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

// NaN is greater than any number; of equal ones the first comes first.
std::vector<int64_t> best(const float* x, int64_t n, int64_t step, int64_t k, bool largest) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  const auto above = [](float a, float b) { return std::isnan(a) ? !std::isnan(b) : a > b; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
    return largest ? above(x[i * step], x[j * step]) : above(x[j * step], x[i * step]);
  });
  order.resize(static_cast<size_t>(k));
  return order;
}

TEST(TopK, IsTheBeginningOfAStableSort) {
  for (const Dims& dims : {Dims{3, 1}, Dims{5, 40}, Dims{2, 3000}, Dims{4, 130}})
    for (const int64_t inner : {1, 3})
      for (const int64_t k : {1, 2, 5, 16, 17, 40, 129, 700})
        for (const bool largest : {true, false})
          for (const bool special : {false, true}) {
            const int64_t n = dims[1];
            if (k > n) continue;
            Tensor x = random({dims[0], n, inner}, 5);
            float* values = x.mutable_data<float>();
            for (int64_t i = 0; special && i < x.count(); ++i) {
              values[i] = std::round(values[i] * 20);
              if (i % 97 == 13) values[i] = std::numeric_limits<float>::quiet_NaN();
              if (i % 89 == 11) values[i] = -std::numeric_limits<float>::infinity();
            }
            Tensor count(DType::kInt64, Dims{1});
            count.mutable_data<int64_t>()[0] = k;
            const auto got =
                run_kernel({.op = "TopK",
                            .inputs = {x, count},
                            .outputs = {{DType::kFloat32, {dims[0], k, inner}}, {DType::kInt64, {dims[0], k, inner}}},
                            .attributes = {{"axis", int64_t{1}}, {"largest", int64_t{largest}}}});
            for (int64_t column = 0; column < dims[0] * inner; ++column) {
              const int64_t from = column / inner * n * inner + column % inner,
                            to = column / inner * k * inner + column % inner;
              const auto want = best(values + from, n, inner, k, largest);
              for (int64_t i = 0; i < k; ++i)
                ASSERT_EQ(got[1].data<int64_t>()[to + i * inner], want[static_cast<size_t>(i)])
                    << k << " of " << n << ", column " << column << ", place " << i;
            }
          }
}

}  // namespace
}  // namespace onnxrun::cpu

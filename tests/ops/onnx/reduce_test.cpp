// Reductions, softmax, normalisation and indices of extremes beyond the official suite: old forms, element types, empty sets, long axes.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Tensor reduce(const std::string& op, Tensor data, std::vector<int64_t> axes, bool keepdims = false) {
  return run_op({.op = op,
                 .attributes = {{"keepdims", int64_t{keepdims}}},
                 .inputs = {std::move(data), int64s(std::move(axes))}})
      .front();
}

// Multiples of 1/8 up to 2, with alternating signs: exact in float16, and so are sums of their squares.
std::vector<double> pattern(int64_t count) {
  std::vector<double> result;
  for (int64_t i = 0; i < count; ++i)
    result.push_back(static_cast<double>((i * 7 + 1) % 17) * (i % 2 == 0 ? 0.125 : -0.125));
  return result;
}

// The reduction of each output of a rank-4 tensor, one element at a time.
std::vector<double> naive(const std::string& op, const std::vector<double>& x, const Dims& dims,
                          const std::vector<bool>& reduced) {
  std::vector<std::vector<double>> sets;
  Dims kept = dims;
  for (size_t d = 0; d < dims.size(); ++d)
    if (reduced[d]) kept[d] = 1;
  sets.resize(static_cast<size_t>(base::element_count(kept)));
  const Dims strides = base::contiguous_strides(kept);
  for (int64_t i = 0; i < static_cast<int64_t>(x.size()); ++i) {
    int64_t rest = i, at = 0;
    for (size_t d = dims.size(); d-- > 0;) {
      if (!reduced[d]) at += rest % dims[d] * strides[d];
      rest /= dims[d];
    }
    sets[static_cast<size_t>(at)].push_back(x[static_cast<size_t>(i)]);
  }
  std::vector<double> result;
  for (const auto& set : sets) {
    double sum = 0, square = 0, magnitude = 0, largest = -1e30, smallest = 1e30, exponentials = 0;
    for (double v : set) {
      sum += v;
      square += v * v;
      magnitude += std::abs(v);
      largest = std::max(largest, v);
      smallest = std::min(smallest, v);
      exponentials += std::exp(v);
    }
    if (op == "ReduceSum") result.push_back(sum);
    else if (op == "ReduceMean") result.push_back(sum / static_cast<double>(set.size()));
    else if (op == "ReduceSumSquare") result.push_back(square);
    else if (op == "ReduceL1") result.push_back(magnitude);
    else if (op == "ReduceL2") result.push_back(std::sqrt(square));
    else if (op == "ReduceMax") result.push_back(largest);
    else if (op == "ReduceMin") result.push_back(smallest);
    else result.push_back(std::log(exponentials));
  }
  return result;
}

template <class T>
void compare_all(double tolerance) {
  const Dims dims = {3, 5, 4, 131};
  const std::vector<double> x = pattern(base::element_count(dims));
  std::vector<T> stored;
  for (double v : x) stored.push_back(static_cast<T>(static_cast<float>(v)));
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceMax", "ReduceMin",
                         "ReduceLogSumExp"})
    for (int set = 1; set < 16; ++set) {
      std::vector<int64_t> axes;
      std::vector<bool> reduced(4);
      for (int64_t d = 0; d < 4; ++d)
        if ((set >> d & 1) != 0) {
          axes.push_back(d % 2 == 0 ? d : d - 4);
          reduced[static_cast<size_t>(d)] = true;
        }
      const auto expected = naive(op, x, dims, reduced);
      const Tensor result = reduce(op, tensor<T>(stored, dims), axes);
      ASSERT_EQ(result.count(), static_cast<int64_t>(expected.size()));
      for (int64_t i = 0; i < result.count(); ++i) {
        const double want = expected[static_cast<size_t>(i)];
        ASSERT_NEAR(static_cast<double>(static_cast<float>(result.data<T>()[i])), want,
                    tolerance * (1 + std::abs(want)))
            << op << " set " << set << " at " << i;
      }
    }
}

TEST(Reduce, EveryAxisSetInFloat32) { compare_all<float>(1e-6); }
TEST(Reduce, EveryAxisSetInFloat16) { compare_all<base::Float16>(1e-3); }

TEST(Reduce, IntegersKeepTheirType) {
  const Tensor x = tensor<int32_t>({-7, 2, 3, 4, 5, -6}, {2, 3});
  EXPECT_EQ(values<int32_t>(reduce("ReduceSum", x, {1})), (std::vector<int32_t>{-2, 3}));
  EXPECT_EQ(values<int32_t>(reduce("ReduceMean", x, {0})), (std::vector<int32_t>{-1, 3, -1}));
  EXPECT_EQ(values<int32_t>(reduce("ReduceL1", x, {1})), (std::vector<int32_t>{12, 15}));
  EXPECT_EQ(values<uint8_t>(reduce("ReduceMax", tensor<uint8_t>({3, 200, 7, 8}, {2, 2}), {0})),
            (std::vector<uint8_t>{7, 200}));
  EXPECT_EQ(values<uint64_t>(reduce("ReduceMax", tensor<uint64_t>({UINT64_MAX, 1}, {2}), {0})),
            (std::vector<uint64_t>{UINT64_MAX}));
}

TEST(Reduce, LongAxesLoseNoPrecision) {
  const int64_t n = 3'000'000;
  const std::vector<float> x(static_cast<size_t>(n), 0.1f);
  const double exact = static_cast<double>(n) * static_cast<double>(0.1f);
  EXPECT_NEAR(static_cast<double>(reduce("ReduceSum", tensor<float>(x, {n}), {0}).data<float>()[0]), exact,
              exact * 1e-7);
  EXPECT_NEAR(static_cast<double>(reduce("ReduceSum", tensor<float>(x, {n / 3, 3}), {0}).data<float>()[1]), exact / 3,
              exact * 1e-7);
}

TEST(Reduce, EmptySets) {
  const Tensor none = tensor<float>({}, {2, 0});
  EXPECT_EQ(values<float>(reduce("ReduceSum", none, {1})), (std::vector<float>{0, 0}));
  EXPECT_EQ(values<float>(reduce("ReduceProd", none, {1})), (std::vector<float>{1, 1}));
  EXPECT_EQ(values<float>(reduce("ReduceMax", none, {1})), (std::vector<float>{-kInfinity, -kInfinity}));
  EXPECT_EQ(values<float>(reduce("ReduceLogSumExp", none, {1})), (std::vector<float>{-kInfinity, -kInfinity}));
  EXPECT_EQ(values<int32_t>(reduce("ReduceMin", tensor<int32_t>({}, {0}), {0})), (std::vector<int32_t>{INT32_MAX}));
  EXPECT_EQ(values<bool>(reduce("ReduceMax", tensor<bool>({}, {0, 1}), {0})), (std::vector<bool>{false}));
  EXPECT_EQ(reduce("ReduceSum", none, {0}).dims(), (Dims{0}));
}

TEST(Reduce, NaNAndInfinity) {
  EXPECT_TRUE(std::isnan(reduce("ReduceMax", floats({1, std::nanf(""), 3}), {0}).data<float>()[0]));
  EXPECT_TRUE(std::isnan(reduce("ReduceMin", floats({std::nanf(""), 2, 3}), {0}).data<float>()[0]));
  EXPECT_EQ(reduce("ReduceLogSumExp", floats({-kInfinity, -kInfinity}), {0}).data<float>()[0], -kInfinity);
  EXPECT_EQ(reduce("ReduceLogSumExp", floats({kInfinity, 1}), {0}).data<float>()[0], kInfinity);
  EXPECT_EQ(reduce("ReduceLogSumExp", floats({1000, 1000}), {0}).data<float>()[0], 1000 + std::log(2.0f));
}

TEST(Reduce, AxesOfOldVersionsAreAttributes) {
  const Tensor x = tensor<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  for (int since : {1, 11}) {
    const auto out = run_op({.op = "ReduceSum",
                             .attributes = {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}},
                             .inputs = {x},
                             .since = since});
    EXPECT_EQ(values<float>(out[0]), (std::vector<float>{6, 15})) << since;
  }
  EXPECT_EQ(run_op({.op = "ReduceMax", .inputs = {x}, .since = 13})[0].dims(), (Dims{1, 1}));
}

TEST(Reduce, NoAxesWithNoopKeepsEachElement) {
  const ir::Attributes noop = {{"noop_with_empty_axes", int64_t{1}}};
  EXPECT_EQ(values<float>(run_op({.op = "ReduceSumSquare", .attributes = noop, .inputs = {floats({-2, 3})}})[0]),
            (std::vector<float>{4, 9}));
  EXPECT_EQ(values<float>(run_op({.op = "ReduceSum", .attributes = noop, .inputs = {floats({-2, 3}), int64s({})}})[0]),
            (std::vector<float>{-2, 3}));
}

TEST(Reduce, RefusesAxesOutOfRange) { EXPECT_THROW(reduce("ReduceSum", floats({1, 2}), {1}), base::Error); }

TEST(ArgMax, TiesAndNaN) {
  const Tensor x = tensor<float>({2, 5, 5, 1}, {4});
  const auto arg = [&](const std::string& op, Tensor t, int64_t last) {
    return run_op({.op = op,
                   .attributes = {{"select_last_index", last}, {"keepdims", int64_t{0}}},
                   .inputs = {std::move(t)}})[0]
        .data<int64_t>()[0];
  };
  EXPECT_EQ(arg("ArgMax", x, 0), 1);
  EXPECT_EQ(arg("ArgMax", x, 1), 2);
  EXPECT_EQ(arg("ArgMin", x, 0), 3);
  EXPECT_EQ(arg("ArgMax", floats({1, std::nanf(""), 9}), 0), 1);
  EXPECT_EQ(arg("ArgMin", tensor<uint64_t>({UINT64_MAX, 3}, {2}), 0), 1);
}

TEST(Softmax, BeforeOpset13TheTrailingDimsAreOne) {
  const std::vector<float> x = {0, 1, 2, 3, 3, 2, 1, 0};
  const auto old = run_op(
      {.op = "Softmax", .attributes = {{"axis", int64_t{1}}}, .inputs = {tensor<float>(x, {2, 2, 2})}, .since = 11})[0];
  const auto flat = run_op({.op = "Softmax", .inputs = {tensor<float>(x, {2, 4})}})[0];
  EXPECT_EQ(old.dims(), (Dims{2, 2, 2}));
  EXPECT_EQ(values<float>(old), values<float>(flat));
}

TEST(Softmax, AnyAxisIsAsTheInnermost) {
  const int64_t n = 150;
  std::vector<float> rows, columns(static_cast<size_t>(3 * n));
  for (double v : pattern(3 * n)) rows.push_back(static_cast<float>(v) * 2.4f);
  for (int64_t i = 0; i < 3; ++i)
    for (int64_t j = 0; j < n; ++j) columns[static_cast<size_t>(i * n + j)] = rows[static_cast<size_t>(j * 3 + i)];
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    const auto a = run_op({.op = op, .inputs = {tensor<float>(rows, {n, 3})}})[0];
    const auto b =
        run_op({.op = op, .attributes = {{"axis", int64_t{0}}}, .inputs = {tensor<float>(columns, {3, n})}})[0];
    for (int64_t i = 0; i < 3; ++i)
      for (int64_t j = 0; j < n; ++j) ASSERT_NEAR(a.data<float>()[j * 3 + i], b.data<float>()[i * n + j], 2e-6f) << op;
  }
}

TEST(Softmax, RowsOfNothingButMinusInfinityAreNaN) {
  const auto y =
      run_op({.op = "Softmax", .inputs = {tensor<float>({-kInfinity, -kInfinity, -kInfinity, 0}, {2, 2})}})[0];
  EXPECT_TRUE(std::isnan(y.data<float>()[0]) && std::isnan(y.data<float>()[1]));
  EXPECT_EQ(y.data<float>()[2], 0.0f);
  EXPECT_EQ(y.data<float>()[3], 1.0f);
}

TEST(LayerNormalization, AParameterThatBroadcastsIsAsItsExpansion) {
  const Tensor x = tensor<float>({1, 2, 4, 8, 3, 1, 5, 5}, {2, 2, 2});
  const ir::Attributes axis = {{"axis", int64_t{1}}};
  const auto narrow = run_op(
      {.op = "LayerNormalization", .attributes = axis, .inputs = {x, tensor<float>({2, 3}, {2, 1})}, .outputs = 3});
  const auto wide = run_op({.op = "LayerNormalization",
                            .attributes = axis,
                            .inputs = {x, tensor<float>({2, 2, 3, 3}, {2, 2})},
                            .outputs = 3});
  for (size_t output = 0; output < 3; ++output)
    for (int64_t i = 0; i < narrow[output].count(); ++i)
      EXPECT_NEAR(narrow[output].data<float>()[i], wide[output].data<float>()[i], 1e-6f);
  EXPECT_EQ(narrow[1].dims(), (Dims{2, 1, 1}));
  EXPECT_FLOAT_EQ(narrow[1].data<float>()[0], 3.75f);
}

TEST(Reduce, HasARankWhereOnlyTheNumberOfAxesIsKnown) {
  using ir::Fact;
  const Fact data = Fact::tensor(DType::kFloat32, {3, 4, 5});
  const auto reduced = [&](ir::Dim axes, int64_t keepdims) {
    return infer_op("ReduceLogSum", {data, Fact::tensor(DType::kInt64, {axes})}, {{"keepdims", keepdims}})[0]
        .to_string();
  };
  EXPECT_EQ(reduced(2, 0), "float32[?]");
  EXPECT_EQ(reduced(3, 0), "float32[]");
  EXPECT_EQ(reduced(2, 1), "float32[?,?,?]");
  EXPECT_EQ(reduced(0, 0), Fact::tensor(DType::kFloat32).to_string());
  EXPECT_EQ(reduced(ir::Dim::symbol("n"), 0), Fact::tensor(DType::kFloat32).to_string());
}

}  // namespace
}  // namespace onnxrun::ops

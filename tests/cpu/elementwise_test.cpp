// Elementwise kernels on what the official cases leave out: every type, wrapping and failing integers, broadcasting
// rows, empty tensors, and the fast kernels against the plain ones.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Bfloat16;
using base::Dims;
using base::DType;
using base::Float16;
using base::Tensor;
using testing::ElementsAre;
using testing::ElementsAreArray;

template <class T>
Tensor tensor(Dims dims, std::vector<T> values) {
  Tensor result(base::dtype_of<T>, std::move(dims));
  std::copy(values.begin(), values.end(), result.mutable_data<T>());
  return result;
}
template <class T>
Tensor row(std::vector<T> values) {
  return tensor<T>({static_cast<int64_t>(values.size())}, values);
}

// The values of `op` on vectors of one length, with the type of the first.
template <class T, class R = T>
std::vector<R> compute(const std::string& op, std::vector<Tensor> inputs,
                       std::map<std::string, Attribute> attributes = {}) {
  const Dims dims = inputs[0].dims();
  const Tensor y = run_kernel({op, std::move(inputs), {{base::dtype_of<R>, dims}}, std::move(attributes)})[0];
  return {y.span<R>().begin(), y.span<R>().end()};
}

template <class F>
Code code_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kInternal;
}

constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();

TEST(Arithmetic, IntegersWrapAndTruncate) {
  EXPECT_THAT(compute<int8_t>("Add", {row<int8_t>({127, -128}), row<int8_t>({1, -1})}), ElementsAre(-128, 127));
  EXPECT_THAT(compute<uint16_t>("Mul", {row<uint16_t>({65535, 300}), row<uint16_t>({65535, 300})}),
              ElementsAre(1, 24464));
  EXPECT_THAT(compute<int32_t>("Sub", {row<int32_t>({-2147483647 - 1}), row<int32_t>({1})}), ElementsAre(2147483647));
  EXPECT_THAT(compute<int64_t>("Div", {row<int64_t>({7, -7, 7, kMin64}), row<int64_t>({2, 2, -2, -1})}),
              ElementsAre(3, -3, -3, kMin64));
  EXPECT_THAT(compute<uint8_t>("Div", {row<uint8_t>({255, 7}), row<uint8_t>({2, 8})}), ElementsAre(127, 0));
  EXPECT_EQ(code_of([] { compute<int8_t>("Div", {row<int8_t>({1, 2}), row<int8_t>({1, 0})}); }), Code::kRunFailed);
  EXPECT_EQ(code_of([] { compute<uint64_t>("Mod", {row<uint64_t>({1}), row<uint64_t>({0})}); }), Code::kRunFailed);
}

TEST(Arithmetic, NarrowFloatsGoThroughFloat) {
  std::vector<Float16> a, b;
  std::vector<Bfloat16> c;
  for (int i = 0; i < 700; ++i) {
    a.push_back(Float16(0.5f * static_cast<float>(i)));
    c.push_back(Bfloat16(static_cast<float>(i)));
  }
  b.push_back(Float16(0.25f));
  const Tensor sum = run_kernel({"Add", {row(a), row(b)}, {{DType::kFloat16, {700}}}})[0];
  const Tensor product = run_kernel({"Mul", {row(c), row(c)}, {{DType::kBfloat16, {700}}}})[0];
  for (int i = 0; i < 700; ++i) {
    EXPECT_EQ(sum.data<Float16>()[i].bits, Float16(0.5f * static_cast<float>(i) + 0.25f).bits);
    const float x = Bfloat16(static_cast<float>(i));
    EXPECT_EQ(product.data<Bfloat16>()[i].bits, Bfloat16(x * x).bits);
  }
}

TEST(Mod, FollowsTheDivisorOrTheDividend) {
  const auto a = row<int32_t>({-7, 7, -7, 7, -2147483647 - 1}), b = row<int32_t>({3, -3, -3, 3, -1});
  EXPECT_THAT(compute<int32_t>("Mod", {a, b}), ElementsAre(2, -2, -1, 1, 0));
  EXPECT_THAT(compute<int32_t>("Mod", {a, b}, {{"fmod", int64_t{1}}}), ElementsAre(-1, 1, -1, 1, 0));
  const float inf = INFINITY;
  const auto x = row<float>({-7.5f, 7.5f, 1, -1, 0, inf, 1}), y = row<float>({2, -2, inf, inf, -3, 2, 0});
  const auto r = compute<float>("Mod", {x, y});
  EXPECT_EQ(r[0], 0.5f);
  EXPECT_EQ(r[1], -0.5f);
  EXPECT_EQ(r[2], 1);
  EXPECT_EQ(r[3], inf);
  EXPECT_TRUE(r[4] == 0 && std::signbit(r[4]));
  EXPECT_TRUE(std::isnan(r[5]) && std::isnan(r[6]));
}

TEST(Pow, OfMixedTypes) {
  EXPECT_THAT(compute<int64_t>("Pow", {row<int64_t>({3, -2, 2, -1, 7}), row<int32_t>({4, 3, -1, -3, 0})}),
              ElementsAre(81, -8, 0, -1, 1));
  EXPECT_THAT(compute<int32_t>("Pow", {row<int32_t>({4, 9}), row<float>({0.5f, 1.5f})}), ElementsAre(2, 27));
  EXPECT_THAT(compute<float>("Pow", {row<float>({2, 3}), row<uint8_t>({10, 2})}), ElementsAre(1024, 9));
  EXPECT_EQ(code_of([] { compute<int32_t>("Pow", {row<int32_t>({0}), row<int8_t>({-1})}); }), Code::kRunFailed);
  const auto roots = compute<float>("Pow", {row<float>({4, -0.0f, -INFINITY, -1}), row<float>({0.5f})});
  EXPECT_EQ(roots[0], 2);
  EXPECT_TRUE(roots[1] == 0 && !std::signbit(roots[1]));
  EXPECT_EQ(roots[2], INFINITY);
  EXPECT_TRUE(std::isnan(roots[3]));
}

TEST(BitShift, DefinesEveryAmount) {
  const std::map<std::string, Attribute> left = {{"direction", "LEFT"}}, right = {{"direction", "RIGHT"}};
  EXPECT_THAT(compute<int8_t>("BitShift", {row<int8_t>({-3, 5, -3, -3, 64}), row<int8_t>({1, 1, 8, -1, 7})}, right),
              ElementsAre(-2, 2, -1, -1, 0));
  EXPECT_THAT(compute<int8_t>("BitShift", {row<int8_t>({64, -1, 1}), row<int8_t>({1, 9, -1})}, left),
              ElementsAre(-128, 0, 0));
  EXPECT_THAT(compute<uint64_t>("BitShift", {row<uint64_t>({1, 1}), row<uint64_t>({63, 64})}, left),
              ElementsAre(uint64_t{1} << 63, 0u));
}

TEST(Extremum, CarriesNan) {
  const auto a = row<float>({1, NAN, 3}), b = row<float>({2, 2, NAN}), c = row<float>({0, 9, 9});
  for (const char* op : {"Min", "Max"})
    for (const char* kernel : {"simd", "reference"}) {
      const Tensor y = run_kernel({op, {a, b, c}, {{DType::kFloat32, {3}}}, {}, kernel})[0];
      EXPECT_EQ(y.data<float>()[0], std::string(op) == "Min" ? 0 : 2);
      EXPECT_TRUE(std::isnan(y.data<float>()[1]) && std::isnan(y.data<float>()[2]));
    }
  EXPECT_THAT(compute<uint64_t>("Max", {row<uint64_t>({UINT64_MAX}), row<uint64_t>({1})}), ElementsAre(UINT64_MAX));
}

TEST(Variadic, OfOneAndOfBroadcastInputs) {
  EXPECT_THAT(compute<double>("Mean", {row<double>({1, 2})}), ElementsAre(1, 2));
  const auto sum = run_kernel({"Mean",
                               {row<float>({1, 2, 3}), tensor<float>({2, 1}, {10, 20}), tensor<float>({}, {1})},
                               {{DType::kFloat32, {2, 3}}}})[0];
  EXPECT_THAT(sum.span<float>(), ElementsAre(4.0f, 13.0f / 3, 14.0f / 3, 22.0f / 3, 23.0f / 3, 8.0f));
}

TEST(Clip, TakesAbsentLimits) {
  EXPECT_THAT(compute<int8_t>("Clip", {row<int8_t>({-5, 0, 5}), Tensor(), tensor<int8_t>({}, {2})}),
              ElementsAre(-5, 0, 2));
  EXPECT_THAT(compute<float>("Clip", {row<float>({-INFINITY, 3}), tensor<float>({}, {-1})}), ElementsAre(-1, 3));
  EXPECT_THAT(compute<float>("Clip", {row<float>({-5, 5}), tensor<float>({}, {3}), tensor<float>({}, {1})}),
              ElementsAre(1, 1));
  EXPECT_TRUE(std::isnan(compute<float>("Clip", {row<float>({NAN}), tensor<float>({}, {0})})[0]));
}

TEST(Compare, StringsAndNan) {
  using Strings = std::vector<std::string>;
  EXPECT_THAT(
      (compute<std::string, bool>("Equal", {row<std::string>(Strings{"a", "b"}), row<std::string>(Strings{"a", "c"})})),
      ElementsAre(true, false));
  const auto a = row<float>({NAN, 1, 1}), b = row<float>({NAN, 1, 2});
  EXPECT_THAT((compute<float, bool>("GreaterOrEqual", {a, b})), ElementsAre(false, true, false));
  EXPECT_THAT((compute<float, bool>("LessOrEqual", {a, b})), ElementsAre(false, true, true));
  EXPECT_THAT((compute<float, bool>("Less", {a, b})), ElementsAre(false, false, true));
  EXPECT_THAT((compute<float, bool>("Equal", {row<float>({-0.0f}), row<float>({0.0f})})), ElementsAre(true));
}

// Short rows that one operand sees again and again are merged; ranges of several threads start anywhere in them.
TEST(Arithmetic, RowsThatRepeat) {
  for (const int64_t period : {2, 3, 16, 50, 64, 65})
    for (const int64_t times : {2, 7, 40, 1200})
      for (const bool first : {false, true}) {
        const Dims dims{3, times, period};
        Tensor x(DType::kFloat32, dims), by(DType::kFloat32, {3, 1, period});
        for (int64_t i = 0; i < x.count(); ++i) x.mutable_data<float>()[i] = static_cast<float>(i % 1009);
        for (int64_t i = 0; i < by.count(); ++i) by.mutable_data<float>()[i] = static_cast<float>(3 * i + 1);
        const Tensor y =
            run_kernel({"Sub", first ? std::vector{by, x} : std::vector{x, by}, {{DType::kFloat32, dims}}})[0];
        for (int64_t i = 0; i < y.count(); ++i) {
          const float a = x.data<float>()[i], b = by.data<float>()[i / (times * period) * period + i % period];
          ASSERT_EQ(y.data<float>()[i], first ? b - a : a - b) << period << " " << times << " at " << i;
        }
      }
}

TEST(Where, MovesAnyType) {
  using Strings = std::vector<std::string>;
  const Tensor condition = tensor<bool>({2, 1}, {true, false});
  const Tensor y = run_kernel({"Where",
                               {condition, row<std::string>(Strings{"a", "b"}), tensor<std::string>({}, {"c"})},
                               {{DType::kString, {2, 2}}}})[0];
  EXPECT_THAT(y.span<std::string>(), ElementsAre("a", "b", "c", "c"));
  const Tensor z =
      run_kernel({"Where",
                  {tensor<bool>({3}, {true, false, true}), tensor<int64_t>({}, {7}), row<int64_t>({1, 2, 3})},
                  {{DType::kInt64, {3}}}})[0];
  EXPECT_THAT(z.span<int64_t>(), ElementsAre(7, 2, 7));
}

TEST(Shrink, OfIntegers) {
  const std::map<std::string, Attribute> attributes = {{"bias", 1.5f}, {"lambd", 1.5f}};
  EXPECT_THAT(compute<int8_t>("Shrink", {row<int8_t>({-4, -1, 0, 1, 5})}, attributes), ElementsAre(-2, 0, 0, 0, 3));
  const int64_t large = (int64_t{1} << 60) + 1;
  EXPECT_THAT(compute<int64_t>("Shrink", {row<int64_t>({large, -large})}), ElementsAre(large, -large));
}

// np.random.seed(5); np.random.uniform(0, 1, 6) >= 0.5
TEST(Dropout, DrawsLikeTheReference) {
  const auto x = row<float>({1, 2, 3, 4, 5, 6});
  const auto results = run_kernel({"Dropout",
                                   {x, tensor<float>({}, {0.5f}), tensor<bool>({}, {true})},
                                   {{DType::kFloat32, {6}}, {DType::kBool, {6}}},
                                   {{"seed", int64_t{5}}}});
  EXPECT_THAT(results[1].span<bool>(), ElementsAre(false, true, false, true, false, true));
  EXPECT_THAT(results[0].span<float>(), ElementsAre(0, 4, 0, 8, 0, 12));
  const auto inference = run_kernel({"Dropout", {x}, {{DType::kFloat32, {6}}, {DType::kBool, {6}}}});
  EXPECT_THAT(inference[0].span<float>(), ElementsAreArray(x.span<float>()));
  EXPECT_THAT(inference[1].span<bool>(), ElementsAre(true, true, true, true, true, true));
}

TEST(Elementwise, TakesEmptyTensors) {
  for (const char* op : {"Add", "Max", "Pow", "PRelu"}) {
    const Tensor y =
        run_kernel({op, {tensor<float>({0, 3}, {}), row<float>({1, 2, 3})}, {{DType::kFloat32, {0, 3}}}})[0];
    EXPECT_EQ(y.count(), 0);
  }
  for (const char* op : {"Relu", "Exp", "Cast"}) run_kernel({op, {tensor<float>({0}, {})}, {{DType::kFloat32, {0}}}});
}

// Every operator with a fast kernel: both kernels agree on random rows of each broadcast form.
class FastKernels : public testing::TestWithParam<const char*> {};

TEST_P(FastKernels, AgreeWithThePlainOnes) {
  const std::string op = GetParam();
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 3);
  const auto make = [&](Dims dims) {
    Tensor x(DType::kFloat32, std::move(dims));
    for (int64_t i = 0; i < x.count(); ++i) {
      const float value = normal(random);
      x.mutable_data<float>()[i] = op == "Log" || op == "Sqrt" ? std::fabs(value) : value;
    }
    return x;
  };
  const bool binary =
      op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Min" || op == "Max" || op == "PRelu";
  const bool equal_shapes = op == "SwiGLU";
  std::vector<std::vector<Tensor>> cases;
  if (equal_shapes) cases = {{make({3, 333}), make({3, 333})}};
  else if (!binary) cases = {{make({70, 333})}, {make({})}, {make({1})}};
  else
    cases = {{make({70, 333}), make({70, 333})},
             {make({70, 333}), make({333})},
             {make({70, 333}), make({})},
             {make({70, 333}), make({70, 1})},
             {make({5, 7, 1, 9}), make({7, 4, 1})}};
  if (binary && op != "PRelu") cases.push_back({make({}), make({333})});
  for (const auto& inputs : cases) {
    const Dims dims = binary ? base::broadcast(inputs[0].dims(), inputs[1].dims()) : inputs[0].dims();
    const auto run = [&](const char* kernel) {
      return run_kernel({op, inputs, {{DType::kFloat32, dims}}, {}, kernel})[0];
    };
    const Tensor fast = run("simd"), plain = run("reference");
    for (int64_t i = 0; i < fast.count(); ++i) {
      const float a = fast.data<float>()[i], b = plain.data<float>()[i];
      ASSERT_NEAR(a, b, 1e-6 * std::fmax(1e-3, std::fabs(b))) << op << " element " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, FastKernels,
                         testing::Values("Exp", "Log", "Erf", "Tanh", "Sin", "Cos", "Sqrt", "Reciprocal", "Relu",
                                         "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid", "HardSwish",
                                         "Softplus", "Softsign", "Mish", "Gelu", "Swish", "SwiGLU", "Add", "Sub", "Mul",
                                         "Div", "Min", "Max", "PRelu"));

}  // namespace
}  // namespace onnxrun::cpu

// Casts between all element types: small numbers survive every pair, text reads and prints as numpy has it, edges are
// defined.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Bfloat16;
using base::DType;
using base::Float16;
using base::Tensor;
using testing::ElementsAre;

Tensor cast(const Tensor& x, DType to, std::map<std::string, Attribute> attributes = {}) {
  return run_kernel({"Cast", {x}, {{to, x.dims()}}, std::move(attributes)})[0];
}
template <class T>
Tensor row(std::vector<T> values) {
  Tensor result(base::dtype_of<T>, {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), result.mutable_data<T>());
  return result;
}
template <class T>
std::vector<T> values(const Tensor& x) {
  return {x.span<T>().begin(), x.span<T>().end()};
}

std::vector<DType> castable() {
  std::vector<DType> result;
  for (int32_t d = 1; d <= base::kLastDType; ++d)
    if (!base::is_complex(static_cast<DType>(d))) result.push_back(static_cast<DType>(d));
  return result;
}

TEST(Cast, OneSurvivesEveryPairOfTypes) {
  // 1 is the one number that all 26 types hold (float8e8m0 has no 0). An odd length leaves packed types a partial byte.
  const Tensor ones = row(std::vector<float>(333, 1.0f));
  for (const DType from : castable())
    for (const DType to : castable()) {
      const Tensor x = cast(ones, from);
      const Tensor back = cast(cast(x, to), DType::kFloat32);
      for (int64_t i = 0; i < back.count(); ++i)
        ASSERT_EQ(back.data<float>()[i], 1.0f)
            << base::dtype_name(from) << " to " << base::dtype_name(to) << " element " << i;
    }
}

TEST(Cast, FloatsToIntegersLikeX86) {
  const Tensor x = row<float>({-1.9f, 1.9f, 300, 3e9f, 1e20f, NAN, -INFINITY});
  EXPECT_THAT(values<int32_t>(cast(x, DType::kInt32)),
              ElementsAre(-1, 1, 300, INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN));
  EXPECT_THAT(values<uint8_t>(cast(x, DType::kUint8)), ElementsAre(255, 1, 44, 0, 0, 0, 0));
  EXPECT_THAT(values<int64_t>(cast(x, DType::kInt64)),
              ElementsAre(-1, 1, 300, 3000000000, INT64_MIN, INT64_MIN, INT64_MIN));
  EXPECT_THAT(values<uint64_t>(cast(row<double>({1.8e19}), DType::kUint64)), ElementsAre(18000000000000000000u));
  EXPECT_THAT(values<bool>(cast(x, DType::kBool)), ElementsAre(true, true, true, true, true, true, true));
  EXPECT_THAT(values<bool>(cast(row<double>({0, -0.0, 1e-300}), DType::kBool)), ElementsAre(false, false, true));
}

TEST(Cast, IntegersWrapAndRoundOnce) {
  EXPECT_THAT(values<int8_t>(cast(row<int16_t>({200, -129}), DType::kInt8)), ElementsAre(-56, 127));
  // Halfway between two bfloat16 values but for the lowest bit.
  const int64_t above = (int64_t{1} << 60) + (int64_t{1} << 52) + 1;
  EXPECT_EQ(static_cast<float>(values<Bfloat16>(cast(row<int64_t>({above}), DType::kBfloat16))[0]),
            std::ldexp(1.0f, 60) + std::ldexp(1.0f, 53));
  EXPECT_EQ(static_cast<float>(values<Float16>(cast(row<int32_t>({2049}), DType::kFloat16))[0]), 2048.0f);
  EXPECT_EQ(static_cast<float>(values<Float16>(cast(row<double>({1 + 0x1p-11 + 0x1p-40}), DType::kFloat16))[0]),
            1 + 0x1p-10f);
  EXPECT_EQ(static_cast<float>(values<Float16>(cast(row<float>({70000, -70000}), DType::kFloat16))[1]), -INFINITY);
}

TEST(Cast, SaturatesAndRoundsFloat8AsTold) {
  const Tensor x = row<float>({1000, 3});
  const auto bytes = [](const Tensor& y) { return *static_cast<const uint8_t*>(y.raw()); };
  EXPECT_EQ(bytes(cast(x, DType::kFloat8E4M3FN)), 0x7e);
  EXPECT_EQ(bytes(cast(x, DType::kFloat8E4M3FN, {{"saturate", int64_t{0}}})), 0x7f);
  const Tensor three = row<float>({3});
  EXPECT_EQ(bytes(cast(three, DType::kFloat8E8M0)), 129);
  EXPECT_EQ(bytes(cast(three, DType::kFloat8E8M0, {{"round_mode", "down"}})), 128);
  EXPECT_EQ(bytes(cast(row<double>({3}), DType::kFloat8E8M0, {{"round_mode", "nearest"}})), 129);
}

TEST(Cast, WritesNumbersAsText) {
  using Strings = std::vector<std::string>;
  EXPECT_EQ(values<std::string>(cast(row<float>({1, 0.1f, -2.5f, 1e-5f, 1e20f, NAN, -INFINITY}), DType::kString)),
            (Strings{"1.0", "0.1", "-2.5", "1e-05", "1e+20", "nan", "-inf"}));
  EXPECT_EQ(values<std::string>(cast(row<double>({0.1, 1e15}), DType::kString)),
            (Strings{"0.1", "1000000000000000.0"}));
  EXPECT_EQ(values<std::string>(cast(row<Float16>({Float16(0.1f), Float16(20.0f)}), DType::kString)),
            (Strings{"0.1", "20.0"}));
  EXPECT_EQ(values<std::string>(cast(row<int64_t>({INT64_MIN, 7}), DType::kString)),
            (Strings{"-9223372036854775808", "7"}));
  EXPECT_EQ(values<std::string>(cast(row<bool>({true, false}), DType::kString)), (Strings{"True", "False"}));
}

TEST(Cast, ReadsNumbersFromText) {
  using Strings = std::vector<std::string>;
  const auto x = values<float>(
      cast(row(Strings{"3.14", "1e-5", " 1E8 ", "+INF", "-inf", "nan", "+7", "1e99", "-1e-99", "infinity"}),
           DType::kFloat32));
  EXPECT_EQ(x[0], 3.14f);
  EXPECT_EQ(x[1], 1e-5f);
  EXPECT_EQ(x[2], 1e8f);
  EXPECT_EQ(x[3], INFINITY);
  EXPECT_EQ(x[4], -INFINITY);
  EXPECT_TRUE(std::isnan(x[5]));
  EXPECT_EQ(x[6], 7);
  EXPECT_EQ(x[7], INFINITY);
  EXPECT_EQ(x[8], 0);
  EXPECT_EQ(x[9], INFINITY);
  EXPECT_THAT(values<int64_t>(cast(row(Strings{"9223372036854775807", "100.5", "-1e3", "+5"}), DType::kInt64)),
              ElementsAre(INT64_MAX, 100, -1000, 5));
  EXPECT_THAT(values<uint64_t>(cast(row(Strings{"18446744073709551615"}), DType::kUint64)), ElementsAre(UINT64_MAX));
  EXPECT_THAT(values<bool>(cast(row(Strings{"True", "0", "false", "2"}), DType::kBool)),
              ElementsAre(true, false, false, true));
  for (const char* text : {"", "Hello World!", "1.5x", "+-1", "0x10", "--1"}) {
    try {
      cast(row(Strings{text}), DType::kFloat32);
      ADD_FAILURE() << "'" << text << "' was read as a number";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kRunFailed) << text;
    }
  }
}

}  // namespace
}  // namespace onnxrun::cpu

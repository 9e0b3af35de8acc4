// The row kernels of comparisons, logic, arithmetic and conversions at every instruction set level against the plain loops.
#include "cpu/kernels/simd/number_rows.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>

#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/kernels/simd/conversions.h"
#include "cpu/levels_here.h"
#include "cpu/loops/convert_element.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::Tensor;

using NumberRows = AtLevel;

// Few different numbers, so that many are equal, and those at the ends of the type's range.
template <class T>
T draw(std::mt19937& random) {
  using Limits = std::numeric_limits<T>;
  const unsigned pick = random() % 32;
  if constexpr (std::is_same_v<T, bool>) return pick % 2 == 0;
  else {
    if (pick == 0) return Limits::max();
    if (pick == 1) return Limits::lowest();
    if constexpr (std::is_floating_point_v<T>) {
      const T special[] = {
          Limits::quiet_NaN(), Limits::infinity(),  -Limits::infinity(), T(-0.0), T(2.5), T(-0.5), T(1.5), T(3e9),
          T(1.8e19),           Limits::denorm_min()};
      if (pick < 12) return special[pick - 2];
      return T(0.5) * static_cast<T>(static_cast<int>(random() % 13) - 6);
    } else {
      return static_cast<T>(random() % 7 - (std::is_signed_v<T> ? 3 : 0));
    }
  }
}

Tensor random_tensor(DType type, const Dims& dims, std::mt19937& random) {
  Tensor result(type, dims);
  dispatch(Join<WideNumbers, Types<bool>>{}, type, [&]<class T>(std::type_identity<T>) {
    for (int64_t i = 0; i < result.count(); ++i) result.mutable_data<T>()[i] = draw<T>(random);
  });
  return result;
}

void expect_same(const std::string& op, const std::vector<Tensor>& inputs, DType result) {
  Dims dims = inputs[0].dims();
  if (inputs.size() > 1) dims = base::broadcast(dims, inputs[1].dims());
  KernelCall call{.op = op, .inputs = inputs, .outputs = {{result, dims}}, .kernel = "simd"};
  const Tensor fast = run_kernel(call)[0];
  call.kernel = "reference";
  const Tensor plain = run_kernel(call)[0];
  dispatch(Join<WideNumbers, Types<bool>>{}, result, [&]<class T>(std::type_identity<T>) {
    for (int64_t i = 0; i < fast.count(); ++i) {
      const T a = fast.data<T>()[i], b = plain.data<T>()[i];
      ASSERT_TRUE((a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0)
          << op << " of " << base::dtype_name(inputs[0].dtype()) << " at " << i << ": " << +a << ", not " << +b;
    }
  });
}

TEST_P(NumberRows, ComputeWhatThePlainLoopsDo) {
  std::mt19937 random(1);
  const std::vector<DType> numbers = {DType::kFloat32, DType::kFloat64, DType::kInt8,   DType::kInt16,  DType::kInt32,
                                      DType::kInt64,   DType::kUint8,   DType::kUint16, DType::kUint32, DType::kUint64};
  for (const char* op :
       {"Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Add", "Sub", "Mul",  "Min",  "Max",
        "And",   "Or",   "Xor",     "Not",         "IsNaN",          "Abs", "Neg", "Sign", "Ceil", "Floor",
        "Round"}) {
    const std::string name = op;
    const bool logic = name == "And" || name == "Or" || name == "Xor" || name == "Not";
    const bool one = name == "Not" || name == "IsNaN" || name == "Abs" || name == "Neg" || name == "Sign" ||
                     name == "Ceil" || name == "Floor" || name == "Round";
    const bool decides =
        logic || name == "IsNaN" || name == "Equal" || name.starts_with("Less") || name.starts_with("Greater");
    int kernels = 0;
    for (const DType type : logic ? std::vector{DType::kBool} : numbers) {
      if ((decides ? simd::truth_row(op, type) : simd::number_row(op, type)) == nullptr) continue;
      if (name == "Neg" && base::is_integer(type) && !base::is_signed_integer(type)) continue;
      ++kernels;
      const Dims full{3, 1031};
      for (const Dims& a : {full, Dims{1}, Dims{3, 1}, Dims{0, 1031}})
        for (const Dims& b : {full, Dims{1}, Dims{1031}}) {
          if (one && b != full) continue;
          std::vector<Tensor> inputs{random_tensor(type, a, random)};
          if (!one) inputs.push_back(random_tensor(type, a.size() == 2 && a[0] == 0 ? Dims{1031} : b, random));
          expect_same(name, inputs, decides ? DType::kBool : type);
        }
    }
    EXPECT_GT(kernels, 0) << op;
  }
}

template <class From, class To>
void compare_conversion(std::mt19937& random) {
  const Converter fast = simd::conversion(dtype_of<From>, dtype_of<To>);
  ASSERT_EQ(fast == nullptr, (std::is_same_v<From, To>)) << base::dtype_name(dtype_of<From>);
  if (fast == nullptr) return;
  for (const int64_t count : {0, 1, 15, 64, 333, 5000}) {
    const Tensor x = random_tensor(dtype_of<From>, {count}, random);
    Tensor y(dtype_of<To>, {count});
    fast(x.raw(), y.view().data, count);
    for (int64_t i = 0; i < count; ++i) {
      const From from = x.data<From>()[i];
      const To a = y.data<To>()[i], b = convert_element<To>(from);
      ASSERT_TRUE((a != a && b != b) || std::memcmp(&a, &b, sizeof a) == 0)
          << base::dtype_name(dtype_of<From>) << " to " << base::dtype_name(dtype_of<To>) << " of " << +from << ": "
          << +a << ", not " << +b;
    }
  }
}

template <class... T>
void compare_conversions(Types<T...>, std::mt19937& random) {
  const auto from = [&]<class From>(std::type_identity<From>) { (compare_conversion<From, T>(random), ...); };
  (from(std::type_identity<T>{}), ...);
}

TEST_P(NumberRows, ConvertWhatThePlainLoopsDo) {
  std::mt19937 random(2);
  compare_conversions(Types<float, double, int8_t, uint8_t, int32_t, int64_t, bool>{}, random);
}

// float16 through float32: whatever that rounds is infinite.
TEST_P(NumberRows, IntegersBecomeHalves) {
  std::mt19937 random(3);
  constexpr int64_t kCount = 20000;
  Tensor x(DType::kInt64, {kCount});
  for (int64_t i = 0; i < kCount; ++i) {
    const auto wide = static_cast<int64_t>((uint64_t{random()} << 32) | random());
    x.mutable_data<int64_t>()[i] = wide >> (random() % 64);
  }
  const Tensor y = run_kernel({"Cast", {x}, {{DType::kFloat16, {kCount}}}})[0];
  for (int64_t i = 0; i < kCount; ++i)
    ASSERT_EQ(y.data<Float16>()[i].bits, Float16(static_cast<double>(x.data<int64_t>()[i])).bits)
        << x.data<int64_t>()[i];
}

INSTANTIATE_TEST_SUITE_P(Levels, NumberRows, testing::ValuesIn(levels_here()), name_of_level);

}  // namespace
}  // namespace onnxrun::cpu

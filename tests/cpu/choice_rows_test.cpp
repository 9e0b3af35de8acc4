// Where, ArgMax, ArgMin, GridSample and Mod: their faster kernels against the plain ones.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "base/shape.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

Tensor random_bytes(DType type, const Dims& dims, std::mt19937& random, unsigned mask = 0xff) {
  Tensor tensor(type, dims);
  auto* bytes = static_cast<uint8_t*>(tensor.view().data);
  const int64_t count = base::element_count(dims) * base::dtype_bits(type) / 8;
  for (int64_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(random() & mask);
  return tensor;
}

void expect_same_bytes(const Tensor& got, const Tensor& want, int64_t bytes) {
  ASSERT_EQ(std::memcmp(got.view().data, want.view().data, static_cast<size_t>(bytes)), 0);
}

TEST(WhereRows, EveryElementSizeAndBroadcast) {
  std::mt19937 random(1);
  const Dims full = {3, 5, 67};
  const std::vector<Dims> shapes = {full, {1}, {67}, {5, 1}, {3, 1, 67}, {1, 5, 67}};
  for (const DType type : {DType::kUint8, DType::kFloat16, DType::kFloat32, DType::kInt64})
    for (const Dims& c : shapes)
      for (const Dims& x : shapes)
        for (const Dims& y : shapes) {
          KernelCall call{.op = "Where",
                          .inputs = {random_bytes(DType::kBool, c, random, 1), random_bytes(type, x, random),
                                     random_bytes(type, y, random)},
                          .outputs = {{type, base::broadcast(base::broadcast(c, x), y)}},
                          .kernel = "rows"};
          const auto got = run_kernel(call);
          call.kernel = "reference";
          expect_same_bytes(got[0], run_kernel(call)[0],
                            base::element_count(call.outputs[0].second) * base::dtype_bits(type) / 8);
        }
}

// Not a number is the largest and the smallest of all.
template <class T>
int64_t extreme(const T* row, int64_t size, bool largest, bool last) {
  int64_t best = 0;
  for (int64_t i = 1; i < size; ++i) {
    const T found = row[best], value = row[i];
    const bool found_nan = found != found, nan = value != value;
    const bool wins = !found_nan && (nan || (largest ? value > found : value < found));
    if (wins || (last && (value == found || (found_nan && nan)))) best = i;
  }
  return best;
}

template <class T>
void compare_extremes(DType type, std::mt19937& random) {
  for (const int64_t size : {1, 2, 7, 16, 63, 64, 65, 300, 2048, 2049, 5000}) {
    constexpr int64_t kRows = 24;
    Tensor x(type, {kRows, size});
    T* data = x.mutable_data<T>();
    for (int64_t i = 0; i < kRows * size; ++i) {
      // Few different values, so that the first and the last one differ; the high bit tells signed from unsigned.
      data[i] = static_cast<T>(static_cast<int>(random() % 40) - (std::is_unsigned_v<T> ? 0 : 20));
      if constexpr (std::is_unsigned_v<T>) data[i] |= static_cast<T>(random() % 2) << (sizeof(T) * 8 - 1);
      if constexpr (std::is_floating_point_v<T>) {
        const int64_t row = i / size;
        if (row % 4 == 1 && random() % 50 == 0) data[i] = static_cast<T>(kNan);
        if (row % 4 == 2) data[i] = static_cast<T>(random() % 2 == 0 ? -kInf : row % 8 == 2 ? -kInf : kInf);
        if (row % 4 == 3 && random() % 2 == 0) data[i] = static_cast<T>(-0.0);
      }
    }
    for (const char* op : {"ArgMax", "ArgMin"})
      for (const int64_t last : {0, 1}) {
        KernelCall call{.op = op,
                        .inputs = {x},
                        .outputs = {{DType::kInt64, {kRows, 1}}},
                        .attributes = {{"axis", int64_t{-1}}, {"select_last_index", last}}};
        const auto got = run_kernel(call);
        for (int64_t i = 0; i < kRows; ++i)
          ASSERT_EQ(got[0].data<int64_t>()[i], extreme(data + i * size, size, op == std::string("ArgMax"), last != 0))
              << op << " of " << size << ", last " << last << ", row " << i;
      }
  }
}

TEST(ExtremeRows, FindTheElementThatThePlainLoopFinds) {
  std::mt19937 random(2);
  compare_extremes<float>(DType::kFloat32, random);
  compare_extremes<double>(DType::kFloat64, random);
  compare_extremes<int64_t>(DType::kInt64, random);
  compare_extremes<uint64_t>(DType::kUint64, random);
}

TEST(GridSample, ImagesAreSampledAsByThePlainLoop) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> value(-1, 1);
  Tensor x(DType::kFloat32, {2, 3, 9, 13}), grid(DType::kFloat32, {2, 20, 31, 2});
  for (int64_t i = 0; i < x.count(); ++i) x.mutable_data<float>()[i] = value(random);
  x.mutable_data<float>()[0] = kInf;  // where zeros that pad would become NaN
  for (int64_t i = 0; i < grid.count(); ++i) grid.mutable_data<float>()[i] = 1.4f * value(random);
  for (const int64_t i : {0, 6}) grid.mutable_data<float>()[i] = kNan;
  grid.mutable_data<float>()[9] = kInf;
  grid.mutable_data<float>()[13] = -1e30f;
  for (const char* mode : {"linear", "nearest"})
    for (const char* padding : {"zeros", "border", "reflection"})
      for (const int64_t corners : {0, 1}) {
        KernelCall call{.op = "GridSample",
                        .inputs = {x, grid},
                        .outputs = {{DType::kFloat32, {2, 3, 20, 31}}},
                        .attributes = {{"mode", std::string(mode)},
                                       {"padding_mode", std::string(padding)},
                                       {"align_corners", corners}},
                        .kernel = "images"};
        const auto got = run_kernel(call);
        call.kernel = "reference";
        const auto want = run_kernel(call);
        for (int64_t i = 0; i < want[0].count(); ++i) {
          const float a = got[0].data<float>()[i], b = want[0].data<float>()[i];
          ASSERT_TRUE(a == b || (a != a && b != b) || std::abs(a - b) < 1e-6f)
              << mode << ' ' << padding << ' ' << corners << " at " << i << ": " << a << " and " << b;
        }
      }
}

TEST(Mod, TruncatedRemaindersOfFloatsAreExact) {
  std::mt19937 random(4);
  constexpr int64_t kCount = 200000;
  Tensor a(DType::kFloat32, {kCount}), b(DType::kFloat32, {kCount});
  const float special[] = {0.0f, -0.0f, 1.0f, -1.0f, kInf, -kInf, kNan, 1e-45f, 3e38f, 0x1p24f, 0x1p-126f};
  for (int64_t i = 0; i < kCount; ++i) {
    const auto any = [&](int range) {
      const auto bits = static_cast<uint32_t>(random());
      return std::ldexp(static_cast<float>(static_cast<int32_t>(bits)), static_cast<int>(random() % 60) - range);
    };
    a.mutable_data<float>()[i] = i < 121 ? special[i / 11] : any(40);
    b.mutable_data<float>()[i] = i < 121 ? special[i % 11] : any(60);
    if (i % 3 == 0 && i > 121)  // near a multiple
      a.mutable_data<float>()[i] =
          std::nextafter(b.data<float>()[i] * static_cast<float>(random() % 100000), i % 2 == 0 ? kInf : 0.0f);
  }
  const auto got = run_kernel(
      {.op = "Mod", .inputs = {a, b}, .outputs = {{DType::kFloat32, {kCount}}}, .attributes = {{"fmod", int64_t{1}}}});
  for (int64_t i = 0; i < kCount; ++i) {
    const float want = std::fmod(a.data<float>()[i], b.data<float>()[i]), is = got[0].data<float>()[i];
    ASSERT_TRUE((is == want && std::signbit(is) == std::signbit(want)) || (is != is && want != want))
        << a.data<float>()[i] << " mod " << b.data<float>()[i] << " is " << want << ", not " << is;
  }
}

}  // namespace
}  // namespace onnxrun::cpu

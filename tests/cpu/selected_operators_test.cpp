// Operators with loops of their own for cases that models have, against the definition.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/shape.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

template <class T>
Tensor tensor(DType type, const Dims& dims, const std::vector<T>& values) {
  Tensor result(type, dims);
  std::copy(values.begin(), values.end(), result.mutable_data<T>());
  return result;
}

Tensor ints(const std::vector<int64_t>& values) {
  return tensor(DType::kInt64, {static_cast<int64_t>(values.size())}, values);
}

TEST(Div, OfInt32TruncatesAndWraps) {
  constexpr int32_t kLeast = std::numeric_limits<int32_t>::min(), kMost = std::numeric_limits<int32_t>::max();
  std::vector<int32_t> a, b;
  for (const int32_t x : {kLeast, kLeast + 1, -7, -1, 0, 1, 7, kMost - 1, kMost})
    for (const int32_t y : {kLeast, -3, -2, -1, 1, 2, 3, kMost - 1, kMost}) a.push_back(x), b.push_back(y);
  const Dims dims{static_cast<int64_t>(a.size())};
  const Tensor y = run_kernel({.op = "Div",
                               .inputs = {tensor(DType::kInt32, dims, a), tensor(DType::kInt32, dims, b)},
                               .outputs = {{DType::kInt32, dims}}})[0];
  for (size_t i = 0; i < a.size(); ++i)
    EXPECT_EQ(y.data<int32_t>()[i], static_cast<int32_t>(int64_t{a[i]} / b[i])) << a[i] << " / " << b[i];
  b[5] = 0;
  EXPECT_THROW(run_kernel({.op = "Div",
                           .inputs = {tensor(DType::kInt32, dims, a), tensor(DType::kInt32, dims, b)},
                           .outputs = {{DType::kInt32, dims}}}),
               Error);
}

TEST(Pow, OfIntegersByOneExponent) {
  const std::vector<int64_t> x{0, 1, -1, 3, -5, int64_t{1} << 40, std::numeric_limits<int64_t>::min()};
  for (const int64_t exponent : {0, 1, 2, 3, 4}) {
    const Tensor y =
        run_kernel({.op = "Pow", .inputs = {ints(x), ints({exponent})}, .outputs = {{DType::kInt64, {7}}}})[0];
    for (size_t i = 0; i < x.size(); ++i) {
      uint64_t want = 1;
      for (int64_t k = 0; k < exponent; ++k) want *= static_cast<uint64_t>(x[i]);
      EXPECT_EQ(y.data<int64_t>()[i], static_cast<int64_t>(want)) << x[i] << " to the power " << exponent;
    }
  }
}

TEST(Resize, RepeatsElements) {
  for (const int64_t width : {1, 3, 4, 9, 32}) {
    const Tensor x = random({2, 3, 2, width}, 3);
    const Dims out{2, 3, 4, 2 * width};
    const Tensor y = run_kernel({.op = "Resize",
                                 .inputs = {x, Tensor(), Tensor(), ints({2, 3, 4, 2 * width})},
                                 .outputs = {{DType::kFloat32, out}},
                                 .attributes = {{"mode", std::string("nearest")},
                                                {"coordinate_transformation_mode", std::string("asymmetric")},
                                                {"nearest_mode", std::string("floor")}},
                                 .kernel = "rows"})[0];
    for (int64_t i = 0; i < y.count(); ++i) {
      const int64_t row = i / (2 * width), column = i % (2 * width);
      const int64_t from = row / 4 * 2 + row % 4 / 2;
      EXPECT_EQ(y.data<float>()[i], x.data<float>()[from * width + column / 2]) << width << " at " << i;
    }
  }
}

TEST(GridSample, OfImagesAgreesWithThePlainLoops) {
  for (const char* padding : {"zeros", "border", "reflection"})
    for (const int64_t points : {1, 7, 16, 300}) {
      Tensor x = random({2, 3, 5, 6}, 3), grid = random({2, 1, points, 2}, 4);
      for (int64_t i = 0; i < grid.count(); ++i) grid.mutable_data<float>()[i] *= 1.5f;
      x.mutable_data<float>()[0] = std::numeric_limits<float>::infinity();  // outside taps weigh nothing of it
      const KernelCall call{.op = "GridSample",
                            .inputs = {x, grid},
                            .outputs = {{DType::kFloat32, {2, 3, 1, points}}},
                            .attributes = {{"padding_mode", std::string(padding)}}};
      KernelCall fast = call, plain = call;
      fast.kernel = "images";
      plain.kernel = "reference";
      const Tensor got = run_kernel(fast)[0], want = run_kernel(plain)[0];
      for (int64_t i = 0; i < want.count(); ++i) {
        const float a = got.data<float>()[i], b = want.data<float>()[i];
        if (std::isfinite(b)) EXPECT_NEAR(a, b, 1e-5f) << padding << " at " << i;
        else EXPECT_FALSE(std::isfinite(a)) << padding << " at " << i;
      }
    }
}

TEST(Col2Im, SumsWhatBlocksHaveOfEachPixel) {
  struct Blocks {
    Dims image, block, strides, dilations, pads;
  };
  for (const Blocks& b : {Blocks{{6, 7}, {2, 3}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
                          {{8, 8}, {2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
                          {{5, 600}, {3, 3}, {2, 3}, {1, 2}, {1, 4, 0, 2}},
                          {{9}, {4}, {3}, {1}, {2, 1}},
                          {{4, 3, 5}, {2, 1, 3}, {1, 2, 1}, {2, 1, 1}, {0, 1, 1, 1, 0, 1}}}) {
    const size_t axes = b.image.size();
    Dims blocks;
    for (size_t d = 0; d < axes; ++d)
      blocks.push_back(
          (b.image[d] + b.pads[d] + b.pads[axes + d] - (b.block[d] - 1) * b.dilations[d] - 1) / b.strides[d] + 1);
    const int64_t elements = base::element_count(b.block), count = base::element_count(blocks);
    const Tensor x = random({2, 3 * elements, count}, 3);
    Dims out{2, 3};
    out.insert(out.end(), b.image.begin(), b.image.end());
    std::vector<double> want(static_cast<size_t>(base::element_count(out)));
    const int64_t size = base::element_count(b.image);
    for (int64_t i = 0; i < x.count(); ++i) {
      int64_t at = i % count, e = i / count % elements, pixel = 0, step = 1;
      bool inside = true;
      for (size_t d = axes; d-- > 0;) {
        const int64_t p = at % blocks[d] * b.strides[d] + e % b.block[d] * b.dilations[d] - b.pads[d];
        inside = inside && p >= 0 && p < b.image[d];
        pixel += p * step;
        step *= b.image[d];
        at /= blocks[d];
        e /= b.block[d];
      }
      if (inside)
        want[static_cast<size_t>(i / count / elements * size + pixel)] += static_cast<double>(x.data<float>()[i]);
    }
    const Tensor y =
        run_kernel({.op = "Col2Im",
                    .inputs = {x, ints(b.image), ints(b.block)},
                    .outputs = {{DType::kFloat32, out}},
                    .attributes = {{"strides", b.strides}, {"dilations", b.dilations}, {"pads", b.pads}}})[0];
    for (int64_t i = 0; i < y.count(); ++i)
      ASSERT_NEAR(static_cast<double>(y.data<float>()[i]), want[static_cast<size_t>(i)], 1e-5)
          << base::to_string(b.image) << " at " << i;
  }
}

}  // namespace
}  // namespace onnxrun::cpu

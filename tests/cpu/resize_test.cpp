// The fast kernel of Resize against the plain one: modes, transformations, sizes that shrink and grow, axes that stay.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

Tensor ramp(const Dims& dims) {
  Tensor tensor(DType::kFloat32, dims);
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] = static_cast<float>(i * 7919 % 1009) / 64.0f - 7.0f;
  return tensor;
}

KernelCall resize(Tensor x, const Dims& out, const std::string& mode, const std::string& transform) {
  Tensor sizes(DType::kInt64, {static_cast<int64_t>(out.size())});
  std::copy(out.begin(), out.end(), sizes.mutable_data<int64_t>());
  const DType type = x.dtype();
  return {.op = "Resize",
          .inputs = {std::move(x), Tensor(), Tensor(), std::move(sizes)},
          .outputs = {{type, out}},
          .attributes = {{"mode", mode}, {"coordinate_transformation_mode", transform}},
          .kernel = "rows"};
}

TEST(Resize, RowsAgreeWithTheReference) {
  const std::pair<Dims, Dims> shapes[] = {{{2, 3, 5, 7}, {2, 3, 10, 14}},
                                          {{1, 2, 64, 96}, {1, 2, 128, 192}},
                                          {{1, 2, 9, 8}, {1, 2, 4, 3}},
                                          {{1, 2, 9, 8}, {1, 2, 1, 1}},
                                          {{2, 5, 6}, {2, 5, 13}},
                                          {{3, 5, 6}, {3, 11, 6}},
                                          {{4, 6}, {4, 6}},
                                          {{5}, {12}},
                                          {{1, 3, 4, 5}, {1, 3, 0, 5}},
                                          {{1, 1, 1, 1}, {1, 1, 3, 40}}};
  for (const auto& [in, out] : shapes)
    for (const char* mode : {"nearest", "linear"})
      for (const char* transform :
           {"half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "half_pixel_symmetric"})
        for (int64_t exclude : {0, 1}) {
          KernelCall call = resize(ramp(in), out, mode, transform);
          if (mode[0] == 'l') call.attributes["exclude_outside"] = exclude;
          const Tensor got = run_kernel(call)[0];
          call.kernel = "reference";
          const Tensor want = run_kernel(call)[0];
          for (int64_t i = 0; i < want.count(); ++i)
            ASSERT_NEAR(got.data<float>()[i], want.data<float>()[i], 4e-6)
                << mode << " " << transform << " " << base::to_string(in) << " to " << base::to_string(out) << " at "
                << i;
        }
}

TEST(Resize, LanesAgreeWithTheReference) {
  for (const int64_t lanes : {1, 8, 16, 19})
    for (const auto& [from, to] : {std::pair<Dims, Dims>{{5, 7}, {10, 14}},
                                   {{9, 8}, {4, 3}},
                                   {{9, 8}, {9, 20}},
                                   {{9, 8}, {3, 8}},
                                   {{1, 1}, {3, 40}}})
      for (const char* mode : {"nearest", "linear"})
        for (const char* transform : {"half_pixel", "align_corners", "asymmetric"}) {
          KernelCall call = resize(ramp({2, 3, from[0], from[1], lanes}), {2, 3, to[0], to[1], lanes}, mode, transform);
          call.attributes["axes"] = std::vector<int64_t>{2, 3};
          call.inputs[3] = Tensor::vector<int64_t>(std::span<const int64_t>(to));
          call.kernel = "lanes";
          const Tensor got = run_kernel(call)[0];
          call.kernel = "reference";
          const Tensor want = run_kernel(call)[0];
          for (int64_t i = 0; i < want.count(); ++i)
            ASSERT_NEAR(got.data<float>()[i], want.data<float>()[i], 4e-6)
                << mode << " " << transform << " " << lanes << " at " << i;
        }
  // What has no weight reaches nothing, be it no number.
  Tensor x = ramp({1, 3, 4, 8});
  std::fill_n(x.mutable_data<float>() + 2 * 32, 32, std::numeric_limits<float>::quiet_NaN());
  KernelCall call = resize(x, {1, 5, 4, 8}, "linear", "align_corners");
  call.attributes["axes"] = std::vector<int64_t>{1, 2};
  call.inputs[3] = Tensor::vector<int64_t>({5, 4});
  call.kernel = "lanes";
  const Tensor blended = run_kernel(call)[0];
  for (int64_t i = 0; i < blended.count(); ++i) EXPECT_EQ(std::isnan(blended.data<float>()[i]), i >= 3 * 32) << i;
}

TEST(Resize, RowsKeepBitsOfIntegersAndNaN) {
  Tensor whole(DType::kInt32, {1, 3, 4});
  for (int64_t i = 0; i < 12; ++i) whole.mutable_data<int32_t>()[i] = static_cast<int32_t>(0x7fffff00 + i);
  KernelCall call = resize(whole, {1, 5, 8}, "nearest", "asymmetric");
  const Tensor got = run_kernel(call)[0];
  call.kernel = "reference";
  const Tensor want = run_kernel(call)[0];
  for (int64_t i = 0; i < want.count(); ++i) EXPECT_EQ(got.data<int32_t>()[i], want.data<int32_t>()[i]);

  // A row of NaN reaches the rows that take it with a weight, and no others.
  Tensor x = ramp({1, 1, 3, 4});
  for (int64_t i = 8; i < 12; ++i) x.mutable_data<float>()[i] = std::numeric_limits<float>::quiet_NaN();
  call = resize(x, {1, 1, 5, 4}, "linear", "align_corners");
  const Tensor blended = run_kernel(call)[0];
  for (int64_t i = 0; i < 20; ++i) EXPECT_EQ(std::isnan(blended.data<float>()[i]), i >= 12) << i;
}

TEST(Resize, RowsDeclineWhatTheyDoNotDo) {
  EXPECT_THROW(run_kernel(resize(ramp({1, 2, 2}), {2, 2, 2}, "linear", "half_pixel")), Error);
  EXPECT_THROW(run_kernel(resize(ramp({2, 2}), {4, 4}, "cubic", "half_pixel")), Error);
  EXPECT_THROW(run_kernel(resize(Tensor(DType::kFloat16, {2, 2}), {4, 4}, "linear", "half_pixel")), Error);
}

}  // namespace
}  // namespace onnxrun::cpu

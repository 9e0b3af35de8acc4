// Pools by rows against the plain loops.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;

struct Windows {
  Dims in;
  std::vector<int64_t> kernel, strides, dilations, pads;
};

const Windows kCases[] = {
    {{2, 3, 28, 28}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {{1, 5, 28, 28}, {2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
    {{1, 2, 14, 15}, {5, 5}, {1, 1}, {1, 1}, {2, 2, 2, 2}},
    {{1, 2, 7, 7}, {3, 2}, {3, 3}, {1, 1}, {0, 1, 2, 0}},
    {{1, 2, 9, 40}, {3, 3}, {1, 2}, {2, 3}, {2, 5, 2, 5}},
    {{3, 2, 33}, {4}, {2}, {1}, {1, 2}},
    {{1, 2, 5, 6, 19}, {2, 3, 2}, {2, 1, 2}, {1, 2, 1}, {0, 1, 1, 1, 0, 1}},
    {{1, 1, 3, 2000}, {3, 3}, {2, 2}, {1, 1}, {1, 1, 1, 1}},
    {{1, 1, 3, 700}, {2, 3}, {1, 5}, {1, 1}, {0, 0, 0, 0}},
    {{1, 1, 1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}},
    {{0, 4, 8, 8}, {2, 2}, {2, 2}, {1, 1}, {0, 0, 0, 0}},
};

Dims out_dims(const Windows& w) {
  Dims out = w.in;
  const size_t rank = w.kernel.size();
  for (size_t d = 0; d < rank; ++d)
    out[d + 2] =
        (w.in[d + 2] + w.pads[d] + w.pads[rank + d] - (w.kernel[d] - 1) * w.dilations[d] - 1) / w.strides[d] + 1;
  return out;
}

// Few different numbers, so that equal ones meet; infinities, NaN and zeros of both signs among them when `special`.
Tensor input(const Dims& dims, bool special) {
  Tensor x = random(dims, 3);
  const float odd[] = {-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN(), -0.0f, 0.0f};
  for (int64_t i = 0; i < x.count(); ++i) {
    float& value = x.mutable_data<float>()[i];
    value = std::round(value * 8);
    if (special && i % 5 != 0) value = odd[i * 7 % 11 % 4];
  }
  return x;
}

std::vector<Tensor> pool(const char* op, const Windows& w, const Tensor& x, const char* kernel, int64_t with_pads,
                         bool indices = false) {
  KernelCall call{.op = op,
                  .inputs = {x},
                  .outputs = {{DType::kFloat32, out_dims(w)}},
                  .attributes = {{"kernel_shape", w.kernel},
                                 {"strides", w.strides},
                                 {"dilations", w.dilations},
                                 {"pads", w.pads},
                                 {"count_include_pad", with_pads}},
                  .kernel = kernel};
  if (indices) call.outputs.emplace_back(DType::kInt64, out_dims(w));
  return run_kernel(call);
}

void expect_same(const Tensor& got, const Tensor& want, float tolerance, const std::string& what) {
  for (int64_t i = 0; i < want.count(); ++i) {
    const float a = got.data<float>()[i], b = want.data<float>()[i];
    if (std::isnan(b)) EXPECT_TRUE(std::isnan(a)) << what << " at " << i;
    else if (std::isinf(b)) EXPECT_EQ(a, b) << what << " at " << i;
    else EXPECT_NEAR(a, b, tolerance) << what << " at " << i;
  }
}

TEST(RowPool, AgreesWithThePlainLoops) {
  for (const Windows& w : kCases)
    for (const bool special : {false, true})
      for (const char* op : {"MaxPool", "AveragePool"})
        for (const int64_t with_pads : {0, 1}) {
          const Tensor x = input(w.in, special);
          expect_same(pool(op, w, x, "rows", with_pads)[0], pool(op, w, x, "reference", with_pads)[0], 1e-5f,
                      op + (" of " + base::to_string(w.in)));
        }
}

TEST(RowPool, FindsTheIndicesOfThePlainLoops) {
  for (const Windows& w : kCases)
    for (const bool special : {false, true}) {
      const Tensor x = input(w.in, special);
      const auto got = pool("MaxPool", w, x, w.in[0] == 0 ? "reference" : "indexed rows", 0, true),
                 want = pool("MaxPool", w, x, "reference", 0, true);
      expect_same(got[0], want[0], 0, base::to_string(w.in));
      for (int64_t i = 0; i < want[1].count(); ++i)
        EXPECT_EQ(got[1].data<int64_t>()[i], want[1].data<int64_t>()[i]) << base::to_string(w.in) << " at " << i;
    }
}

}  // namespace
}  // namespace onnxrun::cpu

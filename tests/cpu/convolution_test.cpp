// The fast kernels of Conv, MatMul and Gemm against the plain ones, on shapes with odd sizes, groups, padding and batches.
#include <gtest/gtest.h>

#include <cstring>

#include "cpu/convolution_cases.h"
#include "cpu/loops/block_convolution.h"
#include "cpu/random_tensor.h"
#include "cpu/run_kernel.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {
namespace {

Tensor random_bytes(DType type, const Dims& dims, uint32_t seed) {
  Tensor tensor(type, dims);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    static_cast<uint8_t*>(tensor.mutable_raw())[i] = static_cast<uint8_t>(seed >> 24);
  }
  return tensor;
}

Tensor scale(float value) { return Tensor::scalar(value); }

void expect_same_bytes(const Tensor& got, const Tensor& want, const std::string& what) {
  ASSERT_EQ(got.dims(), want.dims()) << what;
  EXPECT_EQ(std::memcmp(got.raw(), want.raw(), want.bytes()), 0) << what;
}

TEST(Convolution, FastKernelsAgreeWithTheReference) {
  for (const ConvCase& c : kConvolutions) {
    for (bool biased : {true, false}) {
      KernelCall call{
          .op = "Conv",
          .inputs = {random(c.x, 1), random(c.w, 2), biased ? random({c.w[0]}, 3) : Tensor()},
          .outputs = {{DType::kFloat32, output_of(c)}},
          .attributes = {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.group}},
          .kernel = "reference"};
      const Tensor want = run_kernel(call)[0];
      int64_t terms = 1;
      for (size_t d = 1; d < c.w.size(); ++d) terms *= c.w[d];
      const std::string what = base::to_string(c.x) + " with " + base::to_string(c.w);
      for (const char* kernel : {"panels", "onednn"}) {
        call.kernel = kernel;
        try {
          expect_close(run_kernel(call)[0], want, terms, what + " by " + kernel);
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), Code::kUnsupported) << what << ": " << error.what();
          const bool must = onednn_block() >= c.from_block && call.kernel == "onednn" && c.onednn;
          EXPECT_FALSE(must) << what << ": " << error.what();
        }
      }
    }
  }
}

// Of one channel a filter, by pieces and in one.
TEST(Convolution, OfSequencesAgreesWithTheReference) {
  for (const ConvCase& c : {ConvCase{{2, 5, 4100}, {10, 1, 31}, {1}, {2}, {31, 29}, 5, false},
                            {{1, 3, 17}, {3, 1, 7}, {1}, {1}, {3, 3}, 3, false},
                            {{1, 2, 1}, {2, 1, 5}, {1}, {1}, {9, 2}, 2, false},
                            {{3, 4, 80}, {4, 1, 1}, {1}, {1}, {0, 0}, 4, false}})
    for (bool biased : {true, false}) {
      KernelCall call{
          .op = "Conv",
          .inputs = {random(c.x, 1), random(c.w, 2), biased ? random({c.w[0]}, 3) : Tensor()},
          .outputs = {{DType::kFloat32, output_of(c)}},
          .attributes = {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.group}},
          .kernel = "reference"};
      const Tensor want = run_kernel(call)[0];
      call.kernel = "sequences";
      expect_close(run_kernel(call)[0], want, c.w[2], base::to_string(c.x) + " with " + base::to_string(c.w));
    }
}

// Where there is nothing to sum, panels would write nothing.
TEST(Convolution, OfNoChannelsGivesItsBias) {
  KernelCall call{
      .op = "Conv",
      .inputs = {Tensor(DType::kFloat32, {2, 0, 4, 4}), Tensor(DType::kFloat32, {8, 0, 3, 3}), random({8}, 3)},
      .outputs = {{DType::kFloat32, {2, 8, 2, 2}}}};
  const Tensor y = run_kernel(call)[0];
  for (int64_t i = 0; i < y.count(); ++i) EXPECT_EQ(y.data<float>()[i], call.inputs[2].data<float>()[i / 4 % 8]);
  call.kernel = "panels";
  EXPECT_THROW(run_kernel(call), Error);
}

// So much work that it is done in several pieces, by images and by output channels.
TEST(Convolution, InPiecesAgreesWithThePanels) {
  for (const ConvCase& c : {ConvCase{{11, 64, 56, 56}, {64, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
                            ConvCase{{1, 64, 112, 112}, {272, 64, 3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}, 1, true},
                            ConvCase{{7, 3, 200, 200}, {64, 3, 7, 7}, {1, 1}, {1, 1}, {3, 3, 3, 3}, 1, true}}) {
    KernelCall call{
        .op = "Conv",
        .inputs = {random(c.x, 1), random(c.w, 2), random({c.w[0]}, 3)},
        .outputs = {{DType::kFloat32, output_of(c)}},
        .attributes = {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.group}},
        .kernel = "panels"};
    const Tensor want = run_kernel(call)[0];
    call.kernel = "onednn";
    try {
      expect_close(run_kernel(call)[0], want, c.w[1] * c.w[2] * c.w[3], base::to_string(c.x));
    } catch (const Error& error) {
      EXPECT_EQ(onednn_block(), 0) << error.what();
    }
  }
}

TEST(Convolution, TilesAreAsWideAsTheLevelsRegisters) {
#if defined(__x86_64__)
  const SimdLevel best = detected_simd_level();
  for (const SimdLevel level :
       {SimdLevel::kV2, SimdLevel::kV3, SimdLevel::kV4, SimdLevel::kVnni, SimdLevel::kBf16, SimdLevel::kSpr}) {
    if (level > best) break;
    limit_simd_level(level);
    EXPECT_EQ(block_convolution_functions().block, level >= SimdLevel::kV4   ? 16
                                                   : level == SimdLevel::kV3 ? 8
                                                                             : 0)
        << simd_level_name(level);
  }
  limit_simd_level(best);
#else
  GTEST_SKIP() << "no tiles but on x86-64";
#endif
}

TEST(Convolution, KernelsOnBlockedChannelsAgreeWithTheReference) {
  if (block_here() == 0) GTEST_SKIP() << "no kernels on blocked channels in this build at this instruction set level";
  const std::vector<ConvCase> cases = blocked_convolutions();
  int64_t taken = 0;
  for (const ConvCase& c : cases)
    for (const bool ends : {false, true}) {
      const Tensor y = blocked(random(output_of(c), 4));
      const bool plain = c.group == 1 && c.x[1] < 5 && c.x.size() == 4;
      KernelCall call{
          .op = "BlockedConv",
          .inputs = {plain ? random(c.x, 1) : blocked(random(c.x, 1)), random(c.w, 2)},
          .outputs = {{DType::kFloat32, y.dims()}},
          .attributes = {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.group}},
          .kernel = "reference",
          .domain = "onnxrun"};
      call.attributes["block"] = block_here();
      if (ends) {
        call.inputs.insert(call.inputs.end(), {random({c.w[0]}, 3), y});
        call.attributes["activation"] = std::string(c.x[1] % 2 == 0 ? "Relu" : "Sigmoid");
      }
      int64_t terms = 1;
      for (size_t d = 1; d < c.w.size(); ++d) terms *= c.w[d];
      const std::string what = base::to_string(c.x) + " with " + base::to_string(c.w);
      Tensor want;
      try {
        want = run_kernel(call)[0];
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kUnsupported) << what << ": " << error.what();
        continue;
      }
      for (const char* kernel : {"tiles", "onednn"}) {
        call.kernel = kernel;
        try {
          expect_close(run_kernel(call)[0], want, terms, what + " by " + kernel);
          ++taken;
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), Code::kUnsupported) << what << ": " << error.what();
        }
      }
    }
  // Most by both, where the build has both and the blocks fill a register.
  const int64_t kernels = block_convolution_functions().block == onednn_block() ? 2 : 1;
  EXPECT_GT(taken, static_cast<int64_t>(cases.size()) * kernels);
}

TEST(Convolution, Float16GoesThroughFloat32) {
  Tensor x(DType::kFloat16, {1, 4, 5, 5}), w(DType::kFloat16, {4, 4, 3, 3});
  for (int64_t i = 0; i < x.count(); ++i)
    x.mutable_data<base::Float16>()[i] = base::Float16(static_cast<float>(i % 7) - 3.0f);
  for (int64_t i = 0; i < w.count(); ++i)
    w.mutable_data<base::Float16>()[i] = base::Float16(static_cast<float>(i % 5) - 2.0f);
  KernelCall call{.op = "Conv", .inputs = {x, w}, .outputs = {{DType::kFloat16, {1, 4, 3, 3}}}, .kernel = "reference"};
  const Tensor want = run_kernel(call)[0];
  call.kernel = "panels";
  const Tensor got = run_kernel(call)[0];
  for (int64_t i = 0; i < want.count(); ++i)
    EXPECT_EQ(got.data<base::Float16>()[i].bits, want.data<base::Float16>()[i].bits);
}

TEST(Convolution, TransposedByProductAgreesWithTheReference) {
  struct Case {
    Dims x, w, y;
    std::vector<int64_t> strides, dilations, pads;
    int64_t group;
  };
  const Case cases[] = {{{2, 16, 7, 5}, {16, 9, 2, 2}, {2, 9, 14, 10}, {2, 2}, {1, 1}, {0, 0, 0, 0}, 1},
                        {{1, 10, 6, 6}, {10, 4, 3, 3}, {1, 8, 11, 11}, {2, 2}, {1, 1}, {1, 1, 1, 1}, 1},
                        {{1, 32, 4, 4}, {32, 3, 3, 3}, {1, 6, 8, 7}, {1, 1}, {2, 2}, {0, 1, 0, 0}, 2},
                        {{1, 8, 9}, {8, 5, 4}, {1, 5, 27}, {3}, {1}, {1, 0}, 1}};
  for (Case c : cases) {
    const size_t axes = c.strides.size();
    c.y[1] = c.w[1] * c.group;
    for (size_t d = 0; d < axes; ++d)
      c.y[d + 2] =
          (c.x[d + 2] - 1) * c.strides[d] + (c.w[d + 2] - 1) * c.dilations[d] + 1 - c.pads[d] - c.pads[d + axes];
    KernelCall call{
        .op = "ConvTranspose",
        .inputs = {random(c.x, 1), random(c.w, 2), random({c.y[1]}, 3)},
        .outputs = {{DType::kFloat32, c.y}},
        .attributes = {{"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.group}},
        .kernel = "reference"};
    const Tensor want = run_kernel(call)[0];
    call.kernel = "panels";
    expect_close(run_kernel(call)[0], want, c.w[0] * 9, base::to_string(c.x) + " with " + base::to_string(c.w));
  }
}

TEST(IntegerConvolution, PanelsGiveTheReferencesBytes) {
  for (DType xt : {DType::kInt8, DType::kUint8})
    for (DType wt : {DType::kInt8, DType::kUint8})
      for (int64_t zeros : {0, 1, 14})
        for (int64_t group : {1, 2}) {
          const Dims w{14, 10 / group, 3, 3}, y{2, 14, 7, 9};
          KernelCall call{.op = "ConvInteger",
                          .inputs = {random_bytes(xt, {2, 10, 13, 9}, 1), random_bytes(wt, w, 2),
                                     zeros == 0 ? Tensor() : random_bytes(xt, {}, 9),
                                     zeros == 0 ? Tensor() : random_bytes(wt, zeros == 1 ? Dims{} : Dims{zeros}, 8)},
                          .outputs = {{DType::kInt32, y}},
                          .attributes = {{"strides", std::vector<int64_t>{2, 1}},
                                         {"pads", std::vector<int64_t>{1, 1, 1, 1}},
                                         {"group", group}},
                          .kernel = "reference"};
          const Tensor want = run_kernel(call)[0];
          call.kernel = "panels";
          expect_same_bytes(run_kernel(call)[0], want, "ConvInteger with " + std::to_string(zeros) + " zero points");
          KernelCall quantized{
              .op = "QLinearConv",
              .inputs = {call.inputs[0], scale(0.02f), random_bytes(xt, {}, 9), call.inputs[1],
                         zeros < 2 ? scale(0.003f) : random({zeros}, 4),
                         random_bytes(wt, zeros < 2 ? Dims{} : Dims{zeros}, 8), scale(0.7f), random_bytes(xt, {}, 7)},
              .outputs = {{xt, y}},
              .attributes = call.attributes,
              .kernel = "reference"};
          const Tensor expected = run_kernel(quantized)[0];
          quantized.kernel = "panels";
          expect_same_bytes(run_kernel(quantized)[0], expected, "QLinearConv");
        }
}

TEST(IntegerProduct, PanelsGiveTheReferencesBytes) {
  for (DType at : {DType::kInt8, DType::kUint8})
    for (DType bt : {DType::kInt8, DType::kUint8})
      for (const Dims& a : {Dims{13, 37}, Dims{2, 5, 37}, Dims{37}}) {
        Dims y = a;
        y.back() = 130;
        KernelCall call{.op = "MatMulInteger",
                        .inputs = {random_bytes(at, a, 1), random_bytes(bt, {37, 130}, 2), random_bytes(at, {}, 3),
                                   random_bytes(bt, {130}, 4)},
                        .outputs = {{DType::kInt32, y}},
                        .kernel = "reference"};
        const Tensor want = run_kernel(call)[0];
        call.kernel = "panels";
        expect_same_bytes(run_kernel(call)[0], want, "MatMulInteger of " + base::to_string(a));
        KernelCall quantized{.op = "QLinearMatMul",
                             .inputs = {call.inputs[0], scale(0.02f), call.inputs[2], call.inputs[1], random({130}, 5),
                                        call.inputs[3], scale(3.1f), random_bytes(at, {}, 7)},
                             .outputs = {{at, y}},
                             .kernel = "reference"};
        const Tensor expected = run_kernel(quantized)[0];
        quantized.kernel = "panels";
        expect_same_bytes(run_kernel(quantized)[0], expected, "QLinearMatMul of " + base::to_string(a));
      }
}

TEST(Pool, RowsAgreeWithThePlainLoops) {
  for (const char* op : {"MaxPool", "AveragePool"})
    for (int64_t ceil_mode : {0, 1})
      for (int64_t with_pads : {0, 1})
        for (int64_t stride : {1, 2, 3})
          for (int64_t dilation : {1, 2}) {
            Dims y{2, 3};
            for (int64_t in : {13, 300}) {
              const int64_t span = in + 2 - 2 * dilation - 1;
              y.push_back(ceil_mode != 0 ? std::min((span + stride - 1) / stride + 1, (in + 1 + stride - 1) / stride)
                                         : span / stride + 1);
            }
            KernelCall call{.op = op,
                            .inputs = {random({2, 3, 13, 300}, 5)},
                            .outputs = {{DType::kFloat32, y}},
                            .attributes = {{"kernel_shape", std::vector<int64_t>{3, 3}},
                                           {"strides", std::vector<int64_t>{stride, stride}},
                                           {"dilations", std::vector<int64_t>{dilation, dilation}},
                                           {"pads", std::vector<int64_t>{1, 1, 1, 1}},
                                           {"ceil_mode", ceil_mode},
                                           {"count_include_pad", with_pads}},
                            .kernel = "reference"};
            const Tensor want = run_kernel(call)[0];
            call.kernel = "rows";
            expect_close(run_kernel(call)[0], want, 9, std::string(op) + " with stride " + std::to_string(stride));
          }
}

TEST(Product, PanelsAgreeWithTheReference) {
  struct Case {
    Dims a, b, y;
  };
  const Case cases[] = {{{1, 70}, {70, 130}, {1, 130}},
                        {{13, 700}, {700, 65}, {13, 65}},
                        {{2, 3, 7, 9}, {9, 64}, {2, 3, 7, 64}},
                        {{4, 5, 6}, {4, 6, 3}, {4, 5, 3}},
                        {{3, 1, 5, 6}, {2, 6, 3}, {3, 2, 5, 3}},
                        {{6}, {6, 3}, {3}},
                        {{5, 6}, {6}, {5}},
                        {{2, 0}, {0, 3}, {2, 3}},
                        {{300, 500}, {500, 200}, {300, 200}}};
  for (const Case& c : cases) {
    KernelCall call{.op = "MatMul",
                    .inputs = {random(c.a, 1), random(c.b, 2)},
                    .outputs = {{DType::kFloat32, c.y}},
                    .kernel = "reference"};
    const Tensor want = run_kernel(call)[0];
    call.kernel = "panels";
    for (const bool constants : {true, false}) {
      call.constants = constants;
      expect_close(run_kernel(call)[0], want, c.a.back(), base::to_string(c.a) + " by " + base::to_string(c.b));
    }
  }
}

TEST(Product, GemmScalesTransposesAndAdds) {
  for (int64_t ta : {0, 1})
    for (int64_t tb : {0, 1})
      for (const Dims& c : {Dims{}, Dims{70}, Dims{11, 1}, Dims{1, 70}, Dims{11, 70}}) {
        KernelCall call{.op = "Gemm",
                        .inputs = {random(ta ? Dims{40, 11} : Dims{11, 40}, 1),
                                   random(tb ? Dims{70, 40} : Dims{40, 70}, 2), random(c, 3)},
                        .outputs = {{DType::kFloat32, {11, 70}}},
                        .attributes = {{"transA", ta}, {"transB", tb}, {"alpha", 0.5f}, {"beta", -2.0f}},
                        .kernel = "reference"};
        const Tensor want = run_kernel(call)[0];
        call.kernel = "panels";
        for (const bool constants : {true, false}) {
          call.constants = constants;
          expect_close(run_kernel(call)[0], want, 40, "C of " + base::to_string(c));
        }
      }
}

// Too large to be packed as a whole in scratch.
TEST(Product, LargeUnpackedMatricesArePackedInParts) {
  const struct {
    const char* op;
    Dims a, b, y;
    std::map<std::string, Attribute> attributes;
  } cases[] = {
      {"MatMul", {2, 3, 3000}, {2, 3000, 1430}, {2, 3, 1430}, {}},
      {"MatMul", {2, 2, 1, 1500}, {2, 1, 1500, 1430}, {2, 2, 1, 1430}, {}},
      {"Gemm", {3, 3000}, {1430, 3000}, {3, 1430}, {{"transB", int64_t{1}}, {"alpha", 0.5f}}},
      {"Gemm", {70000, 2}, {70000, 65}, {2, 65}, {{"transA", int64_t{1}}}},
  };
  for (const auto& c : cases) {
    KernelCall call{.op = c.op,
                    .inputs = {random(c.a, 1), random(c.b, 2)},
                    .outputs = {{DType::kFloat32, c.y}},
                    .attributes = c.attributes,
                    .kernel = "reference"};
    const Tensor want = run_kernel(call)[0];
    call.kernel = "panels";
    call.constants = false;
    expect_close(run_kernel(call)[0], want, c.a.front() == 70000 ? 70000 : c.a.back(), c.op + base::to_string(c.b));
  }
}

}  // namespace
}  // namespace onnxrun::cpu

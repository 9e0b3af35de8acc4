// What a session promises once shapes are known: no allocation in a run, whatever its operators are.
#include <gtest/gtest.h>

#include "cpu/kernels/blocked.h"
#include "cpu/loops/block_convolution.h"
#include "integration/allocation_count.h"
#include "integration/small_models.h"
#include "optimize/driver.h"
#include "plan/kernel_evaluator.h"
#include "plan/provider_capabilities.h"
#include "run/fact_check.h"

namespace onnxrun::testing {
namespace {

using base::DType;
using base::Tensor;
using ir::ValueId;

Tensor weights(base::Dims dims, int seed) {
  Tensor tensor(DType::kFloat32, std::move(dims));
  for (int64_t i = 0; i < tensor.count(); ++i)
    tensor.mutable_data<float>()[i] =
        static_cast<float>(((i + 1) * 2654435761u + static_cast<unsigned>(seed) * 40503u) % 1000) / 5000.0f - 0.1f;
  return tensor;
}

// Runs of a model in the steady state, into tensors of the caller's.
AllocationCount count(SmallModel model, Tensor input, int threads) {
  const auto session = model.session(cpu_only(), {}, 1, threads);
  run::RunRequest request;
  request.inputs = {{"x", input}};
  session->run(request);  // allocates its output, which then is the caller's
  for (int i = 0; i < 3; ++i) session->run(request);
  start_counting();
  for (int i = 0; i < 10; ++i) session->run(request);
  return stop_counting();
}

SmallModel elementwise() {
  SmallModel m;
  const ValueId x = m.g.input("x", DType::kFloat32, {ir::Dim::symbol("n"), ir::Dim(1), ir::Dim(8), ir::Dim(8)});
  const ValueId positive = m.g.add("Relu", {m.g.add("Mul", {x, x})});
  m.output(m.g.add("Softmax", {m.g.add("Reshape", {positive, m.g.ints({-1, 8, 8})})}));
  return m;
}

SmallModel convolutional() {
  SmallModel m;
  GraphBuilder& g = m.g;
  const std::vector<int64_t> pads{1, 1, 1, 1};
  ValueId x = g.input("x", DType::kFloat32, {ir::Dim::symbol("n"), ir::Dim(3), ir::Dim(32), ir::Dim(32)});
  x = g.add("Conv", {x, g.constant(weights({16, 3, 3, 3}, 1)), g.constant(weights({16}, 2))}, {},
            {{"pads", pads}, {"strides", std::vector<int64_t>{2, 2}}});
  x = g.add("Relu", {x});
  x = g.add("Conv", {x, g.constant(weights({16, 1, 3, 3}, 3))}, {}, {{"pads", pads}, {"group", int64_t{16}}});
  x = g.add("HardSwish", {x});
  x = g.add("Conv", {x, g.constant(weights({32, 16, 1, 1}, 4)), g.constant(weights({32}, 5))});
  const auto statistics = [&](int seed) { return g.constant(filled({32}, 1.0f, 0.01f * static_cast<float>(seed))); };
  x = g.add("BatchNormalization", {x, statistics(1), statistics(2), statistics(3), statistics(4)});
  const ValueId skip = x;
  x = g.add("Conv", {x, g.constant(weights({32, 32, 3, 3}, 6))}, {}, {{"pads", pads}});
  x = g.add("Add", {x, skip});
  x = g.add("MaxPool", {x}, {},
            {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
  x = g.add("Resize", {x, ir::kNone, g.constant(Tensor::vector<float>({1, 1, 2, 2}))}, {},
            {{"mode", std::string("linear")}});
  x = g.add("ConvTranspose", {x, g.constant(weights({32, 16, 2, 2}, 7))}, {},
            {{"strides", std::vector<int64_t>{2, 2}}});
  x = g.add("InstanceNormalization", {x, g.constant(filled({16}, 1.0f)), g.constant(filled({16}, 0.0f))});
  x = g.add("AveragePool", {x}, {}, {{"kernel_shape", std::vector<int64_t>{3, 3}}});
  x = g.add("GlobalAveragePool", {g.add("Concat", {x, x}, {}, {{"axis", int64_t{1}}})});
  x = g.add("Gemm", {g.add("Flatten", {x}), g.constant(weights({10, 32}, 8)), g.constant(weights({10}, 9))}, {},
            {{"transB", int64_t{1}}});
  m.output(g.add("Softmax", {x}));
  return m;
}

// The same with its regions on blocked channels, where the build has kernels for them.
SmallModel blocked() {
  SmallModel m = convolutional();
  plan::KernelEvaluator evaluator(cpu_only(), nullptr);
  plan::ProviderCapabilities capabilities(cpu_only());
  optimize::OptimizeOptions options;
  options.table = &operators();
  options.evaluator = &evaluator;
  options.capabilities = &capabilities;
  const optimize::OptimizeReport optimized = optimize::optimize(*m.model->graph, options);
  if (cpu::onednn_block() != 0 || cpu::block_convolution_functions().block != 0)
    for (const optimize::PassReport& report : optimized.passes)
      if (report.name == "block-channels") {
        EXPECT_GT(report.patches, 0);
      }
  return m;
}

SmallModel transformer() {
  SmallModel m;
  GraphBuilder& g = m.g;
  const ir::Dim batch = ir::Dim::symbol("batch"), length = ir::Dim::symbol("length");
  const ValueId x = g.input("x", DType::kFloat32, {batch, length, ir::Dim(32)});
  const auto norm = [&](ValueId v) {
    return g.add("LayerNormalization", {v, g.constant(filled({32}, 1.0f)), g.constant(filled({32}, 0.1f))});
  };
  const auto linear = [&](ValueId v, int64_t in, int64_t out, int seed) {
    return g.add("Add",
                 {g.add("MatMul", {v, g.constant(weights({in, out}, seed))}), g.constant(weights({out}, seed + 1))});
  };
  const auto heads = [&](ValueId v) {
    return g.add("Transpose", {g.add("Reshape", {v, g.ints({0, 0, 4, 8})})}, {},
                 {{"perm", std::vector<int64_t>{0, 2, 1, 3}}});
  };
  const auto qkv = g.add_many("Split", {linear(norm(x), 32, 96, 1), g.ints({32, 32, 32})}, 3, {{"axis", int64_t{2}}});
  const ValueId keys = g.add("Transpose", {heads(qkv[1])}, {}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}});
  const ValueId scores = g.add("Mul", {g.add("MatMul", {heads(qkv[0]), keys}), g.constant(Tensor::scalar(0.35f))});
  const ValueId mixed = g.add("MatMul", {g.add("Softmax", {scores}), heads(qkv[2])});
  const ValueId joined = g.add(
      "Reshape", {g.add("Transpose", {mixed}, {}, {{"perm", std::vector<int64_t>{0, 2, 1, 3}}}), g.ints({0, 0, 32})});
  const ValueId attended = g.add("Add", {x, linear(joined, 32, 32, 3)});
  const ValueId fused = g.add("Attention", {attended, attended, attended}, {},
                              {{"q_num_heads", int64_t{4}}, {"kv_num_heads", int64_t{4}}});
  const ValueId gated = linear(g.add("Gelu", {linear(norm(fused), 32, 64, 5)}), 64, 32, 7);
  const ValueId sum = g.add("Add", {attended, gated});
  const ValueId where = g.add("Where", {g.add("Greater", {sum, g.constant(Tensor::scalar(0.0f))}), sum, attended});
  const ValueId mean =
      g.add("ReduceMean", {g.add("Slice", {where, g.ints({0}), g.ints({2}), g.ints({1})}), g.ints({1})});
  m.output(g.add("Gather", {g.add("Pad", {mean, g.ints({0, 0, 1, 0, 0, 1})}), g.ints({0, 3, 5})}, {},
                 {{"axis", int64_t{2}}}));
  return m;
}

SmallModel recurrent() {
  SmallModel m;
  GraphBuilder& g = m.g;
  const ValueId x = g.input("x", DType::kFloat32, {ir::Dim::symbol("length"), ir::Dim(2), ir::Dim(8)});
  const ValueId lstm = g.add(
      "LSTM",
      {x, g.constant(weights({1, 64, 8}, 1)), g.constant(weights({1, 64, 16}, 2)), g.constant(weights({1, 128}, 3))},
      {}, {{"hidden_size", int64_t{16}}});
  const ValueId flat = g.add("Reshape", {lstm, g.ints({0, 2, 16})});
  m.output(g.add("GRU", {flat, g.constant(weights({1, 24, 16}, 4)), g.constant(weights({1, 24, 8}, 5))}, {},
                 {{"hidden_size", int64_t{8}}}));
  return m;
}

struct Case {
  const char* name;
  SmallModel (*model)();
  base::Dims input;
};

class SteadyState : public ::testing::TestWithParam<Case> {};

TEST_P(SteadyState, AllocatesNothing) {
  if (!counts_allocations()) GTEST_SKIP() << "sanitizers count allocations of their own";
  if (run::kChecksFacts) GTEST_SKIP() << "debug builds compare every value with its fact, which allocates";
  for (int threads : {1, 2}) {
    const AllocationCount counted = count(GetParam().model(), weights(GetParam().input, 10), threads);
    EXPECT_EQ(counted.ours, 0) << threads << " threads, first by" << counted.first;
    // oneDNN makes a map of the arguments for each of its primitives, whatever it is given.
    EXPECT_LE(counted.onednn, 10 * 400) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SteadyState,
                         ::testing::Values(Case{"Elementwise", elementwise, {4, 1, 8, 8}},
                                           Case{"Convolutional", convolutional, {2, 3, 32, 32}},
                                           Case{"Blocked", blocked, {2, 3, 32, 32}},
                                           Case{"Transformer", transformer, {2, 5, 32}},
                                           Case{"Recurrent", recurrent, {6, 2, 8}}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(SteadyState, TheCountCanFail) {
  if (!counts_allocations()) GTEST_SKIP() << "sanitizers count allocations of their own";
  start_counting();
  const std::vector<int> made(100, 1);
  const AllocationCount counted = stop_counting();
  EXPECT_EQ(counted.ours, 1) << made.size();
  EXPECT_NE(counted.first, "");
}

}  // namespace
}  // namespace onnxrun::testing

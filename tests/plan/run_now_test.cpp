// Kernels that run while a model is loaded: what they take is charged.
#include <gtest/gtest.h>

#include "base/kernel_memory.h"
#include "ir/op.h"
#include "plan/bound_kernel.h"

namespace onnxrun::plan {
namespace {

constexpr int64_t kTaken = 1000;

TEST(RunNow, ChargesWhatPackingTakes) {
  onnxrun_kernel kernel{};
  kernel.name = "test";
  kernel.op_type = "Test";
  kernel.accepts = [](const onnxrun_node*, onnxrun_acceptance* out, onnxrun_sink*) -> onnxrun_code {
    out->pack_bytes = 64;
    return ONNXRUN_OK;
  };
  kernel.pack = [](const onnxrun_node*, void*, onnxrun_sink*) -> onnxrun_code {
    base::take_kernel_memory(kTaken);
    return ONNXRUN_OK;
  };
  kernel.bind = [](const onnxrun_node*, const void*, void**, size_t*, onnxrun_sink*) -> onnxrun_code {
    return ONNXRUN_UNSUPPORTED;
  };
  ir::OpDef op;
  op.name = "Test";
  ir::Node node;
  node.op = &op;
  const auto budget = std::make_shared<base::Budget>();
  EXPECT_FALSE(run_now(kernel, node, {}, {}, budget));
  EXPECT_GE(budget->peak(), kTaken);
  EXPECT_EQ(budget->used(), 0);
}

}  // namespace
}  // namespace onnxrun::plan

// What models and their copies are charged for, and how long.
#include "ir/weigh.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace onnxrun::ir {
namespace {

constexpr int64_t kMega = int64_t{1} << 20;

TEST(Weigh, ModelsAreChargedForWhatTheySayBesideTheirGraph) {
  const std::string text(static_cast<size_t>(kMega), 'a');
  const std::function<void(Model&)> parts[] = {
      [&](Model& model) { model.doc = text; },
      [&](Model& model) { model.metadata["key"] = text; },
      [&](Model& model) { model.quantization_annotations["tensor"]["SCALE_TENSOR"] = text; },
      [&](Model& model) { model.warnings.push_back(text); },
      [&](Model& model) { model.opset_imports[text] = 1; },
  };
  for (const auto& add : parts) {
    const auto budget = std::make_shared<base::Budget>();
    Model model;
    model.graph = std::make_unique<Graph>();
    add(model);
    {
      const Model first = charged(std::move(model), nullptr, budget);
      EXPECT_GE(budget->used(), kMega);
      EXPECT_LT(budget->used(), kMega + 10'000);
      const Model copy = charged_clone(first, budget);
      EXPECT_GE(budget->used(), 2 * kMega);
      const auto small = std::make_shared<base::Budget>(kMega / 2);
      EXPECT_THROW(charged_clone(first, small), base::Error);
    }
    EXPECT_EQ(budget->used(), 0);
  }
}

}  // namespace
}  // namespace onnxrun::ir

// Known versions of operator sets and the IR versions they came with.
#include "import/opsets.h"

#include "import/context.h"

namespace onnxrun::import {

int64_t newest_opset(std::string_view domain) {
  if (domain.empty()) return kNewestOpset;
  if (domain == "ai.onnx.ml") return 5;
  if (domain == "ai.onnx.preview" || domain == "ai.onnx.preview.training" || domain == "ai.onnx.training" ||
      domain == "com.microsoft")
    return 1;
  return 0;
}

void check_opset(std::string_view domain, int64_t opset) {
  const std::string_view name = domain.empty() ? "ai.onnx" : domain;
  if (opset < 1) {
    throw Diagnosis(Code::kInvalidModel, fmt::format("opset {} of '{}' does not exist", opset, name), "1 or more", "");
  }
  const int64_t newest = newest_opset(domain);
  if (newest != 0 && opset > newest) {
    throw Diagnosis(Code::kUnsupported,
                    fmt::format("opset {} of '{}' is newer than the newest this build knows ({})", opset, name, newest),
                    {}, fmt::format("export the model with opset {} or older", newest));
  }
}

int64_t ir_version_for(int64_t opset) {
  struct Step {
    int64_t opset, ir;
  };
  constexpr Step kSteps[] = {{8, 3},  {9, 4},   {10, 5},  {11, 6},  {14, 7},  {18, 8},
                             {20, 9}, {22, 10}, {23, 11}, {24, 12}, {27, 13}, {28, 14}};
  for (const Step step : kSteps) {
    if (opset <= step.opset) return step.ir;
  }
  return kNewestIr;
}

}  // namespace onnxrun::import

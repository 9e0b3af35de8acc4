// What the subcommands of 'onnx-run debug' share: their flags, and the model with its inputs.
#pragma once

#include <string>
#include <vector>

#include "inputs.h"
#include "session_flags.h"
#include "trial.h"

namespace cli {

struct DebugFlags {
  SessionFlags session;
  InputFlags inputs;
  Tolerance tolerance{1e-3, 1e-5, true};
  std::string model, output, error, check;
  std::vector<std::string> tensors;
  int64_t max_tests = 1000;

  // Those of the library; `level` where none was given.
  onnxrun::Options options(const char* level) const;
  // The model, and inputs for it.
  Trial trial(const onnxrun::Options& loading) const;
};

// Runs without the optimizer and with it.
struct DebugOptions {
  explicit DebugOptions(const DebugFlags& flags);
  onnxrun::Options plain, optimised;
};

// A test case with the results of an unoptimised run, where that does not fail.
void write_case(const std::string& folder, const Trial& trial, const onnxrun::Options& plain);

int bisect(const DebugFlags& flags);
int reduce(const DebugFlags& flags);
int dump_tensors(const DebugFlags& flags);

}  // namespace cli

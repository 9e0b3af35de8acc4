// Test cases: a model with sets of inputs and expected outputs in a folder.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "difference.h"

namespace cli {

struct Case {
  std::string name;  // the last two parts of its path
  std::filesystem::path folder;
};

// Every folder at or under `path` with model.onnx and a test_data_set_*, by path. Throws Failure where there is none.
std::vector<Case> find_cases(const std::filesystem::path& path);

// Runs all sets of a case; returns "" when all outputs agree, otherwise the first difference. Throws what the library throws, and Failure for broken data
// files. Inputs input_K and outputs output_K (.pb or .npy) belong to the K-th input without a default and the K-th output.
std::string run_case(const Case& test, const onnxrun::Options& options);

}  // namespace cli

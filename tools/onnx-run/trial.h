// A model with inputs that is suspected of something, and whether it shows it.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "difference.h"

namespace cli {

struct Trial {
  onnxrun::Model model;
  onnxrun::NamedValues inputs;
};

// What is wrong, in words; "" when nothing is.
using Symptom = std::function<std::string(const Trial&)>;

// Runs at `level` with the other options of a command.
onnxrun::Results run_trial(const Trial& trial, const onnxrun::Options& options);

// The outputs of two runs: "output 'y': at [0,3] ..."; "" when they agree.
std::string difference(const onnxrun::Results& actual, const onnxrun::Results& expected, const Tolerance& tolerance);

// Results with `optimised` against those with `plain`. Where the plain run fails, nothing is wrong with the optimiser; where only the optimised one fails, that is.
Symptom differs(const onnxrun::Options& plain, const onnxrun::Options& optimised, Tolerance tolerance);
// A run with `options` ends in an error whose message has `part` in it.
Symptom fails(const onnxrun::Options& options, std::string part);
// A shell command succeeds, in which {} stands for the model's file and {dir} for the folder that holds it and its inputs as a test case.
Symptom satisfies(std::string command);

// A test case (case.h): model.onnx and test_data_set_0 with the inputs that are tensors, and the results of `expected` where it has any.
void write_trial(const std::filesystem::path& folder, const Trial& trial, const onnxrun::Results* expected);

// Every tensor that nodes of the main graph make in an unoptimised run, by name; up to a node that fails.
std::map<std::string, onnxrun::Tensor> record(const Trial& trial, const onnxrun::Options& plain);

}  // namespace cli

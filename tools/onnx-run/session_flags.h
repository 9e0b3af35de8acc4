// Flags of all subcommands that load a model, and the library options they make.
#pragma once

#include <CLI/CLI.hpp>
#include <onnxrun/onnxrun.hpp>

#include <optional>
#include <string>
#include <vector>

namespace cli {

struct SessionFlags {
  std::vector<std::string> providers;
  std::vector<std::string> provider_libraries;
  std::vector<std::string> op_libraries;
  std::vector<std::string> dims;  // NAME=SIZE
  std::string level, passes, max_patches, precision, kernels;
  std::vector<std::string> disabled_passes;
  std::optional<int> threads;
  std::string max_memory;
  std::vector<std::string> limits;  // NAME=VALUE
  bool strict = false;

  void add_loading(CLI::App& command);  // --dim, --strict, --max-memory, --limit, --op-library
  void add_running(CLI::App& command);  // --provider, --provider-library, --level, the passes
  void add_threads(CLI::App& command);  // --threads
  onnxrun::Options options() const;
  // The --op-library alone: what a model that was written needs to be read.
  onnxrun::Options operators() const;
  // A session on the model; a --dim that names no dimension of an input is a Failure.
  onnxrun::Session open(const std::string& model, const onnxrun::Options& options) const;
};

// "NAME=REST" in two. Throws Failure naming `flag`.
std::pair<std::string, std::string> split_assignment(const std::string& text, const std::string& flag);

}  // namespace cli

// Where and how a model is written, for the subcommands that write one.
#pragma once

#include <CLI/CLI.hpp>
#include <onnxrun/onnxrun.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cli {

struct WriteFlags {
  std::string output, external_data, external_threshold;
  int64_t opset = 0;
  bool portable = false, backup = false, overwrite = false, text = false;

  void add_to(CLI::App& command);
  // The library's options for saving.
  void set(onnxrun::Options& options) const;
  // Writes what `make` gives. Files that the model came from, `sources`, stay unless --backup keeps them; the new ones appear whole or not at all. Says what was kept.
  void write(const std::vector<std::string>& sources, const onnxrun::Options& options,
             const std::function<onnxrun::Model()>& make) const;
  // The same for what `put` writes to the output itself.
  void write_with(const std::vector<std::string>& sources, const std::function<void()>& put) const;
  // Whether anything asks for other than the model as it is.
  bool rewrites() const { return opset != 0 || portable || text || !external_data.empty(); }
};

// The file and those of its external data.
std::vector<std::string> files_of(const std::string& path, const onnxrun::Model& model);

}  // namespace cli

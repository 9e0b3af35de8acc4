// Survey: what a model file would have its user do if it were loaded and run, found without making or running any of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "import/import.h"

namespace onnxrun::import {

struct Survey {
  struct ExternalFile {
    std::string location;  // as the file writes it
    int64_t tensors = 0, bytes = 0;
    std::string refused;  // why a loader refuses it; empty: it lies in the model's folder and holds what is asked for
  };
  // A node that may go on for long.
  struct Iteration {
    std::string node;
    std::optional<int64_t> trips;  // none: computed by the run
    bool endless = false;          // no count is given at all
  };
  // Operators of a domain that this build does not know.
  struct Unknown {
    std::string domain, op;
    int64_t nodes = 0;
  };

  int64_t file_bytes = 0;
  int64_t nodes = 0, initializers = 0, functions = 0, nesting = 0;  // as written: functions are not inlined
  int64_t weight_bytes = 0;                                         // by the declared shapes
  std::string largest_tensor;
  int64_t largest_tensor_bytes = 0;
  std::vector<ExternalFile> external_files;
  std::vector<Iteration> iterations;
  std::vector<Unknown> unknown;
};

// Throws as import does where the bytes are no model at all. Limits are those of the options.
Survey survey_file(const std::string& path, const ImportOptions& options);
Survey survey_bytes(std::span<const std::byte> bytes, const ImportOptions& options);

}  // namespace onnxrun::import

// Reading ONNX files: bytes in, a checked graph of canonical nodes out; and the same for tensors stored on their own.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/limits.h"
#include "base/value.h"
#include "import/computed_values.h"
#include "ir/graph.h"
#include "ir/op.h"

namespace onnxrun::import {

// How file contents get into memory.
enum class LoadMode {
  kMap,   // mapped: aligned tensors stay views of the file, which must keep its length while the model lives
  kCopy,  // read, and checked not to have changed meanwhile
};

struct ImportOptions {
  const ir::OpTable* table = nullptr;  // must not be null
  base::Limits limits;
  base::Deadline deadline;  // past it the import is given up with kDeadline
  base::BudgetPtr budget;   // null: one of limits.max_run_bytes for this import
  LoadMode load = LoadMode::kMap;
  std::string external_root;            // folder of external data; "": the model's folder (models from memory: refused)
  bool allow_links = false;             // external data may be symbolic or hard links
  bool strict = false;                  // what would be a warning is an error; files are copied, not mapped
  std::map<std::string, int64_t> dims;  // sizes for named dimensions
};

enum class Severity { kWarning, kError };

// One finding about a model file.
struct Problem {
  Severity severity = Severity::kError;
  std::string node;  // where, in words; may be empty
  std::string what;
  std::string expected;  // may be empty
  std::string fix;       // may be empty
};

// Reads a model. Throws kIo when the file cannot be read, kInvalidModel when it breaks the specification, kUnsupported for what this build does not
// know, kLimitExceeded beyond the limits. A tensor that lies aligned in the mapped file is not copied.
ir::Model import_file(const std::string& path, const ImportOptions& options);

// The same from memory. With an `owner` tensors may view `bytes`, which it keeps alive; without one everything is copied. `name` is for messages.
// With `problems`, errors in nodes and values are collected there and the model is only good for more checks.
ir::Model import_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                       const ImportOptions& options, std::string name = {}, std::vector<Problem>* problems = nullptr);

// Everything that is wrong with a file or worth knowing before it is used: goes on after an error where it can. Throws only what
// is not the file's fault (out of memory). `values` gets what the model computes where it can be loaded.
std::vector<Problem> check_file(const std::string& path, const ImportOptions& options,
                                std::optional<ComputedValues>* values = nullptr);
std::vector<Problem> check_bytes(std::span<const std::byte> bytes, const ImportOptions& options, std::string name,
                                 std::optional<ComputedValues>* values = nullptr);

// A TensorProto on its own, copied out of `bytes`. Refuses external data.
base::Tensor read_tensor_pb(std::span<const std::byte> bytes, std::string* name = nullptr);

// A TensorProto, SequenceProto, OptionalProto or MapProto on its own, by the kind of `expected` (unknown: TensorProto). The element kinds come from the
// bytes.
base::Value read_value_pb(std::span<const std::byte> bytes, const ir::Fact& expected = {}, std::string* name = nullptr);

// The TensorProto of a host tensor, with raw_data (string_data for strings).
std::string write_tensor_pb(const base::Tensor& tensor, std::string_view name);

}  // namespace onnxrun::import

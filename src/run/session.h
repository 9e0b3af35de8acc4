// Session: a model made ready, run by any number of callers at once.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/limits.h"
#include "base/value.h"
#include "ir/graph.h"
#include "plan/program.h"
#include "run/frame.h"

namespace onnxrun::run {

struct SessionOptions {
  std::shared_ptr<const plan::ProviderSet> providers;
  const ir::OpTable* table = nullptr;
  int threads = 0;                 // that one run uses; 0: all CPUs of the process
  int precision = 0;               // of float32 products, as the provider ABI numbers it
  bool reference_kernels = false;  // the plain ones, where an operator has one
  int streams = 1;                 // runs at the same time; further callers wait
  bool flush_denormals = true;
  base::Limits limits;
  base::BudgetPtr budget;
};

struct RunRequest {
  // By name; an input with a default may be left out.
  std::vector<std::pair<std::string, base::Value>> inputs;
  // Outputs wanted, by name, each with a tensor to write to or absent; empty: all, in the model's order.
  std::vector<std::pair<std::string, base::Value>> outputs;
  // For each of these where it is to be made, as plan::memory_on says; empty: all in host memory.
  std::vector<int32_t> output_memories;
  RunControl control;
  Observer* observer = nullptr;
};

// An input or output as the model declares it.
struct Port {
  std::string name;
  ir::Fact fact;
  bool has_default = false;
};

// A model with kernels assigned: what sessions of the same model and options have in common, packed weights included.
struct Prepared {
  // `model`'s graph is what runs; it may be expanded further while kernels are assigned, and large constants that are only read
  // packed are given up. Packed weights count against options.budget.
  Prepared(std::shared_ptr<ir::Model> model, const SessionOptions& options);

  std::shared_ptr<ir::Model> model;
  std::unique_ptr<plan::Program> program;
  std::unique_ptr<BlockPool> blocks = std::make_unique<BlockPool>();  // between runs
};

// Thread-safe: `run` may be called from any number of threads.
class Session {
 public:
  // Prepares `model` for itself.
  Session(std::shared_ptr<ir::Model> model, SessionOptions options);
  // `prepared` was made with options that differ at most in streams and budget; without a budget it is that of `prepared`.
  Session(std::shared_ptr<const Prepared> prepared, SessionOptions options);
  ~Session();

  const ir::Model& model() const { return *prepared_->model; }
  const plan::Program& program() const { return *prepared_->program; }
  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  const SessionOptions& options() const { return options_; }

  // Fills request.outputs. Throws kInvalidArgument naming the input or output where a name, type or shape does not fit the model. After any exception
  // the session can run again, and the tensors given for outputs are the caller's as before, with undefined contents. Waiting for a stream
  // counts against the deadline.
  void run(RunRequest& request);

  // Gives back what idle streams hold beside the weights, and blocks that no run of a session with the same preparation uses.
  void trim();
  // Bytes of planned blocks that this session's runs use now, and of those of the preparation that no run does.
  int64_t block_bytes() const;
  // Bytes of the plans that all streams keep, with what kernels keep for their shapes.
  int64_t plan_bytes() const;

 private:
  struct Stream;
  Stream& acquire(const RunControl& control);
  void release(Stream& stream);
  void match_inputs(const RunRequest& request, Stream& stream) const;
  void match_outputs(const RunRequest& request, Stream& stream) const;
  void match_devices(const RunRequest& request, Stream& stream) const;
  bool fits(size_t input, const base::Value& value, Stream& stream) const;

  SessionOptions options_;
  std::shared_ptr<const Prepared> prepared_;
  std::vector<Port> inputs_, outputs_;
  std::unordered_map<std::string_view, size_t> input_places_;  // names are those of inputs_
  std::vector<base::Value> defaults_;                          // by input; absent: none
  std::vector<std::vector<int>> symbols_;  // by input and dim: number of the symbol that stands there alone, or -1
  size_t symbol_count_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> idle_;
};

// Throws kInvalidArgument naming `name` unless the value's type fits `fact` and its dims the constant ones and the symbols, which get bound in
// `symbols` on first sight.
void check_value(const std::string& name, const base::Value& value, const ir::Fact& fact,
                 std::vector<std::pair<std::string, std::pair<int64_t, std::string>>>& symbols);

}  // namespace onnxrun::run

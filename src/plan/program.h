// Program: a graph made ready to run - nodes in order with the kernels that accepted them, values numbered as slots, copies between memories.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"
#include "plan/node_view.h"
#include "plan/pack_memory.h"
#include "plan/provider_set.h"

namespace onnxrun::plan {

// A kernel that accepted a node, with the terms it set.
struct Candidate {
  const onnxrun_kernel* kernel = nullptr;
  onnxrun_acceptance terms{};

  bool packs(size_t input) const { return input < 64 && (terms.packed_inputs >> input & 1) != 0; }
};

enum class StepKind : uint8_t {
  kKernel,      // a provider's kernel
  kView,        // output 0 is input 0 under another shape
  kStructural,  // control flow, sequences, optionals, maps: run by the executor
  kCopy,        // between two memories
};

class Program;

// A body graph of a control flow node and where its captures come from.
struct BodyProgram {
  std::string name;
  std::unique_ptr<Program> program;
  std::vector<int> captures;  // outer slots, in the order of program->captures() and in the same memories
};

struct Step {
  StepKind kind = StepKind::kKernel;
  ir::NodeId node = ir::kNone;  // kNone for copies
  int provider = 0;
  std::vector<Candidate> candidates;  // best first
  std::vector<std::string> declined;  // "cpu/onednn: reason", for --explain
  std::vector<int> inputs, outputs;   // slots; -1 where absent
  std::vector<int> shape_values;      // of a device's step: host slots whose values may decide the outputs' shapes
  std::vector<int> host_waits;        // device providers whose copies to the host it must come after
  std::vector<BodyProgram> bodies;
};

// A value in one memory.
struct Slot {
  ir::ValueId value = ir::kNone;
  int memory = 0;         // 0: host; k + 1: device provider k
  int root = -1;          // the slot whose bytes it shows: itself unless made by a view step
  int producer = -1;      // step; -1: input, capture or constant
  int last_use = -1;      // of a root: last step that reads it or one of its views; step_count() when it is an output
  int output = -1;        // of a root: graph output that it, or a view of it, becomes
  base::Tensor constant;  // an initializer, in this slot's memory
};

struct ProgramOptions {
  const ir::OpTable* table = nullptr;
  std::shared_ptr<const ProviderSet> providers;
  base::BudgetPtr budget;
  int threads = 0;    // of a run; 0: not known
  int precision = 0;  // of float32 products, as the provider ABI numbers it
  bool reference_kernels = false;

  NodeSettings node_settings() const { return {threads, precision, reference_kernels, budget}; }
};

// Immutable once built, except for packing; shared by all streams of a session. The graph must outlive it.
class Program {
 public:
  // Assigns every node, expanding by decomposition those nobody runs, and those that the first provider runs in parts only (this changes `graph`). Throws kUnsupported naming node, operator, types and
  // every kernel's reason for a node that cannot run.
  static std::unique_ptr<Program> build(ir::Graph& graph, const ProgramOptions& options);

  const ir::Graph& graph() const { return *graph_; }
  const ProviderSet& providers() const { return *options_.providers; }
  const ProgramOptions& options() const { return options_; }
  const std::vector<Step>& steps() const { return steps_; }
  int step_count() const { return static_cast<int>(steps_.size()); }
  const std::vector<Slot>& slots() const { return slots_; }
  const std::vector<int>& inputs() const { return inputs_; }  // slots, in graph order
  const std::vector<int>& captures() const {
    return captures_;
  }  // slots, in the memory where they are used; one value may have several
  const std::vector<int>& outputs() const { return outputs_; }  // slots, host memory
  const ir::Fact& fact(int slot) const { return graph_->value(slots_[static_cast<size_t>(slot)].value).fact; }
  const std::string& name(int slot) const { return graph_->value(slots_[static_cast<size_t>(slot)].value).name; }
  std::string describe(const Step& step) const;
  // Whether a node of the graph, or of a body in it, makes a value of this name.
  bool makes(std::string_view name) const;
  // The slot of the same value in host memory; -1 when it has none.
  int host_slot(int slot) const;

  // Packed constants of candidate `c` of step `s`; null when it packs nothing. Thread-safe; packs once.
  const void* packed(int step, size_t candidate) const;
  // Gives back what packing keeps for the next constant.
  void end_packing() const;
  // Bytes of packed constants so far, bodies included.
  int64_t packed_bytes() const;

 private:
  friend class ProgramBuilder;
  const ir::Graph* graph_ = nullptr;
  ProgramOptions options_;
  std::vector<Step> steps_;
  std::vector<Slot> slots_;
  std::vector<int> inputs_, captures_, outputs_;
  mutable std::mutex pack_mutex_;
  mutable std::map<std::pair<int, size_t>, base::BufferPtr> packed_;
  std::unique_ptr<PackMemory> pack_memory_;
};

}  // namespace onnxrun::plan

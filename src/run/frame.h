// Frame: the memory and the state in which one thread at a time runs a program.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "base/limits.h"
#include "base/parallel.h"
#include "base/value.h"
#include "plan/segment.h"
#include "run/control.h"
#include "run/observer.h"
#include "run/tensor_pool.h"

namespace onnxrun::run {

// What all frames of a stream share. One run at a time.
struct StreamContext {
  base::ThreadPool* pool = nullptr;
  TensorPool* tensors = nullptr;
  base::BudgetPtr budget;
  base::Limits limits;
  std::vector<void*> device_streams;  // by provider; null for host providers
  const RunControl* control = nullptr;  // of the current run
  Observer* observer = nullptr;         // of the current run; may be null
  int depth = 0;
};

// A value handed to a frame: a view of a tensor, with its holder when it has one, or a value of another kind.
struct Feed {
  onnxrun_tensor view{};               // dtype 0 for values that are no tensors
  const base::Value* holder = nullptr;  // may be null for tensors: then the view must outlive the run
};

Feed feed_of(const base::Value& value);

class Frame {
 public:
  Frame(const plan::Program& program, StreamContext& context);
  ~Frame();
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // Runs all steps. `inputs` and `captures` in the program's order. `outputs` has one entry an output: a tensor found there is written to when it has
  // the result's type and shape (anything else there is an error); an absent value is replaced by the result.
  void run(std::span<const Feed> inputs, std::span<const Feed> captures, std::vector<base::Value>& outputs);

  // Gives memory back: blocks, plans and frames of bodies.
  void trim();
  // Bytes of blocks, those of the bodies included.
  int64_t block_bytes() const;

  const plan::Program& program() const { return program_; }
  StreamContext& context() { return context_; }

  // For structural operators.
  Feed slot_feed(int slot) const;
  base::Value slot_value(int slot);  // shares or copies
  void set_slot(int slot, base::Value value);
  Frame& body_frame(int step, size_t body);

 private:
  struct Call;  // the context handed to kernels
  struct Block {
    void* data = nullptr;
    size_t bytes = 0;
    std::shared_ptr<void> owner;
  };

  plan::Segment& first_segment(std::span<const Feed> inputs, std::span<const Feed> captures);
  plan::Segment& next_segment(plan::Segment& segment, size_t depth);
  void forget_old_plans();
  void enter(const plan::Segment& segment, size_t depth, std::vector<base::Value>& outputs);
  void open_output(const plan::SegmentSlot& planned, std::vector<base::Value>& outputs);
  void place(const plan::Segment& segment);
  void ensure_blocks(const plan::Segment& segment, size_t depth);
  void execute(const plan::Segment& segment);
  void execute_profiled(const plan::Step& step, const plan::SegmentStep& planned);
  void execute_step(const plan::Step& step, const plan::SegmentStep& planned);
  void run_kernel(const plan::Step& step, const plan::SegmentStep& planned);
  void run_copy(const plan::Step& step);
  void tap(const plan::Step& step);
  void collect(std::vector<base::Value>& outputs);
  void synchronize();
  void clear();
  ir::Fact fact_of(int slot, bool with_value) const;
  void append_key(int slot, bool with_value);
  [[noreturn]] void rethrow(base::Error& error, const plan::Step& step) const;

  const plan::Program& program_;
  StreamContext& context_;
  std::vector<onnxrun_tensor> views_;   // by slot
  std::vector<base::Value> holders_;    // by slot: values with memory of their own
  std::vector<const base::Value*> borrowed_;  // by slot: the callers' values of inputs and captures, during a run
  std::vector<int> held_;               // slots whose holder is to be cleared after the run
  std::vector<const onnxrun_tensor*> inputs_;  // of all steps, one after the other
  std::vector<onnxrun_tensor*> outputs_;
  std::vector<size_t> input_offsets_, output_offsets_;  // by step
  struct OutputMemory {
    const void* data = nullptr;  // where the kernel writes
    base::Tensor own;            // empty when it is the caller's
  };
  std::vector<OutputMemory> output_memory_;  // of the current run, by output
  std::vector<Block> blocks_;                           // by memory
  std::vector<const plan::Segment*> path_;              // segments whose places are in views_
  plan::Segment root_;                                  // holds the first segments in `next`
  plan::SegmentKey key_;
  uint64_t tick_ = 0;
  std::map<std::pair<int, size_t>, std::unique_ptr<Frame>> bodies_;
};

}  // namespace onnxrun::run

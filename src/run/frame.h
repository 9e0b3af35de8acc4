// Frame: the memory and the state in which one thread at a time runs a program.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/value.h"
#include "plan/segment.h"
#include "run/blocks.h"
#include "run/device_bindings.h"
#include "run/fact_check.h"
#include "run/recording.h"
#include "run/segment_cache.h"
#include "run/stream_context.h"

namespace onnxrun::run {

// A value handed to a frame: a view of a tensor, with its holder when it has one, or a value of another kind.
struct Feed {
  onnxrun_tensor view{};                // dtype 0 for values that are no tensors
  const base::Value* holder = nullptr;  // may be null for tensors: then the view must outlive the run
};

Feed feed_of(const base::Value& value);

class Frame {
 public:
  Frame(const plan::Program& program, StreamContext& context);
  ~Frame();
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // Runs all steps. `inputs` and `captures` in the program's order; captures in the memory the program wants them in. `outputs` has one entry an output: a
  // tensor found there is written to when it has the result's type and shape (anything else there is an error); an absent value is replaced by the
  // result. A tensor to be written to may share memory with inputs. Views of inputs may lie in memory of a device, tensors to be written to as well;
  // `output_memories`, one an output or none at all, says where results are to be made (plan::memory_on; 0: in host memory). After an exception the
  // frame can run again.
  void run(std::span<const Feed> inputs, std::span<const Feed> captures, std::vector<base::Value>& outputs,
           std::span<const int32_t> output_memories = {});

  // Gives memory back: blocks, plans and frames of bodies.
  void trim();

  const plan::Program& program() const { return program_; }
  StreamContext& context() { return context_; }

  // For structural operators.
  Feed slot_feed(int slot) const;
  base::Value slot_value(int slot);  // shares or copies
  void set_slot(int slot, base::Value value);
  Frame& body_frame(int step, size_t body);

 private:
  struct Call;  // the context handed to kernels

  // frame.cpp
  const plan::Segment& next_segment();
  ir::Fact fact_of(int slot, bool with_value) const;
  void append_key(int slot, bool with_value);
  const base::Tensor& constant(int slot) const;  // of the program
  void read_constant(int slot);
  void end_run();

  // frame_placement.cpp: views of what a segment placed
  void enter(const plan::Segment& segment, std::vector<base::Value>& outputs);
  void make_blocks(const plan::Segment& segment);
  void place(const plan::Segment& segment);
  void open_output(const plan::SegmentSlot& planned, std::vector<base::Value>& outputs);
  bool shares_input_memory(const base::Tensor& tensor) const;

  // frame_devices.cpp: callers' memory on devices
  void bind_devices(const std::vector<base::Value>& outputs, std::span<const int32_t> output_memories);
  void bind_input(int slot);
  void bind_output(size_t k, const base::Value& given, int32_t wanted);
  const DeviceBindings::Reads& reads_of(int slot, int memory);
  bool host_reads(int slot, int memory) const;
  base::Tensor make_on_device(int memory, base::DType dtype, base::Dims dims);
  void place_bindings(const plan::Segment& segment);
  bool copied_by_binding(int s, const plan::Step& step);
  void check_target(size_t k, const onnxrun_tensor& view, const base::Tensor& target) const;
  void collect_bound(size_t k, base::Value& value);

  // frame_execution.cpp
  void execute(const plan::Segment& segment);
  void execute_step(const plan::Step& step, const plan::SegmentStep& planned);
  void run_copy(int s, const plan::Step& step);
  Lane lane_of(const plan::Step& step) const;
  void wait_for_downloads(int provider, const plan::Step& step);
  void check_facts(const plan::Step& step) const;
  [[noreturn]] void rethrow(base::Error& error, const plan::Step& step) const;

  void execute_one(const plan::Segment& segment, size_t index, const std::string& not_recorded);
  void end_step(const plan::SegmentStep& planned);

  // frame_recording.cpp
  Recording* recording_of(const plan::Segment& segment);
  bool stayed(const plan::Segment& segment, Stretch& stretch) const;
  void run_stretch(const plan::Segment& segment, Stretch& stretch);
  void record(const plan::Segment& segment, Stretch& stretch);
  void launch(const plan::Segment& segment, const Stretch& stretch);

  // kernel_call.cpp
  void run_kernel(const plan::Step& step, const plan::SegmentStep& planned);

  // frame_watch.cpp: for observers
  void execute_profiled(const plan::Step& step, const plan::SegmentStep& planned, const std::string& not_recorded);
  int64_t note_shapes(const std::vector<int>& slots, std::vector<std::optional<base::Dims>>& shapes) const;
  void count_live(const plan::Step& step, int index);
  void forget_live();
  void tap(const plan::Step& step);

  // frame_outputs.cpp
  void collect(std::vector<base::Value>& outputs);
  void collect_output(size_t k, base::Value& output);

  const plan::Program& program_;
  StreamContext& context_;
  SegmentCache segments_;
  SegmentKey key_;
  Blocks blocks_;
  std::vector<onnxrun_tensor> views_;          // by slot
  std::vector<int> unaligned_;                 // slots of constants that were unaligned, and may still be
  std::vector<base::Value> holders_;           // by slot: values with memory of their own
  std::vector<int> held_;                      // slots whose holder is to be cleared after the run
  std::vector<const base::Value*> borrowed_;   // by slot: the callers' values of inputs and captures, during a run
  std::vector<const onnxrun_tensor*> inputs_;  // of all steps, one after the other
  std::vector<onnxrun_tensor*> outputs_;
  std::vector<size_t> input_offsets_, output_offsets_;  // by step
  std::vector<base::Tensor>
      output_memory_;  // by output: what a kernel writes the current run's output to, where it is not the caller's tensor
  std::unique_ptr<DeviceBindings> bindings_;       // of the current run; null: all is in host memory
  std::unique_ptr<DeviceBindings> idle_bindings_;  // between runs that have some
  std::map<std::pair<int, size_t>, std::unique_ptr<Frame>> bodies_;
  std::vector<int64_t> live_;            // by slot, while profiling: bytes that count as needed
  std::vector<std::vector<int>> dying_;  // by step: slots that nobody reads after it
  FactCheck facts_;                      // of debug builds
  const FactCheck* outer_ = nullptr;     // the enclosing frame's
};

}  // namespace onnxrun::run

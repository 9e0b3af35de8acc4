// Segment: a run of steps prepared for concrete shapes - kernels bound, memory laid out, values that follow from shapes folded.
//
// For one set of input shapes a program's steps form a chain of segments. A segment ends where the next step's output shapes depend on values that
// only exist at run time; what those turn out to be selects the next segment. Most models are one segment.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/deadline.h"
#include "plan/bound_kernel.h"
#include "plan/program.h"

namespace onnxrun::plan {

// Where the bytes of a slot are.
enum class Place : uint8_t {
  kConstant,  // folded: SegmentSlot::constant
  kBlock,     // at `offset` in the frame's block of the slot's memory
  kOutput,    // in the memory of graph output `output`
  kHeap,      // in a tensor of its own, made when the step runs; also all values that are no tensors
  kView,      // those of the slot `view_of`
};

struct SegmentSlot {
  int slot = -1;
  Place place = Place::kBlock;
  base::DType dtype = base::DType::kNone;
  bool dims_known = false;
  base::Dims dims;
  size_t offset = 0;
  int output = -1;
  int view_of = -1;
  base::Tensor constant;
};

struct SegmentStep {
  int step = -1;
  bool skip = false;  // all outputs folded, or a view of memory whose place is fixed
  BoundKernel kernel;
  const onnxrun_kernel* chosen = nullptr;
  size_t scratch_offset = 0;  // in the block of the provider's memory
  bool makes_heap = false;    // an output is placed kHeap: strings, or of a shape that only the kernel knows
  std::vector<int> frees;     // heap slots whose tensors end with this step
  std::vector<int> waits;     // events of its provider that its stream waits for first
  int records = -1;           // event of its provider that is put behind it; -1: none
};

// A value whose shape (and, for `with_value`, contents) the next segment depends on.
struct Awaited {
  int slot = -1;
  bool with_value = false;
};

// A range of a block that stays in use beyond the segment.
struct LiveRange {
  int root = -1;
  int memory = 0;
  size_t offset = 0;
  size_t bytes = 0;
};

struct Segment {
  const Segment* before = nullptr;
  int first = 0, last = 0;                      // steps [first, last)
  std::vector<std::pair<int, ir::Fact>> given;  // facts the segment was planned for: inputs, or what was awaited
  std::vector<SegmentSlot> slots;
  std::vector<size_t> per_run;  // indices into `slots` of those whose memory is another in every run: kOutput and kHeap
  std::vector<SegmentStep> steps;
  std::vector<size_t> block_bytes;          // a memory kind; at least those of `before`
  std::vector<LiveRange> live;              // at the end
  std::vector<Awaited> awaits;              // what selects the next segment; unused when last == step_count
  mutable std::shared_ptr<void> recording;  // the executor's, for the one frame that runs the segment
  mutable bool recording_planned = false;
};

// Plans the segment that follows `before` (null: the first) once `given` is known. Throws errors of inference with the node as context.
// What is computed while it is planned ends at `deadline`.
std::unique_ptr<Segment> plan_segment(const Program& program, const Segment* before,
                                      std::vector<std::pair<int, ir::Fact>> given, base::Deadline deadline = {});

}  // namespace onnxrun::plan

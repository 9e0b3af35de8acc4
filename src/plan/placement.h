// Placement: where the values of a segment lie - in a block by lifetime, in the caller's output, in the memory of a dying input, on their own.
#pragma once

#include <vector>

#include "plan/block_layout.h"
#include "plan/segment.h"
#include "plan/slot_facts.h"

namespace onnxrun::plan {

// Fills the slots and steps of a segment, called step by step in their order.
class Placement {
 public:
  Placement(const Program& program, SlotFacts& facts, Segment& segment);

  // Takes over what the segments before left in place.
  void recall();

  SegmentStep& add_step(int s);
  void place_constant(int slot, base::Tensor constant);
  // A tensor of its own, made when the step runs; also what is no tensor.
  void place_heap(int slot, bool dims_known);
  // The output of view step s.
  void place_view(const Step& step, SegmentStep& planned);
  // Output k of kernel step s. `terms` null: a copy.
  void place_output(int s, const Step& step, size_t k, const onnxrun_acceptance* terms);
  void place_scratch(const Step& step, SegmentStep& planned);
  // Ends the lives of what step s used last; to be called after its outputs were placed.
  void release(int s);
  // Sets the sizes of the blocks and what stays in use.
  void finish();

 private:
  struct Block {
    size_t offset = 0, bytes = 0;
    bool live = false;
  };

  const Slot& slot(int index) const { return program_.slots()[static_cast<size_t>(index)]; }
  Block& block(int root) { return blocks_[static_cast<size_t>(root)]; }
  Place& place(int index) { return places_[static_cast<size_t>(index)]; }
  BlockLayout& layout(int memory) { return layouts_[static_cast<size_t>(memory)]; }
  SegmentSlot describe(int index, Place place);
  void add_slot(SegmentSlot planned);
  int dying_input(int s, const Step& step, const onnxrun_acceptance& terms, size_t k, size_t bytes);

  const Program& program_;
  SlotFacts& facts_;
  Segment& segment_;
  std::vector<Place> places_;            // by slot; inputs and captures count as kHeap: their memory is not fixed
  std::vector<Block> blocks_;            // by root slot
  std::vector<std::vector<int>> dying_;  // by step: roots used last there
  std::vector<BlockLayout> layouts_;     // by memory
};

}  // namespace onnxrun::plan

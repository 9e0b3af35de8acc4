// Placing values by the order of the steps.
#include "plan/placement.h"

#include <algorithm>

namespace onnxrun::plan {

namespace {
constexpr size_t kDeviceAlignment = 256;  // what libraries for devices expect of their workspaces
}

Placement::Placement(const Program& program, SlotFacts& facts, Segment& segment)
    : program_(program),
      facts_(facts),
      segment_(segment),
      places_(program.slots().size(), Place::kHeap),
      blocks_(program.slots().size()),
      dying_(static_cast<size_t>(program.step_count()) + 1),
      layouts_(static_cast<size_t>(program.providers().size()) + 1, BlockLayout(kDeviceAlignment)) {
  layouts_[0] = BlockLayout();
  for (size_t i = 0; i < program.slots().size(); ++i)
    if (const Slot& each = program.slots()[i]; each.last_use >= 0 && each.root == static_cast<int>(i))
      dying_[static_cast<size_t>(each.last_use)].push_back(each.root);
}

void Placement::recall() {
  for (size_t i = 0; i < program_.slots().size(); ++i)
    if (program_.slots()[i].constant) places_[i] = Place::kConstant;
  std::vector<const Segment*> chain;
  for (const Segment* s = segment_.before; s != nullptr; s = s->before) chain.push_back(s);
  for (auto it = chain.rbegin(); it != chain.rend(); ++it)
    for (const SegmentSlot& planned : (*it)->slots) place(planned.slot) = planned.place;
  if (segment_.before == nullptr) return;
  std::vector<LiveRange> live = segment_.before->live;
  std::sort(live.begin(), live.end(), [](const LiveRange& a, const LiveRange& b) { return a.offset < b.offset; });
  for (const LiveRange& range : live) {
    layout(range.memory).reserve(range.offset, range.bytes);
    block(range.root) = Block{range.offset, range.bytes, true};
  }
}

SegmentStep& Placement::add_step(int s) {
  segment_.steps.emplace_back().step = s;
  return segment_.steps.back();
}

void Placement::place_constant(int index, base::Tensor constant) {
  SegmentSlot planned = describe(index, Place::kConstant);
  planned.dtype = constant.dtype();
  planned.dims = constant.dims();
  planned.constant = std::move(constant);
  add_slot(std::move(planned));
}

void Placement::place_heap(int index, bool dims_known) {
  SegmentSlot planned = describe(index, Place::kHeap);
  planned.dims_known = dims_known;
  add_slot(std::move(planned));
}

void Placement::place_view(const Step& step, SegmentStep& planned) {
  const int root = slot(step.outputs[0]).root;
  SegmentSlot view = describe(step.outputs[0], Place::kView);
  view.view_of = root;
  add_slot(std::move(view));
  planned.skip = place(root) == Place::kConstant || place(root) == Place::kBlock;
}

void Placement::place_output(int s, const Step& step, size_t k, const onnxrun_acceptance* terms) {
  const int out = step.outputs[k];
  const int root = slot(out).root;
  SegmentSlot planned = describe(out, Place::kBlock);
  const size_t bytes = base::dtype_bytes(planned.dtype, base::element_count(planned.dims));
  if (slot(root).output >= 0 && slot(out).memory == 0 && root == out) {
    planned.place = Place::kOutput;
    planned.output = slot(root).output;
  } else if (const int source = terms ? dying_input(s, step, *terms, k, bytes) : -1; source >= 0) {
    planned.offset = block(source).offset;
    block(out) = Block{planned.offset, bytes, true};
    block(source).live = false;
  } else {
    planned.offset = layout(slot(out).memory).allocate(bytes);
    block(out) = Block{planned.offset, bytes, true};
  }
  add_slot(std::move(planned));
}

void Placement::place_scratch(const Step& step, SegmentStep& planned) {
  const size_t bytes = planned.kernel ? planned.kernel.scratch_bytes() : 0;
  if (bytes == 0) return;
  BlockLayout& block = layout(program_.providers().memory(step.provider));
  planned.scratch_offset = block.allocate(bytes);
  block.release(planned.scratch_offset, bytes);
}

// A dying input whose memory output k may take over, or -1.
int Placement::dying_input(int s, const Step& step, const onnxrun_acceptance& terms, size_t k, size_t bytes) {
  for (size_t a = 0; a < terms.alias_count; ++a) {
    if (terms.aliases[a].output != static_cast<int32_t>(k)) continue;
    const auto i = static_cast<size_t>(terms.aliases[a].input);
    if (i >= step.inputs.size() || step.inputs[i] < 0) continue;
    const int root = slot(step.inputs[i]).root;
    const auto uses =
        std::count_if(step.inputs.begin(), step.inputs.end(), [&](int in) { return in >= 0 && slot(in).root == root; });
    if (uses == 1 && block(root).live && slot(root).last_use == s && block(root).bytes == bytes &&
        slot(root).memory == slot(step.outputs[k]).memory)
      return root;
  }
  return -1;
}

SegmentSlot Placement::describe(int index, Place place) {
  SegmentSlot planned;
  planned.slot = index;
  planned.place = place;
  planned.dtype = facts_[index].dtype;
  if (const auto dims = facts_[index].dims()) {
    planned.dims = *dims;
    planned.dims_known = true;
  }
  return planned;
}

void Placement::add_slot(SegmentSlot planned) {
  place(planned.slot) = planned.place;
  if (planned.place == Place::kOutput || planned.place == Place::kHeap)
    segment_.per_run.push_back(segment_.slots.size());
  segment_.slots.push_back(std::move(planned));
}

void Placement::release(int s) {
  for (int root : dying_[static_cast<size_t>(s)]) {
    Block& ending = block(root);
    if (ending.live) {
      layout(slot(root).memory).release(ending.offset, ending.bytes);
      ending.live = false;
    } else if (place(root) == Place::kHeap) {
      segment_.steps.back().frees.push_back(root);
    }
  }
}

void Placement::finish() {
  for (size_t memory = 0; memory < layouts_.size(); ++memory) {
    size_t bytes = layouts_[memory].peak();
    if (segment_.before != nullptr) bytes = std::max(bytes, segment_.before->block_bytes[memory]);
    segment_.block_bytes.push_back(bytes);
  }
  for (size_t root = 0; root < blocks_.size(); ++root)
    if (blocks_[root].live)
      segment_.live.push_back(
          {static_cast<int>(root), program_.slots()[root].memory, blocks_[root].offset, blocks_[root].bytes});
}

}  // namespace onnxrun::plan

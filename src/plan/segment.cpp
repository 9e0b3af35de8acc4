// Planning of segments: concrete inference, folding, kernel binding and memory layout in one walk over the steps.
#include "plan/segment.h"

#include <algorithm>

#include "base/error.h"
#include "ir/infer.h"
#include "plan/block_layout.h"
#include "plan/node_view.h"

namespace onnxrun::plan {

using base::Code;
using base::DType;
using base::Tensor;
using ir::Fact;

namespace {

constexpr int64_t kMaxFoldInputs = 4 * ir::kMaxTrackedElements;

bool resolved(const Fact& fact) { return !fact.is_tensor() || fact.dims().has_value(); }

}  // namespace

class SegmentPlanner {
 public:
  SegmentPlanner(const Program& program, const Segment* before, std::vector<std::pair<int, Fact>> given)
      : program_(program), segment_(std::make_unique<Segment>()), facts_(program.slots().size()),
        places_(program.slots().size(), Place::kHeap), blocks_(program.slots().size()), dying_(static_cast<size_t>(program.step_count()) + 1),
        layouts_(static_cast<size_t>(program.providers().size()) + 1) {
    segment_->before = before;
    segment_->first = before ? before->last : 0;
    segment_->given = std::move(given);
  }

  std::unique_ptr<Segment> plan() {
    recall();
    for (size_t slot = 0; slot < program_.slots().size(); ++slot)
      if (const int last = program_.slots()[slot].last_use; last >= 0 && program_.slots()[slot].root == static_cast<int>(slot))
        dying_[static_cast<size_t>(last)].push_back(static_cast<int>(slot));
    int s = segment_->first;
    for (; s < program_.step_count(); ++s)
      if (!plan_step(s)) break;
    segment_->last = s;
    if (s == segment_->first && s < program_.step_count() && segment_->awaits.empty())
      base::fail(Code::kInternal, "no progress while planning {}", program_.describe(program_.steps()[static_cast<size_t>(s)]));
    finish();
    return std::move(segment_);
  }

 private:
  struct Block {
    size_t offset = 0, bytes = 0;
    bool live = false;
  };

  const Slot& slot(int index) const { return program_.slots()[static_cast<size_t>(index)]; }
  Fact& fact(int index) { return facts_[static_cast<size_t>(index)]; }
  Block& block(int root) { return blocks_[static_cast<size_t>(root)]; }

  // Facts, places and live memory of what is there before this segment.
  void recall() {
    for (size_t i = 0; i < program_.slots().size(); ++i)
      if (program_.slots()[i].constant) {
        facts_[i] = program_.fact(static_cast<int>(i));
        places_[i] = Place::kConstant;
      }
    std::vector<const Segment*> chain;
    for (const Segment* s = segment_->before; s != nullptr; s = s->before) chain.push_back(s);
    for (auto it = chain.rbegin(); it != chain.rend(); ++it) {
      for (const SegmentSlot& planned : (*it)->slots) {
        places_[static_cast<size_t>(planned.slot)] = planned.place;
        if (planned.place == Place::kConstant) fact(planned.slot) = Fact::of(planned.constant);
        else if (planned.dims_known) fact(planned.slot) = Fact::tensor(planned.dtype, ir::make_shape(planned.dims));
        else fact(planned.slot) = unresolved_fact(planned.slot, planned.dtype);
      }
    }
    chain.insert(chain.begin(), segment_.get());
    for (auto it = chain.rbegin(); it != chain.rend(); ++it)
      for (const auto& [index, known] : (*it)->given) {
        fact(index) = known;
        // A value is known in every memory it was copied to.
        for (size_t other = 0; known.constant && other < program_.slots().size(); ++other)
          if (program_.slots()[other].value == slot(index).value) facts_[other] = known;
      }
    if (segment_->before != nullptr) {
      std::vector<LiveRange> live = segment_->before->live;
      std::sort(live.begin(), live.end(), [](const LiveRange& a, const LiveRange& b) { return a.offset < b.offset; });
      for (const LiveRange& range : live) {
        layouts_[static_cast<size_t>(range.memory)].reserve(range.offset, range.bytes);
        block(range.root) = Block{range.offset, range.bytes, true};
      }
    }
  }

  Fact unresolved_fact(int index, DType dtype) const {
    Fact result = program_.fact(index);
    result.constant = {};
    result.elements.reset();
    result.shape.reset();
    if (result.kind == ir::TypeKind::kUnknown && dtype != DType::kNone) result = Fact::tensor(dtype);
    return result;
  }

  // Plans step s; false when the segment has to end before it.
  bool plan_step(int s) {
    const Step& step = program_.steps()[static_cast<size_t>(s)];
    if (step.kind == StepKind::kStructural) {
      for (int out : step.outputs)
        if (out >= 0) {
          fact(out) = unresolved_fact(out, DType::kNone);
          place_heap(out, false);
        }
      add_step(s, {});
      release(s);
      return true;
    }
    for (int in : step.inputs)
      if (in >= 0 && !resolved(fact(in))) return await_shapes(s);

    std::vector<Fact> outputs;
    if (step.kind == StepKind::kCopy) {
      outputs = {fact(step.inputs[0])};
    } else {
      uint64_t asked = 0;
      outputs = infer(step, asked);
      if (!all_resolved(step, outputs)) {
        if (await_values(s, step, asked)) return false;
      } else if (fold(s, step, outputs)) {
        release(s);
        return true;
      }
    }
    for (size_t k = 0; k < step.outputs.size(); ++k)
      if (step.outputs[k] >= 0) {
        if (step.kind != StepKind::kCopy) outputs[k].constant = {};
        fact(step.outputs[k]) = outputs[k];
      }
    if (step.kind == StepKind::kView && all_resolved(step, outputs)) place_view(s, step);
    else place_kernel(s, step, outputs);
    release(s);
    return true;
  }

  std::vector<Fact> infer(const Step& step, uint64_t& asked) {
    const ir::Node& node = program_.graph().node(step.node);
    std::vector<const Fact*> inputs;
    inputs.reserve(step.inputs.size());
    for (int in : step.inputs) inputs.push_back(in < 0 ? nullptr : &fact(in));
    return ir::infer_node(program_.graph(), node, std::move(inputs), {}, &asked);
  }

  bool all_resolved(const Step& step, const std::vector<Fact>& outputs) const {
    for (size_t k = 0; k < step.outputs.size(); ++k)
      if (step.outputs[k] >= 0 && !resolved(outputs[k])) return false;
    return true;
  }

  // Ends the segment before step s until the shapes of what is unresolved are known.
  bool await_shapes(int s) {
    segment_->last = s;
    for (const SegmentSlot& planned : segment_->slots)
      if (!planned.dims_known && slot(slot(planned.slot).root).last_use >= s && fact(planned.slot).kind != ir::TypeKind::kSequence &&
          fact(planned.slot).kind != ir::TypeKind::kOptional && fact(planned.slot).kind != ir::TypeKind::kMap)
        segment_->awaits.push_back({planned.slot, false});
    return false;
  }

  // Whether step s should wait for the values of those small inputs that its inference asked for: they decide its output shapes.
  bool await_values(int s, const Step& step, uint64_t asked) {
    if (program_.graph().node(step.node).op->flags & ir::kDataShape) return false;
    std::vector<Awaited> values;
    for (size_t i = 0; i < step.inputs.size() && i < 64; ++i) {
      if (step.inputs[i] < 0 || !(asked >> i & 1) || fact(step.inputs[i]).constant) continue;
      const int in = program_.host_slot(step.inputs[i]);
      if (in < 0) continue;
      const Fact& f = fact(in);
      const bool plain = base::is_integer(f.dtype) || f.dtype == DType::kFloat32 || f.dtype == DType::kFloat64 ||
                         f.dtype == DType::kBool;
      if (plain && !base::is_sub_byte(f.dtype) && f.rank() <= 1 && base::element_count(*f.dims()) <= ir::kMaxTrackedElements)
        values.push_back({in, true});
    }
    if (values.empty()) return false;
    await_shapes(s);
    for (const Awaited& value : values) {
      std::erase_if(segment_->awaits, [&](const Awaited& other) { return other.slot == value.slot; });
      segment_->awaits.push_back(value);
    }
    return true;
  }

  // Replaces step s by constants when its outputs follow from what is known.
  bool fold(int s, const Step& step, std::vector<Fact>& outputs) {
    const ir::Node& node = program_.graph().node(step.node);
    if (node.op->flags & ir::kRandom) return false;
    bool known = true;
    int64_t elements = 0;
    for (size_t k = 0; k < step.outputs.size(); ++k) {
      if (step.outputs[k] < 0) continue;
      if (slot(step.outputs[k]).memory != 0) return false;
      known &= static_cast<bool>(outputs[k].constant);
      elements += base::element_count(*outputs[k].dims());
    }
    if (elements > ir::kMaxTrackedElements) return false;
    if (!known && !evaluate(step, node, outputs)) return false;
    for (size_t k = 0; k < step.outputs.size(); ++k) {
      const int out = step.outputs[k];
      if (out < 0) continue;
      fact(out) = outputs[k];
      SegmentSlot planned = describe(out, Place::kConstant);
      planned.constant = outputs[k].constant;
      planned.dtype = planned.constant.dtype();
      planned.dims = planned.constant.dims();
      add_slot(std::move(planned));
    }
    SegmentStep& folded = add_step(s, {});
    folded.skip = true;
    return true;
  }

  bool evaluate(const Step& step, const ir::Node& node, std::vector<Fact>& outputs) {
    if (step.provider != program_.providers().host()) return false;
    int64_t elements = 0;
    std::vector<const Tensor*> inputs;
    for (int in : step.inputs) {
      if (in >= 0 && !fact(in).constant) return false;
      inputs.push_back(in < 0 ? nullptr : &fact(in).constant);
      if (in >= 0) elements += fact(in).constant.count();
    }
    if (elements > kMaxFoldInputs) return false;
    for (const Candidate& candidate : step.candidates) {
      auto results = run_now(*candidate.kernel, node, inputs, outputs, program_.options().budget);
      if (!results) continue;
      for (size_t k = 0; k < outputs.size(); ++k)
        if (step.outputs[k] >= 0) outputs[k] = Fact::of(std::move((*results)[k]));
      return true;
    }
    return false;
  }

  void place_view(int s, const Step& step) {
    const int out = step.outputs[0];
    const int root = slot(out).root;
    SegmentSlot planned = describe(out, Place::kView);
    planned.view_of = root;
    add_slot(std::move(planned));
    SegmentStep& view = add_step(s, {});
    view.skip = places_[static_cast<size_t>(root)] == Place::kConstant || places_[static_cast<size_t>(root)] == Place::kBlock;
  }

  void place_kernel(int s, const Step& step, const std::vector<Fact>& outputs) {
    SegmentStep& planned = add_step(s, {});
    const onnxrun_acceptance* terms = nullptr;
    if (step.kind != StepKind::kCopy) terms = bind(s, step, planned);
    std::vector<int> taken;
    for (size_t k = 0; k < step.outputs.size(); ++k) {
      const int out = step.outputs[k];
      if (out < 0) continue;
      if (!resolved(outputs[k]) || outputs[k].dtype == DType::kString) {
        place_heap(out, resolved(outputs[k]));
        continue;
      }
      const int root = slot(out).root;
      SegmentSlot placed = describe(out, Place::kBlock);
      const size_t bytes = base::dtype_bytes(placed.dtype, base::element_count(placed.dims));
      if (slot(root).output >= 0 && slot(out).memory == 0 && root == out) {
        placed.place = Place::kOutput;
        placed.output = slot(root).output;
      } else if (const int source = terms ? alias_of(s, step, *terms, static_cast<int>(k), bytes, taken) : -1; source >= 0) {
        placed.offset = block(source).offset;
        block(out) = Block{placed.offset, bytes, true};
        block(source).live = false;
        taken.push_back(source);
      } else {
        placed.offset = layouts_[static_cast<size_t>(slot(out).memory)].allocate(bytes);
        block(out) = Block{placed.offset, bytes, true};
      }
      add_slot(std::move(placed));
    }
    if (planned.kernel && planned.kernel.scratch_bytes() > 0) {
      BlockLayout& layout = layouts_[static_cast<size_t>(program_.providers().memory(step.provider))];
      planned.scratch_offset = layout.allocate(planned.kernel.scratch_bytes());
      layout.release(planned.scratch_offset, planned.kernel.scratch_bytes());
    }
  }

  const onnxrun_acceptance* bind(int s, const Step& step, SegmentStep& planned) {
    const ir::Node& node = program_.graph().node(step.node);
    std::vector<const Fact*> inputs, outputs;
    for (int in : step.inputs) inputs.push_back(in < 0 ? nullptr : &fact(in));
    for (int out : step.outputs) outputs.push_back(out < 0 ? nullptr : &fact(out));
    const NodeView view(node, inputs, outputs);
    std::string declined;
    for (size_t c = 0; c < step.candidates.size(); ++c) {
      const Candidate& candidate = step.candidates[c];
      try {
        auto bound = BoundKernel::bind(*candidate.kernel, view.get(), program_.packed(s, c), &declined);
        if (!bound) continue;
        planned.kernel = std::move(*bound);
      } catch (base::Error& error) {
        throw error.in(program_.describe(step) + shapes_of(step));
      }
      planned.chosen = candidate.kernel;
      return &candidate.terms;
    }
    throw base::Error(Code::kUnsupported, "no kernel runs " + program_.describe(step) + shapes_of(step) + declined);
  }

  std::string shapes_of(const Step& step) {
    std::string text = " with inputs";
    for (int in : step.inputs) text += in < 0 ? " (absent)" : " " + program_.name(in) + ": " + fact(in).to_string();
    return text;
  }

  // A dying input whose memory output k may take over, or -1.
  int alias_of(int s, const Step& step, const onnxrun_acceptance& terms, int k, size_t bytes, const std::vector<int>& taken) {
    for (size_t a = 0; a < terms.alias_count; ++a) {
      if (terms.aliases[a].output != k) continue;
      const auto i = static_cast<size_t>(terms.aliases[a].input);
      if (i >= step.inputs.size() || step.inputs[i] < 0) continue;
      const int root = slot(step.inputs[i]).root;
      const bool elsewhere = std::count_if(step.inputs.begin(), step.inputs.end(), [&](int in) {
                               return in >= 0 && slot(in).root == root;
                             }) > 1;
      if (!elsewhere && block(root).live && slot(root).last_use == s && block(root).bytes == bytes &&
          slot(root).memory == slot(step.outputs[static_cast<size_t>(k)]).memory &&
          std::find(taken.begin(), taken.end(), root) == taken.end())
        return root;
    }
    return -1;
  }

  void place_heap(int out, bool dims_known) {
    SegmentSlot planned = describe(out, Place::kHeap);
    planned.dims_known = dims_known;
    add_slot(std::move(planned));
  }

  SegmentSlot describe(int index, Place place) {
    SegmentSlot planned;
    planned.slot = index;
    planned.place = place;
    planned.dtype = fact(index).dtype;
    if (const auto dims = fact(index).dims()) {
      planned.dims = *dims;
      planned.dims_known = true;
    }
    return planned;
  }

  void add_slot(SegmentSlot planned) {
    places_[static_cast<size_t>(planned.slot)] = planned.place;
    if (planned.place == Place::kOutput || planned.place == Place::kHeap) segment_->per_run.push_back(segment_->slots.size());
    segment_->slots.push_back(std::move(planned));
  }

  SegmentStep& add_step(int s, SegmentStep planned) {
    planned.step = s;
    segment_->steps.push_back(std::move(planned));
    return segment_->steps.back();
  }

  // Ends the lives of what step s used last.
  void release(int s) {
    for (int root : dying_[static_cast<size_t>(s)]) {
      Block& b = block(root);
      if (b.live) {
        layouts_[static_cast<size_t>(slot(root).memory)].release(b.offset, b.bytes);
        b.live = false;
      } else if (places_[static_cast<size_t>(root)] == Place::kHeap) {
        segment_->steps.back().frees.push_back(root);
      }
    }
  }

  void finish() {
    for (size_t memory = 0; memory < layouts_.size(); ++memory) {
      size_t bytes = layouts_[memory].peak();
      if (segment_->before != nullptr) bytes = std::max(bytes, segment_->before->block_bytes[memory]);
      segment_->block_bytes.push_back(bytes);
    }
    for (size_t root = 0; root < blocks_.size(); ++root)
      if (blocks_[root].live)
        segment_->live.push_back({static_cast<int>(root), program_.slots()[root].memory, blocks_[root].offset, blocks_[root].bytes});
  }

  const Program& program_;
  std::unique_ptr<Segment> segment_;
  std::vector<Fact> facts_;     // by slot
  std::vector<Place> places_;   // by slot; inputs and captures count as kHeap: their memory is not fixed
  std::vector<Block> blocks_;   // by root slot
  std::vector<std::vector<int>> dying_;  // by step: roots used last there
  std::vector<BlockLayout> layouts_;     // by memory
};

std::unique_ptr<Segment> plan_segment(const Program& program, const Segment* before, std::vector<std::pair<int, Fact>> given) {
  return SegmentPlanner(program, before, std::move(given)).plan();
}

size_t Segment::plan_bytes() const {
  size_t bytes = sizeof(Segment) + slots.size() * (sizeof(SegmentSlot) + 64) + steps.size() * (sizeof(SegmentStep) + 512);
  for (const auto& [key, segment] : next) bytes += segment->plan_bytes() + key.size() * sizeof(int64_t);
  return bytes;
}

}  // namespace onnxrun::plan

// Planning of segments: concrete inference, folding, kernel binding and memory layout in one walk over the steps.
#include <algorithm>

#include "base/error.h"
#include "base/kernel_memory.h"
#include "ir/infer.h"
#include "ir/input_types.h"
#include "plan/copy_order.h"
#include "plan/fold_step.h"
#include "plan/node_view.h"
#include "plan/placement.h"
#include "plan/segment.h"

namespace onnxrun::plan {

using base::Code;
using base::DType;
using ir::Fact;

namespace {

class SegmentPlanner {
 public:
  SegmentPlanner(const Program& program, const Segment* before, std::vector<std::pair<int, Fact>> given,
                 base::Deadline deadline)
      : program_(program),
        deadline_(deadline),
        segment_(std::make_unique<Segment>()),
        facts_(program),
        placement_(program, facts_, *segment_) {
    segment_->before = before;
    segment_->first = before ? before->last : 0;
    segment_->given = std::move(given);
  }

  ~SegmentPlanner() { program_.end_packing(); }
  SegmentPlanner(const SegmentPlanner&) = delete;
  SegmentPlanner& operator=(const SegmentPlanner&) = delete;

  std::unique_ptr<Segment> plan() {
    if (segment_->before == nullptr) pack_large();
    facts_.recall(*segment_);
    placement_.recall();
    int s = segment_->first;
    for (; s < program_.step_count(); ++s)
      if (!plan_step(s)) break;
    segment_->last = s;
    if (s == segment_->first && s < program_.step_count() && segment_->awaits.empty())
      base::fail(Code::kInternal, "no progress while planning {}",
                 program_.describe(program_.steps()[static_cast<size_t>(s)]));
    placement_.finish();
    order_copies(program_, *segment_);
    return std::move(segment_);
  }

 private:
  // The largest weights that are packed in any case come first: while one is packed, the file's pages of it are in memory as well.
  void pack_large() {
    constexpr uint64_t kLarge = uint64_t{16} << 20;
    std::vector<std::pair<uint64_t, int>> large;
    for (int s = 0; s < program_.step_count(); ++s) {
      const Step& step = program_.steps()[static_cast<size_t>(s)];
      if (step.candidates.empty() || late_of(step).types) continue;
      const onnxrun_acceptance& terms = step.candidates.front().terms;
      if (terms.takes_all_shapes != 0 && terms.pack_bytes >= kLarge) large.emplace_back(terms.pack_bytes, s);
    }
    std::sort(large.rbegin(), large.rend());
    for (const auto& [bytes, s] : large) {
      try {
        (void)program_.packed(s, 0);
      } catch (base::Error& error) {
        throw error.in(program_.describe(program_.steps()[static_cast<size_t>(s)]));
      }
    }
  }

  const Slot& slot(int index) const { return program_.slots()[static_cast<size_t>(index)]; }

  // Calls f(), whose errors say where they come from.
  template <class F>
  auto within(const Step& step, F&& f) {
    try {
      return f();
    } catch (base::Error& error) {
      throw error.in(program_.describe(step) + shapes_of(step));
    }
  }

  // Plans step s; false when the segment has to end before it.
  bool plan_step(int s) {
    const Step& step = program_.steps()[static_cast<size_t>(s)];
    if (step.kind == StepKind::kStructural) {
      place_structural(step, s);
      return true;
    }
    for (int in : step.inputs)
      if (in >= 0 && !(facts_[in].kind == ir::TypeKind::kUnknown ? refuse_no_tensor(step, in) : resolved(facts_[in]))) {
        await_shapes(s);
        return false;
      }
    std::vector<Fact> outputs;
    if (step.kind == StepKind::kCopy) {
      outputs = {facts_[step.inputs[0]]};
    } else {
      uint64_t asked = 0;
      outputs = infer(step, asked);
      refuse_other_types(step, outputs);
      if (!all_resolved(step, outputs)) {
        if (await_values(s, step, asked)) return false;
        refuse_unknown_shapes(step, asked);
      } else if (within(step, [&] { return fold_step(program_, step, facts_, outputs, deadline_); })) {
        place_folded(s, step, outputs);
        return true;
      }
    }
    for (size_t k = 0; k < step.outputs.size(); ++k)
      if (step.outputs[k] >= 0) facts_[step.outputs[k]] = outputs[k];
    if (step.kind == StepKind::kView && all_resolved(step, outputs)) {
      make_readable({&facts_[step.inputs[0]]}, [](size_t) { return true; });
      placement_.place_view(step, placement_.add_step(s));
    } else {
      place_kernel(s, step, outputs);
    }
    placement_.release(s);
    return true;
  }

  // Of a value whose kind nothing tells before it is there: false while it is not, else it is no tensor, or its type would be known.
  bool refuse_no_tensor(const Step& step, int in) {
    for (const Segment* segment = segment_.get(); segment != nullptr; segment = segment->before)
      for (const auto& [slot, fact] : segment->given)
        if (slot == in)
          throw base::Error(Code::kRunFailed,
                            program_.describe(step) + ": '" + program_.name(in) + "' must be a tensor");
    return false;
  }

  std::vector<Fact> infer(const Step& step, uint64_t& asked) {
    std::vector<const Fact*> inputs;
    inputs.reserve(step.inputs.size());
    for (int in : step.inputs) inputs.push_back(in < 0 ? nullptr : &facts_[in]);
    const ir::Node& node = program_.graph().node(step.node);
    within(step, [&] {
      ir::check_late_types(program_.options().table->signature(*node.op), program_.graph(), node, inputs);
    });
    return ir::infer_node(program_.graph(), program_.graph().node(step.node), std::move(inputs), {}, &asked);
  }

  // Steps behind were chosen for the types that the model says, which may come from a declaration alone.
  void refuse_other_types(const Step& step, const std::vector<Fact>& outputs) {
    for (size_t k = 0; k < step.outputs.size(); ++k) {
      if (step.outputs[k] < 0) continue;
      const Fact& said = program_.fact(step.outputs[k]);
      if (said.is_tensor() && outputs[k].is_tensor() && said.dtype != DType::kNone && said.dtype != outputs[k].dtype)
        throw base::Error(
            Code::kRunFailed,
            fmt::format("{}{}: output '{}' is declared as {}, but is {}", program_.describe(step), shapes_of(step),
                        program_.name(step.outputs[k]), said.to_string(), outputs[k].to_string()));
    }
  }

  bool all_resolved(const Step& step, const std::vector<Fact>& outputs) const {
    for (size_t k = 0; k < step.outputs.size(); ++k)
      if (step.outputs[k] >= 0 && !resolved(outputs[k])) return false;
    return true;
  }

  // Only kernels of operators whose output shapes depend on data allocate outputs themselves.
  void refuse_unknown_shapes(const Step& step, uint64_t asked) {
    if (program_.graph().node(step.node).op->flags & ir::kDataShape) return;
    std::string names;
    for (size_t i = 0; i < step.inputs.size() && i < 64; ++i)
      if (step.inputs[i] >= 0 && (asked >> i & 1) && !facts_[step.inputs[i]].constant)
        names += (names.empty() ? "" : ", ") + program_.name(step.inputs[i]);
    if (!names.empty())
      names = "; they depend on " + names + ", which must be a scalar or a vector of at most " +
              std::to_string(ir::kMaxTrackedElements);
    throw base::Error(Code::kInvalidModel,
                      program_.describe(step) + shapes_of(step) + ": the shapes of its outputs cannot be told" + names);
  }

  // Ends the segment before step s until the shapes of what is unresolved are known.
  void await_shapes(int s) {
    for (const SegmentSlot& planned : segment_->slots)
      if (!planned.dims_known && slot(slot(planned.slot).root).last_use >= s &&
          (facts_[planned.slot].is_tensor() || facts_[planned.slot].kind == ir::TypeKind::kUnknown))
        segment_->awaits.push_back({planned.slot, false});
  }

  // Whether step s should wait for the values of those small inputs that its inference asked for: they decide its output shapes.
  bool await_values(int s, const Step& step, uint64_t asked) {
    if (program_.graph().node(step.node).op->flags & ir::kDataShape) return false;
    std::vector<Awaited> values;
    for (size_t i = 0; i < step.inputs.size() && i < 64; ++i) {
      if (step.inputs[i] < 0 || !(asked >> i & 1) || facts_[step.inputs[i]].constant) continue;
      const int in = program_.host_slot(step.inputs[i]);
      if (in >= 0 && slot(in).producer < s && can_be_awaited(facts_[in])) values.push_back({in, true});
    }
    if (values.empty()) return false;
    await_shapes(s);
    for (const Awaited& value : values) {
      std::erase_if(segment_->awaits, [&](const Awaited& other) { return other.slot == value.slot; });
      segment_->awaits.push_back(value);
    }
    return true;
  }

  static bool can_be_awaited(const Fact& fact) {
    const bool plain = base::is_integer(fact.dtype) || base::is_float(fact.dtype) || fact.dtype == DType::kBool;
    return plain && !base::is_sub_byte(fact.dtype) && fact.rank() <= 1 &&
           base::element_count(*fact.dims()) <= ir::kMaxTrackedElements;
  }

  // What control flow and its kin make is known when it was made.
  void place_structural(const Step& step, int s) {
    for (int out : step.outputs)
      if (out >= 0) {
        facts_[out] = facts_.unresolved(out);
        placement_.place_heap(out, false);
      }
    placement_.add_step(s);
    placement_.release(s);
  }

  void place_folded(int s, const Step& step, std::vector<Fact>& outputs) {
    for (size_t k = 0; k < step.outputs.size(); ++k)
      if (const int out = step.outputs[k]; out >= 0) {
        facts_[out] = outputs[k];
        placement_.place_constant(out, outputs[k].constant);
      }
    placement_.add_step(s).skip = true;
    placement_.release(s);
  }

  void place_kernel(int s, const Step& step, const std::vector<Fact>& outputs) {
    if (step.kind != StepKind::kCopy) within(step, [&] { refuse_large_outputs(step, outputs); });
    SegmentStep& planned = placement_.add_step(s);
    const onnxrun_acceptance* terms = step.kind == StepKind::kCopy ? nullptr : bind(s, step, planned);
    for (size_t k = 0; k < step.outputs.size(); ++k) {
      if (step.outputs[k] < 0) continue;
      if (!resolved(outputs[k]) || outputs[k].dtype == DType::kString) {
        placement_.place_heap(step.outputs[k], resolved(outputs[k]));
        planned.makes_heap = true;
      } else {
        placement_.place_output(s, step, k, terms);
      }
    }
    placement_.place_scratch(step, planned);
  }

  // Kernels may make tables of the outputs' sizes when they are bound, before memory is asked for.
  void refuse_large_outputs(const Step& step, const std::vector<Fact>& outputs) {
    const base::BudgetPtr& budget = program_.options().budget;
    for (size_t k = 0; budget && k < step.outputs.size(); ++k) {
      if (step.outputs[k] < 0 || !resolved(outputs[k]) || !outputs[k].is_tensor()) continue;
      try {
        budget->check_tensor(
            static_cast<int64_t>(base::dtype_bytes(outputs[k].dtype, base::element_count(*outputs[k].dims()))));
      } catch (base::Error& error) {
        throw error.in(fmt::format("output '{}' of {}", program_.name(step.outputs[k]), outputs[k].to_string()));
      }
    }
  }

  // Binds the first kernel that takes these shapes; returns its terms.
  const onnxrun_acceptance* bind(int s, const Step& step, SegmentStep& planned) {
    const ir::Node& node = program_.graph().node(step.node);
    std::vector<const Fact*> inputs, outputs;
    for (int in : step.inputs) inputs.push_back(in < 0 ? nullptr : &facts_[in]);
    for (int out : step.outputs) outputs.push_back(out < 0 ? nullptr : &facts_[out]);
    const Late late = late_of(step);
    std::string declined;
    // Of tables that kernels make when they are bound; segments are charged for what they keep.
    base::KernelMemory taken(program_.options().budget);
    const base::KernelMemory::Here here(&taken);
    for (size_t c = 0; c < step.candidates.size(); ++c) {
      const Candidate& candidate = step.candidates[c];
      try {
        // What lies on a device was copied there as it is stored.
        make_readable(inputs, [&](size_t i) {
          return !candidate.packs(i) && program_.slots()[static_cast<size_t>(step.inputs[i])].memory == 0;
        });
        const NodeView view(node, inputs, outputs, program_.options().node_settings());
        if ((late.types || late.ranks) && !accepts_now(candidate, view, late.types, declined)) continue;
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

  // What was not known, or is another than inference said, when the step's candidates were chosen.
  struct Late {
    bool types = false, ranks = false;
  };
  Late late_of(const Step& step) {
    Late late;
    for (const std::vector<int>* slots : {&step.inputs, &step.outputs})
      for (const int slot : *slots) {
        if (slot < 0) continue;
        const Fact& then = program_.fact(slot);
        late.types |= then.kind == ir::TypeKind::kUnknown || (then.is_tensor() && then.dtype == DType::kNone);
        late.ranks |= then.rank() < 0 || (facts_[slot].rank() >= 0 && facts_[slot].rank() != then.rank());
      }
    return late;
  }

  // Whether such a candidate takes what is known now; on the terms that it was chosen for where types were not: what was packed without them is of no use.
  static bool accepts_now(const Candidate& candidate, const NodeView& view, bool late_types, std::string& declined) {
    const auto decline = [&](std::string_view why) {
      declined += fmt::format("\n  kernel '{}': {}", candidate.kernel->name, why);
      return false;
    };
    onnxrun_acceptance terms{};
    Message message;
    const onnxrun_code code = candidate.kernel->accepts(view.get(), &terms, message.sink());
    if (code == ONNXRUN_UNSUPPORTED) return decline(message.text());
    if (code != ONNXRUN_OK) throw base::Error(static_cast<Code>(code), message.text());
    if (!late_types) return true;
    const onnxrun_acceptance& then = candidate.terms;
    bool same = terms.strided_inputs == then.strided_inputs && terms.host_inputs == then.host_inputs &&
                terms.host_outputs == then.host_outputs && terms.alias_count == then.alias_count;
    for (size_t i = 0; same && i < terms.alias_count; ++i)
      same = terms.aliases[i].input == then.aliases[i].input && terms.aliases[i].output == then.aliases[i].output;
    if (!same || terms.pack_bytes != 0 || then.pack_bytes != 0)
      return decline("it needs to know the types of its inputs while the model is loaded; declare them");
    return true;
  }

  // Lets those constants be aligned that `reads` says are read.
  template <class Reads>
  static void make_readable(const std::vector<const Fact*>& inputs, Reads&& reads) {
    for (size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] != nullptr && inputs[i]->constant && reads(i)) (void)inputs[i]->constant.raw();
  }

  std::string shapes_of(const Step& step) {
    std::string text = " with inputs";
    for (int in : step.inputs) text += in < 0 ? " (absent)" : " " + program_.name(in) + ": " + facts_[in].to_string();
    return text;
  }

  const Program& program_;
  const base::Deadline deadline_;
  std::unique_ptr<Segment> segment_;
  SlotFacts facts_;
  Placement placement_;
};

}  // namespace

std::unique_ptr<Segment> plan_segment(const Program& program, const Segment* before,
                                      std::vector<std::pair<int, Fact>> given, base::Deadline deadline) {
  return SegmentPlanner(program, before, std::move(given), deadline).plan();
}

}  // namespace onnxrun::plan

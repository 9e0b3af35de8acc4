// Building programs: a provider's kernels for every node, expanding what nobody runs as it is, and the steps in order.
#include <algorithm>
#include <deque>

#include "base/error.h"
#include "ir/infer.h"
#include "plan/assign.h"
#include "plan/copy_order.h"
#include "plan/expand.h"
#include "plan/fold_step.h"
#include "plan/lifetimes.h"
#include "plan/slot_table.h"

namespace onnxrun::plan {

using base::Code;
using ir::kNone;

class ProgramBuilder {
 public:
  ProgramBuilder(ir::Graph& graph, const ProgramOptions& options)
      : graph_(graph),
        program_(new Program),
        slots_(graph, program_->options_, program_->slots_, program_->steps_, program_->captures_) {
    program_->graph_ = &graph;
    program_->options_ = options;
  }

  std::unique_ptr<Program> build() {
    assign_all();
    for (ir::ValueId id : graph_.inputs()) program_->inputs_.push_back(slots_.home(id));
    for (ir::NodeId id : order_) add_step(id);
    for (ir::ValueId id : graph_.outputs()) program_->outputs_.push_back(slots_.in_memory(id, 0));
    find_lifetimes(program_->steps_, program_->outputs_, providers(), program_->slots_);
    find_host_waits(providers(), program_->slots_, program_->steps_);
    program_->pack_memory_ = std::make_unique<PackMemory>(program_->options_.budget);
    for (const Step& step : program_->steps_)
      if (!step.candidates.empty()) program_->pack_memory_->expect(step.candidates.front().terms.pack_bytes);
    give_up_packed();
    program_->end_packing();
    return std::move(program_);
  }

 private:
  const ProviderSet& providers() const { return *program_->options_.providers; }

  // Fills order_ and assignments_, expanding nodes that nobody runs as they are.
  void assign_all() {
    const std::vector<ir::NodeId> initial = graph_.topological_order();
    std::deque<ir::NodeId> pending(initial.begin(), initial.end());
    assignments_.resize(graph_.node_capacity());
    while (!pending.empty()) {
      const ir::NodeId id = pending.front();
      pending.pop_front();
      const ir::Node& node = graph_.node(id);
      if (is_structural(graph_, node)) {
        order_.push_back(id);
        continue;
      }
      Assignment assignment = assign(graph_, node, providers(), program_->options_.node_settings());
      // What a later provider runs as it is takes no work from the first one that can do it in parts.
      const bool in_parts = assignment.provider > 0 && !is_host_node(graph_, node) &&
                            first_runs_expansion(graph_, node, program_->options_);
      if (assignment.provider >= 0 && !in_parts) {
        if (static_cast<size_t>(id) >= assignments_.size()) assignments_.resize(static_cast<size_t>(id) + 1);
        assignments_[static_cast<size_t>(id)] = std::move(assignment);
        order_.push_back(id);
        continue;
      }
      const Expanded expanded = expand(graph_, *program_->options_.table, id);
      if (expanded.added.empty()) refuse(expanded.kept, assignment);
      pending.insert(pending.begin(), expanded.added.begin(), expanded.added.end());
    }
  }

  [[noreturn]] void refuse(ir::NodeId id, const Assignment& assignment) {
    const ir::Node& node = graph_.node(id);
    std::string message = "no provider runs " + node.describe(graph_) + "\n  inputs:";
    for (ir::ValueId value : node.inputs)
      message +=
          value == kNone ? " (absent)" : " " + graph_.value(value).name + ": " + graph_.value(value).fact.to_string();
    for (const std::string& reason : assignment.declined) message += "\n  " + reason;
    throw base::Error(Code::kUnsupported, message);
  }

  void add_step(ir::NodeId id) {
    ir::Node& node = graph_.node(id);
    Step step;
    step.node = id;
    if (is_structural(graph_, node)) describe_structural(node, step);
    else describe_kernels(node, assignments_[static_cast<size_t>(id)], step);
    const onnxrun_acceptance* terms = step.candidates.empty() ? nullptr : &step.candidates.front().terms;
    const int memory = terms ? providers().memory(step.provider) : 0;
    const auto where = [&](uint64_t host_mask, size_t k) { return k < 64 && (host_mask >> k & 1) ? 0 : memory; };
    // What reads dims alone takes a value where it lies.
    const bool reads_dims = (node.op->flags & ir::kHostShape) != 0;
    for (size_t k = 0; k < node.inputs.size(); ++k)
      step.inputs.push_back(node.inputs[k] == kNone ? -1
                            : reads_dims            ? slots_.home(node.inputs[k])
                                         : slots_.in_memory(node.inputs[k], where(terms ? terms->host_inputs : 0, k)));
    if (memory != 0) step.shape_values = host_values_for_shapes(node);
    for (size_t k = 0; k < node.outputs.size(); ++k)
      step.outputs.push_back(
          node.outputs[k] == kNone ? -1 : slots_.make_in(node.outputs[k], where(terms ? terms->host_outputs : 0, k)));
    slots_.push(std::move(step));
    copy_outputs_early(node, memory);
  }

  // An output of the graph goes to the host while the device computes what comes after it. One of unknown shape goes last, as a plan ends before it.
  void copy_outputs_early(const ir::Node& node, int memory) {
    if (memory == 0 || !providers().has_events(memory - 1) || node.op->flags & ir::kDataShape) return;
    for (ir::ValueId id : node.outputs)
      if (id != kNone && graph_.is_output(id)) slots_.in_memory(id, 0);
  }

  void describe_structural(ir::Node& node, Step& step) {
    step.kind = StepKind::kStructural;
    step.provider = providers().host();
    for (ir::Body& body : node.bodies) {
      BodyProgram inner{body.name, Program::build(*body.graph, program_->options_), {}};
      for (int slot : inner.program->captures()) {
        const Slot& capture = inner.program->slots()[static_cast<size_t>(slot)];
        inner.captures.push_back(slots_.in_memory(body.graph->value(capture.value).outer, capture.memory));
      }
      step.bodies.push_back(std::move(inner));
    }
  }

  void describe_kernels(const ir::Node& node, Assignment& assignment, Step& step) {
    step.provider = assignment.provider;
    step.candidates = std::move(assignment.candidates);
    step.declined = std::move(assignment.declined);
    if (node.op->flags & ir::kView) step.kind = StepKind::kView;
    if (providers().memory(step.provider) == 0) return;
    // Where values lie is settled here, for all candidates as for the best.
    const onnxrun_acceptance best = step.candidates.front().terms;
    std::erase_if(step.candidates, [&](const Candidate& candidate) {
      return candidate.terms.host_inputs != best.host_inputs || candidate.terms.host_outputs != best.host_outputs;
    });
  }

  // Host slots of the inputs of a device's node whose values its inference asks for: planning reads them.
  std::vector<int> host_values_for_shapes(const ir::Node& node) {
    std::vector<const ir::Fact*> facts;
    for (ir::ValueId id : node.inputs) facts.push_back(id == kNone ? nullptr : &graph_.value(id).fact);
    uint64_t asked = 0;
    ir::infer_node(graph_, node, std::move(facts), {}, &asked);
    std::vector<int> slots;
    if (node.op->flags & ir::kDataShape) return slots;
    // What a view shows has nothing to do with its shape.
    for (size_t i = node.op->flags & ir::kView ? 1 : 0; i < node.inputs.size() && i < 64; ++i)
      if (asked >> i & 1 && graph_.value(node.inputs[i]).fact.rank() <= 1)
        slots.push_back(slots_.in_memory(node.inputs[i], 0));
    return slots;
  }

  // Packs large constants that nobody reads in another form, folding neither, and frees the form they had. Those of a file take no memory that could be freed.
  void give_up_packed() {
    constexpr size_t kLarge = 16 << 10;
    std::vector<int> step_of(graph_.node_capacity(), -1);
    for (int s = 0; s < program_->step_count(); ++s)
      if (const ir::NodeId id = program_->steps_[static_cast<size_t>(s)].node; id != kNone)
        step_of[static_cast<size_t>(id)] = s;
    for (Slot& slot : program_->slots_) {
      if (slot.memory != 0 || !slot.constant || slot.constant.bytes() < kLarge ||
          slot.constant.count() <= kMaxFoldInputs || !slot.constant.buffer()->is_owner())
        continue;
      ir::Value& value = graph_.value(slot.value);
      const auto packs = [&](ir::NodeId id) { return only_packs(step_of[static_cast<size_t>(id)], slot.value); };
      if (graph_.is_output(slot.value) || value.consumers.empty() || !std::ranges::all_of(value.consumers, packs))
        continue;
      for (ir::NodeId id : value.consumers) (void)program_->packed(step_of[static_cast<size_t>(id)], 0);
      slot.constant = value.fact.constant = slot.constant.given_up();
    }
  }

  // Whether a step reads a constant only to pack it, whatever the shapes.
  bool only_packs(int s, ir::ValueId value) const {
    if (s < 0) return false;
    const Step& step = program_->steps_[static_cast<size_t>(s)];
    if (step.kind != StepKind::kKernel || providers().memory(step.provider) != 0) return false;
    const Candidate& first = step.candidates.front();
    const std::vector<ir::ValueId>& inputs = graph_.node(step.node).inputs;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] == value && !first.packs(i)) return false;
    return first.terms.takes_all_shapes != 0 && first.terms.pack_bytes != 0;
  }

  ir::Graph& graph_;
  std::unique_ptr<Program> program_;
  SlotTable slots_;
  std::vector<ir::NodeId> order_;
  std::vector<Assignment> assignments_;  // by node
};

std::unique_ptr<Program> Program::build(ir::Graph& graph, const ProgramOptions& options) {
  return ProgramBuilder(graph, options).build();
}

}  // namespace onnxrun::plan

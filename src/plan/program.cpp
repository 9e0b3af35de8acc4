// Building programs: assignment of nodes, copies between memories, and when each value is used last.
#include "plan/program.h"

#include <algorithm>
#include <deque>

#include "base/error.h"
#include "ir/expansion.h"
#include "plan/assign.h"
#include "plan/node_view.h"

namespace onnxrun::plan {

using base::Code;
using base::Error;
using ir::kNone;

class ProgramBuilder {
 public:
  ProgramBuilder(ir::Graph& graph, const ProgramOptions& options) : graph_(graph), program_(new Program) {
    program_->graph_ = &graph;
    program_->options_ = options;
  }

  std::unique_ptr<Program> build() {
    assign_all();
    for (ir::ValueId id : graph_.inputs()) program_->inputs_.push_back(home(id));
    for (ir::ValueId id : graph_.captures()) program_->captures_.push_back(home(id));
    for (ir::NodeId id : order_) add_step(id);
    for (ir::ValueId id : graph_.outputs()) program_->outputs_.push_back(in_memory(id, 0));
    find_roots();
    find_last_uses();
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
      Assignment assignment = assign(graph_, node, providers());
      if (assignment.provider >= 0) {
        if (static_cast<size_t>(id) >= assignments_.size()) assignments_.resize(static_cast<size_t>(id) + 1);
        assignments_[static_cast<size_t>(id)] = std::move(assignment);
        order_.push_back(id);
        continue;
      }
      const std::vector<ir::NodeId> added = decompose(id);
      if (added.empty()) refuse(id, assignment);
      pending.insert(pending.begin(), added.begin(), added.end());
    }
  }

  std::vector<ir::NodeId> decompose(ir::NodeId id) {
    const ir::Node& node = graph_.node(id);
    if (node.op->decompose == nullptr) return {};
    ir::Node source;
    source.op = node.op;
    source.name = node.name;
    source.attributes = node.attributes;
    source.inputs = node.inputs;
    source.outputs = node.outputs;
    source.origin = node.origin;
    // Taken out and put back when the operator finds no equivalent for this node.
    graph_.remove_node(id);
    const ir::OpDef& op = *source.op;
    ir::Expansion expansion(graph_, *program_->options_.table, std::move(source));
    if (!op.decompose(expansion)) {
      if (!expansion.added().empty()) base::fail(Code::kInternal, "decomposition of {} gave up half way", op.full_name());
      expansion.keep();
      replaced_by_ = expansion.added().front();
      return {};
    }
    return expansion.added();
  }

  [[noreturn]] void refuse(ir::NodeId id, const Assignment& assignment) {
    const ir::Node& node = graph_.has_node(id) ? graph_.node(id) : graph_.node(replaced_by_);
    std::string message = "no provider runs " + node.describe(graph_) + "\n  inputs:";
    for (ir::ValueId value : node.inputs)
      message += value == kNone ? " (absent)" : " " + graph_.value(value).name + ": " + graph_.value(value).fact.to_string();
    for (const std::string& reason : assignment.declined) message += "\n  " + reason;
    throw Error(Code::kUnsupported, message);
  }

  int add_slot(ir::ValueId value, int memory) {
    Slot slot;
    slot.value = value;
    slot.memory = memory;
    program_->slots_.push_back(std::move(slot));
    return static_cast<int>(program_->slots_.size()) - 1;
  }

  // The slot of a value where it is produced; host memory for inputs, captures and constants.
  int home(ir::ValueId value) {
    if (static_cast<size_t>(value) >= homes_.size()) homes_.resize(std::max(graph_.value_count(), static_cast<size_t>(value) + 1), -1);
    int& slot = homes_[static_cast<size_t>(value)];
    if (slot < 0) {
      slot = add_slot(value, 0);
      const ir::Value& v = graph_.value(value);
      if (v.fact.constant && v.producer == kNone && !v.is_input && v.outer == kNone)
        program_->slots_.back().constant = v.fact.constant;
    }
    return slot;
  }

  // The slot of a value in `memory`, with a copy step before its first use there.
  int in_memory(ir::ValueId value, int memory) {
    const int source = home(value);
    if (program_->slots_[static_cast<size_t>(source)].memory == memory) return source;
    int& slot = copies_[{value, memory}];
    if (slot == 0) {
      slot = add_slot(value, memory) + 1;
      if (const base::Tensor constant = program_->slots_[static_cast<size_t>(source)].constant) {
        program_->slots_.back().constant = upload(constant, memory);
        return slot - 1;
      }
      Step step;
      step.kind = StepKind::kCopy;
      step.provider = std::max(memory, program_->slots_[static_cast<size_t>(source)].memory) - 1;
      step.inputs = {source};
      step.outputs = {slot - 1};
      push(std::move(step));
    }
    return slot - 1;
  }

  // A constant in a device's memory, copied once for the life of the program.
  base::Tensor upload(const base::Tensor& constant, int memory) {
    const int index = memory - 1;
    const onnxrun_provider& provider = providers().at(index);
    const auto check = [&](onnxrun_code code, const Message& message) {
      if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), std::string(provider.name) + ": " + message.text());
    };
    Message message;
    void* device = nullptr;
    check(provider.allocate(provider.self, std::max<size_t>(constant.bytes(), 1), &device, message.sink()), message);
    const std::shared_ptr<void> owner(device, [providers = program_->options_.providers, index](void* memory_to_free) {
      providers->at(index).deallocate(providers->at(index).self, memory_to_free);
    });
    void* stream = nullptr;
    check(provider.create_stream(provider.self, &stream, message.sink()), message);
    const std::shared_ptr<void> stream_owner(stream, [&provider](void* s) { provider.destroy_stream(provider.self, s); });
    check(provider.copy(provider.self, stream, constant.raw(), 0, device, 1, constant.bytes(), message.sink()), message);
    check(provider.synchronize(provider.self, stream, message.sink()), message);
    return base::Tensor(constant.dtype(), constant.dims(), base::Buffer::wrap(device, std::max<size_t>(constant.bytes(), 1), owner),
                        0, memory);
  }

  void push(Step step) {
    const int index = program_->step_count();
    for (int slot : step.outputs)
      if (slot >= 0) program_->slots_[static_cast<size_t>(slot)].producer = index;
    program_->steps_.push_back(std::move(step));
  }

  void add_step(ir::NodeId id) {
    ir::Node& node = graph_.node(id);
    Step step;
    step.node = id;
    const bool structural = is_structural(graph_, node);
    const onnxrun_acceptance* terms = nullptr;
    if (structural) {
      step.kind = StepKind::kStructural;
      step.provider = providers().host();
      for (ir::Body& body : node.bodies) {
        BodyProgram inner{body.name, Program::build(*body.graph, program_->options_), {}};
        for (ir::ValueId capture : body.graph->captures())
          inner.captures.push_back(in_memory(body.graph->value(capture).outer, 0));
        step.bodies.push_back(std::move(inner));
      }
    } else {
      Assignment& assignment = assignments_[static_cast<size_t>(id)];
      step.provider = assignment.provider;
      step.candidates = std::move(assignment.candidates);
      step.declined = std::move(assignment.declined);
      if (node.op->flags & ir::kView) step.kind = StepKind::kView;
      terms = &step.candidates.front().terms;
    }
    const int memory = structural ? 0 : providers().memory(step.provider);
    const auto where = [&](uint64_t host_mask, size_t k) { return k < 64 && (host_mask >> k & 1) ? 0 : memory; };
    for (size_t k = 0; k < node.inputs.size(); ++k)
      step.inputs.push_back(node.inputs[k] == kNone ? -1 : in_memory(node.inputs[k], where(terms ? terms->host_inputs : 0, k)));
    for (size_t k = 0; k < node.outputs.size(); ++k) {
      if (node.outputs[k] == kNone) {
        step.outputs.push_back(-1);
        continue;
      }
      const int slot = home(node.outputs[k]);
      program_->slots_[static_cast<size_t>(slot)].memory = where(terms ? terms->host_outputs : 0, k);
      step.outputs.push_back(slot);
    }
    push(std::move(step));
  }

  void find_roots() {
    for (size_t i = 0; i < program_->slots_.size(); ++i) program_->slots_[i].root = static_cast<int>(i);
    for (const Step& step : program_->steps_)
      if (step.kind == StepKind::kView)
        program_->slots_[static_cast<size_t>(step.outputs[0])].root =
            program_->slots_[static_cast<size_t>(step.inputs[0])].root;
  }

  Slot& root_of(int slot) {
    return program_->slots_[static_cast<size_t>(program_->slots_[static_cast<size_t>(slot)].root)];
  }

  void find_last_uses() {
    const int end = program_->step_count();
    // Host memory that a device still copies from must stay as it is until that device was waited for.
    std::vector<int> next_wait(static_cast<size_t>(providers().size()), end);
    for (int s = end - 1; s >= 0; --s) {
      const Step& step = program_->steps_[static_cast<size_t>(s)];
      const auto use = [&](int slot, int when) {
        if (slot >= 0) root_of(slot).last_use = std::max(root_of(slot).last_use, when);
      };
      if (step.kind == StepKind::kCopy) {
        const bool to_host = program_->slots_[static_cast<size_t>(step.outputs[0])].memory == 0;
        int& wait = next_wait[static_cast<size_t>(step.provider)];
        use(step.inputs[0], to_host ? s : wait);
        if (to_host) wait = s;
      }
      for (int slot : step.inputs) use(slot, s);
      for (const BodyProgram& body : step.bodies)
        for (int slot : body.captures) use(slot, s);
      for (int slot : step.outputs) use(slot, s);  // unused outputs live while they are written
    }
    for (size_t k = 0; k < program_->outputs_.size(); ++k) {
      Slot& root = root_of(program_->outputs_[k]);
      root.last_use = end;
      if (root.output < 0) root.output = static_cast<int>(k);
    }
  }

  ir::Graph& graph_;
  std::unique_ptr<Program> program_;
  std::vector<ir::NodeId> order_;
  std::vector<Assignment> assignments_;  // by node
  std::vector<int> homes_;               // by value
  std::map<std::pair<ir::ValueId, int>, int> copies_;  // slot + 1
  ir::NodeId replaced_by_ = kNone;
};

std::unique_ptr<Program> Program::build(ir::Graph& graph, const ProgramOptions& options) {
  return ProgramBuilder(graph, options).build();
}

std::string Program::describe(const Step& step) const {
  if (step.kind == StepKind::kCopy) return "copy of '" + name(step.inputs[0]) + "' between memories";
  return graph_->node(step.node).describe(*graph_);
}

int Program::host_slot(int slot) const {
  if (slots_[static_cast<size_t>(slot)].memory == 0) return slot;
  for (size_t other = 0; other < slots_.size(); ++other)
    if (slots_[other].value == slots_[static_cast<size_t>(slot)].value && slots_[other].memory == 0) return static_cast<int>(other);
  return -1;
}

const void* Program::packed(int step_index, size_t candidate_index) const {
  const Step& step = steps_[static_cast<size_t>(step_index)];
  const Candidate& candidate = step.candidates[candidate_index];
  if (candidate.terms.pack_bytes == 0) return nullptr;
  const std::lock_guard lock(pack_mutex_);
  base::BufferPtr& buffer = packed_[{step_index, candidate_index}];
  if (!buffer) {
    base::BufferPtr fresh = base::Buffer::allocate(candidate.terms.pack_bytes, options_.budget);
    const ir::Node& node = graph_->node(step.node);
    std::vector<const ir::Fact*> inputs, outputs;
    for (ir::ValueId id : node.inputs) inputs.push_back(id == kNone ? nullptr : &graph_->value(id).fact);
    for (ir::ValueId id : node.outputs) outputs.push_back(id == kNone ? nullptr : &graph_->value(id).fact);
    const NodeView view(node, inputs, outputs);
    Message message;
    const onnxrun_code code = candidate.kernel->pack(view.get(), fresh->data(), message.sink());
    if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message.text()).in(describe(step));
    buffer = std::move(fresh);
  }
  return buffer->data();
}

int64_t Program::packed_bytes() const {
  int64_t total = 0;
  {
    const std::lock_guard lock(pack_mutex_);
    for (const auto& [key, buffer] : packed_)
      if (buffer) total += static_cast<int64_t>(buffer->bytes());
  }
  for (const Step& step : steps_)
    for (const BodyProgram& body : step.bodies) total += body.program->packed_bytes();
  return total;
}

}  // namespace onnxrun::plan

// Running bodies for structural operators.
#include "run/structural.h"

#include "base/error.h"
#include "ir/infer.h"
#include "run/type_check.h"

namespace onnxrun::run {

void StructuralContext::run() {
  const StructuralFunction function = find_structural(node().op->domain, node().op->name);
  if (function == nullptr)
    base::fail(base::Code::kUnsupported, "{} is not implemented for these types", node().op->full_name());
  function(*this);
}

void StructuralContext::set_output(size_t i, base::Value value) {
  if (!has_output(i)) return;
  const Feed feed = feed_of(value);
  if (!has_type(output_fact(i), feed)) refuse(output_fact(i), feed, frame_.program().name(step_.outputs[i]));
  frame_.set_slot(step_.outputs[i], std::move(value));
}

size_t StructuralContext::body_index(std::string_view name) const {
  for (size_t b = 0; b < step_.bodies.size(); ++b)
    if (step_.bodies[b].name == name) return b;
  base::fail(base::Code::kInternal, "no body '{}'", name);
}

const ir::Graph& StructuralContext::body(std::string_view name) const {
  return step_.bodies[body_index(name)].program->graph();
}

std::vector<Feed> StructuralContext::captures_of(size_t body) const {
  std::vector<Feed> captures;
  captures.reserve(step_.bodies[body].captures.size());
  for (int slot : step_.bodies[body].captures) captures.push_back(frame_.slot_feed(slot));
  return captures;
}

std::vector<ir::Fact> StructuralContext::infer_body(std::string_view name,
                                                    std::span<const onnxrun_tensor> inputs) const {
  const size_t index = body_index(name);
  const plan::Program& program = *step_.bodies[index].program;
  const std::unique_ptr<ir::Graph> copy = program.graph().clone(program.graph().parent());
  const auto know = [&](ir::ValueId id, const onnxrun_tensor& view) {
    ir::Fact& fact = copy->value(id).fact;
    if (view.dtype == 0 || fact.constant) return;
    fact = ir::Fact::tensor(static_cast<base::DType>(view.dtype), ir::Shape(view.dims, view.dims + view.rank));
  };
  for (size_t i = 0; i < inputs.size(); ++i) know(copy->inputs()[i], inputs[i]);
  const std::vector<Feed> captures = captures_of(index);
  for (size_t i = 0; i < captures.size(); ++i)
    know(program.slots()[static_cast<size_t>(program.captures()[i])].value, captures[i].view);
  for (const ir::NodeId node : copy->topological_order()) {
    try {
      ir::infer_in_place(*copy, node);
    } catch (const base::Error&) {
      // It will not run, so that it need not fit: what is known of it without these values stays.
    }
  }
  std::vector<ir::Fact> facts;
  for (const ir::ValueId output : copy->outputs()) facts.push_back(copy->value(output).fact);
  return facts;
}

void StructuralContext::run_body(std::string_view name, std::span<const Feed> inputs,
                                 std::vector<base::Value>& outputs) {
  const size_t index = body_index(name);
  const std::vector<Feed> captures = captures_of(index);
  StreamContext& context = frame_.context();
  struct Depth {
    int& depth;
    explicit Depth(int& d) : depth(d) { ++depth; }
    ~Depth() { --depth; }
  } depth(context.depth);
  frame_.body_frame(step_index_, index).run(inputs, captures, outputs);
}

}  // namespace onnxrun::run

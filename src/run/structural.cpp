// Running bodies for structural operators.
#include "run/structural.h"

#include "base/error.h"
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

void StructuralContext::run_body(std::string_view name, std::span<const Feed> inputs,
                                 std::vector<base::Value>& outputs) {
  const size_t index = body_index(name);
  std::vector<Feed> captures;
  captures.reserve(step_.bodies[index].captures.size());
  for (int slot : step_.bodies[index].captures) captures.push_back(frame_.slot_feed(slot));
  StreamContext& context = frame_.context();
  struct Depth {
    int& depth;
    explicit Depth(int& d) : depth(d) { ++depth; }
    ~Depth() { --depth; }
  } depth(context.depth);
  frame_.body_frame(step_index_, index).run(inputs, captures, outputs);
}

}  // namespace onnxrun::run

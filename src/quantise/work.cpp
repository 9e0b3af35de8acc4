// Choosing nodes, and noting what was done with them.
#include "quantise/work.h"

#include "base/error.h"

namespace onnxrun::quantise {
namespace {

// Of longer names the beginning is matched: what matches regular expressions calls itself once for each character.
constexpr size_t kMostMatched = 512;

bool matches(const std::regex& pattern, const std::string& name, const std::string& op) {
  return std::regex_search(name.substr(0, kMostMatched), pattern) || std::regex_search(op, pattern);
}

}  // namespace

const ir::OpDef* Work::op(std::string_view name, std::string_view domain) const {
  const ir::OpDef* found = table.find(domain, name);
  if (found == nullptr) base::fail(base::Code::kInternal, "there is no operator '{}'", name);
  return found;
}

void Work::leave(const ir::Node& node, std::string why) {
  notes.left.push_back({label_of(graph, node), node.op->full_name(), std::move(why)});
}

std::string key_of(const ir::Graph& graph, const ir::Node& node) {
  for (const ir::ValueId output : node.outputs)
    if (output != ir::kNone) return graph.value(output).name;
  return {};
}

std::string label_of(const ir::Graph& graph, const ir::Node& node) {
  return node.name.empty() ? key_of(graph, node) : node.name;
}

bool is_chosen(Work& work, const ir::Node& node) {
  const Settings& s = work.settings;
  if (s.include || s.exclude) {
    const std::string name = label_of(work.graph, node), op = node.op->full_name();
    if (s.include && !matches(*s.include, name, op)) return work.leave(node, "not included"), false;
    if (s.exclude && matches(*s.exclude, name, op)) return work.leave(node, "excluded"), false;
  }
  if (work.skipped.contains(key_of(work.graph, node)))
    return work.leave(node, "left alone for the error wanted"), false;
  return true;
}

}  // namespace onnxrun::quantise

// The steps of a reduction; each goes on from the smallest model so far.
#include "reducer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace cli {

namespace {

using onnxrun::Editor;

struct NodeNames {
  Editor::Node node;
  std::vector<std::string> inputs, outputs;
};

// The nodes of the main graph in the order in which they run.
std::vector<NodeNames> nodes_of(const onnxrun::Model& model) {
  Editor editor(model);
  std::vector<NodeNames> nodes;
  for (const Editor::Node node : editor.select()) {
    const auto report = nlohmann::json::parse(editor.node(node));
    if (report["in_body"].get<bool>()) continue;
    NodeNames names{node, {}, {}};
    for (auto [list, key] : {std::pair{&names.inputs, "inputs"}, std::pair{&names.outputs, "outputs"}})
      for (const auto& value : report[key])
        if (!value.is_null()) list->push_back(value["name"].get<std::string>());
    nodes.push_back(std::move(names));
  }
  return nodes;
}

std::vector<std::string> names_of(const std::vector<onnxrun::Port>& ports) {
  std::vector<std::string> names;
  for (const onnxrun::Port& port : ports) names.push_back(port.name);
  return names;
}

// The smallest number from `low` + 1 to `high` with which `works` is true, as far as halving finds it; `high` is known to work.
template <class Works>
void halve(size_t low, size_t high, const Works& works) {
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (works(middle)) high = middle;
    else low = middle;
  }
}

}  // namespace

Trial Reducer::reduce(Trial start, const std::map<std::string, onnxrun::Tensor>& known) {
  known_ = &known;
  best_ = std::move(start);
  shown_ = symptom_(*best_);
  one_output();
  cut_end();
  say("after cutting the end");
  cut_beginning();
  say("after cutting the beginning");
  while (drop_nodes()) {
    cut_end();
    say("after dropping nodes");
  }
  return *best_;
}

void Reducer::say(const char* what) {
  progress_(nlohmann::json::parse(best_->model.inspect())["nodes"].dump() + " nodes " + what);
}

bool Reducer::attempt(const Change& change) {
  if (tests_ >= max_tests_) return false;
  try {
    Editor editor(best_->model);
    change(editor);
    Trial trial{editor.finish(), {}};
    for (const onnxrun::Port& port : trial.model.inputs()) {
      const auto given = std::find_if(best_->inputs.begin(), best_->inputs.end(),
                                      [&](const auto& input) { return input.first == port.name; });
      const auto recorded = known_->find(port.name);
      if (given != best_->inputs.end()) trial.inputs.push_back(*given);
      else if (recorded != known_->end()) trial.inputs.emplace_back(port.name, recorded->second);
      else if (!port.has_default) return false;
    }
    ++tests_;
    std::string shown = symptom_(trial);
    if (shown.empty()) return false;
    shown_ = std::move(shown);
    best_ = std::move(trial);
    return true;
  } catch (const onnxrun::Error&) {
    return false;  // no model at all
  }
}

void Reducer::one_output() {
  const std::vector<std::string> outputs = names_of(best_->model.outputs());
  if (outputs.size() < 2) return;
  for (const std::string& output : outputs)
    if (attempt([&](Editor& editor) { editor.extract({}, {output}); })) return;
  for (const std::string& output : outputs) attempt([&](Editor& editor) { editor.remove_output(output); });
}

void Reducer::cut_end() {
  std::vector<std::string> values;
  for (const NodeNames& node : nodes_of(best_->model))
    values.insert(values.end(), node.outputs.begin(), node.outputs.end());
  if (values.empty()) return;
  // Counts values from the first; with all of them the model is as it is.
  halve(0, values.size(),
        [&](size_t count) { return attempt([&](Editor& editor) { editor.extract({}, {values[count - 1]}); }); });
}

void Reducer::cut_beginning() {
  const std::vector<NodeNames> nodes = nodes_of(best_->model);
  const std::vector<std::string> outputs = names_of(best_->model.outputs());
  const auto cut = [&](size_t count) {  // nodes that go
    std::set<std::string> made, read(outputs.begin(), outputs.end());
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (i < count) made.insert(nodes[i].outputs.begin(), nodes[i].outputs.end());
      else read.insert(nodes[i].inputs.begin(), nodes[i].inputs.end());
    }
    return attempt([&](Editor& editor) {
      for (const std::string& value : made)
        if (read.contains(value)) editor.add_input(value);
      editor.extract({}, outputs);
    });
  };
  // Counts nodes that stay.
  halve(0, nodes.size(), [&](size_t kept) { return cut(nodes.size() - kept); });
}

bool Reducer::drop_nodes() {
  bool smaller = false;
  for (size_t i = nodes_of(best_->model).size(); i-- > 0 && tests_ < max_tests_;) {
    // Numbers of nodes change with the model.
    const std::vector<NodeNames> nodes = nodes_of(best_->model);
    if (i >= nodes.size() || nodes.size() == 1) continue;
    const std::vector<std::string> outputs = names_of(best_->model.outputs());
    smaller |= attempt([&](Editor& editor) {
                 for (const std::string& value : nodes[i].outputs) editor.add_input(value);
                 editor.extract({}, outputs);
               }) ||
               attempt([&](Editor& editor) {
                 editor.select();
                 editor.bypass(nodes[i].node);
                 editor.extract({}, {});
               });
  }
  return smaller;
}

}  // namespace cli

// Taps of two runs, and what is known of models that do not agree.
#include "parting.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "amounts.h"

namespace cli {
namespace {

struct Maker {
  std::string node, op;
};

// By value, the node of the main graph that makes it.
std::map<std::string, Maker> makers(const onnxrun::Model& model) {
  std::map<std::string, Maker> result;
  onnxrun::Editor editor(model);
  for (const onnxrun::Editor::Node node : editor.select()) {
    const auto report = nlohmann::json::parse(editor.node(node));
    if (report["in_body"].get<bool>()) continue;
    for (const auto& output : report["outputs"])
      if (!output.is_null()) result[output["name"]] = {report["name"], report["op"]};
  }
  return result;
}

// The first value of each name only: bodies of loops may use a name again.
void tap(const Side& side, const onnxrun::NamedValues& inputs, const onnxrun::Run::Tap& each) {
  onnxrun::RunOptions run;
  run.tap = each;
  side.session.run(inputs, run);
}

}  // namespace

std::vector<SharedValue> shared_values(const Side& reference, const onnxrun::NamedValues& reference_inputs,
                                       const Side& side, const onnxrun::NamedValues& inputs,
                                       const Tolerance& tolerance) {
  const std::map<std::string, Maker> known = makers(reference.model);
  std::vector<std::pair<std::string, onnxrun::Value>> order;
  std::map<std::string, size_t> places;
  tap(reference, reference_inputs, [&](std::string_view name, const onnxrun::Value& value) {
    if (known.contains(std::string(name)) && places.emplace(name, order.size()).second) order.emplace_back(name, value);
  });
  std::vector<std::optional<Agreement>> seen(order.size());
  tap(side, inputs, [&](std::string_view name, const onnxrun::Value& value) {
    const auto place = places.find(std::string(name));
    if (place != places.end() && !seen[place->second])
      seen[place->second] = agreement(value, order[place->second].second, tolerance);
  });
  std::vector<SharedValue> result;
  for (size_t i = 0; i < order.size(); ++i) {
    if (!seen[i]) continue;
    const Maker& maker = known.at(order[i].first);
    result.push_back({order[i].first, maker.node, maker.op, *seen[i]});
  }
  return result;
}

std::string in_words(const std::vector<SharedValue>& values) {
  const std::string of = counted(static_cast<int64_t>(values.size()), "value") + " that both compute under one name";
  const auto first = std::find_if(values.begin(), values.end(), differ);
  if (first == values.end()) return "not among " + of;
  return "value '" + first->name + "' of node '" + first->node + "' (" + first->op + "): " + first->agreement.detail +
         "; " + std::to_string(std::count_if(first, values.end(), differ)) + " differ of " + of;
}

std::vector<std::string> likely_causes(const Side& side, const std::string& error,
                                       const std::vector<Agreement>& outputs) {
  std::vector<std::string> causes;
  if (error.find("is fixed to") != std::string::npos)
    causes.push_back("a fixed dimension in " + side.path +
                     ": export with dynamic shapes, or onnx-run edit --input-shape");
  const auto bad = [](const Agreement& output) { return !output.agrees; };
  if (error.empty() && std::any_of(outputs.begin(), outputs.end(), bad)) {
    const auto apart = [](const Agreement& output) { return !output.agrees && std::isnan(output.largest); };
    const auto near = [](const Agreement& output) { return output.agrees || output.relative < 0.01; };
    if (std::any_of(outputs.begin(), outputs.end(), apart))
      causes.push_back("outputs of other types, shapes or in another order, or NaN on one side only");
    else if (std::all_of(outputs.begin(), outputs.end(), near))
      causes.push_back(
          "precision: differences are below 1 % in norm; lower precision, quantisation or another order of sums does "
          "that (--rtol, --atol)");
  }
  const auto report = nlohmann::json::parse(onnxrun::check_model(side.path, side.options));
  for (const auto& problem : report["problems"]) {
    const auto node = problem["node"].get<std::string>();
    if (node == "opset_import") continue;
    causes.push_back(side.path + (node.empty() ? "" : ", " + node) + ": " + problem["what"].get<std::string>());
  }
  return causes;
}

}  // namespace cli

// Findings from errors.
#include "import/advice.h"

#include <optional>

namespace onnxrun::import {
namespace {

constexpr std::string_view kContext = "\n  in ";
constexpr std::string_view kInputs = " with inputs ";

// "Concat(inputs*; axis: int)": inputs, then attributes; ? for what may be left out.
std::string takes(const ir::OpDef& def, const ir::Signature& signature) {
  std::string text = std::string(def.name) + "(";
  const char* separator = "";
  for (const ir::Parameter& input : signature.inputs) {
    text += separator + input.name + (input.variadic ? "*" : input.optional ? "?" : "");
    separator = ", ";
  }
  separator = "; ";
  for (const ir::AttributeSpec& attribute : signature.attributes) {
    text += fmt::format("{}{}{}: {}", separator, attribute.name, attribute.required ? "" : "?", attribute.kind);
    separator = ", ";
  }
  return text + ")";
}

std::string expected_by(Code code) {
  switch (code) {
    case Code::kUnsupported: return "what this version of onnxrun runs (docs/operators.md lists it)";
    case Code::kLimitExceeded: return "a model within the limits";
    case Code::kDeadline: return "a model that is read in time";
    case Code::kIo: return "a file that can be read";
    case Code::kInternal: return "no defect in onnxrun";
    default: return "a model that follows the ONNX specification";
  }
}

std::string fix_for(Code code, const ir::OpDef* def) {
  switch (code) {
    case Code::kUnsupported: return "export the model without it, or with another opset";
    case Code::kLimitExceeded: return "make the model smaller, or raise the limit if its source is trusted";
    case Code::kDeadline:
      return "make the model smaller, or give it more time (option timeout) if its source is trusted";
    case Code::kIo: return "check the path and the permissions, and that the file is whole";
    case Code::kInternal: return "report it with the model";
    case Code::kInvalidArgument: return "correct the option";
    default:
      return def ? fmt::format(
                       "correct the node's inputs or attributes, or export the model again; {} is described "
                       "at https://onnx.ai/onnx/operators/",
                       def->full_name())
                 : "correct the model, or export it again";
  }
}

// Text between `before` and `after` (to the end where that is empty); nullopt when they are not there in this order.
std::optional<std::string> between(const std::string& text, std::string_view before, std::string_view after) {
  const size_t start = text.find(before);
  if (start == std::string::npos) return std::nullopt;
  const size_t from = start + before.size();
  const size_t end = after.empty() ? text.size() : text.find(after, from);
  if (end == std::string::npos || end == from) return std::nullopt;
  return text.substr(from, end - from);
}

void split_message(Problem& problem) {
  if (auto wanted = between(problem.what, ", expected ", {})) {
    problem.expected = std::move(*wanted);
    problem.what.erase(problem.what.find(", expected "));
  } else if (auto must = between(problem.what, " must ", ", got ")) {
    problem.expected = must->starts_with("be ") ? must->substr(3) : "it to " + *must;
  }
}

// Adds the lines of context that say more than `where`: other places, and the inputs of the node.
void add_context(Problem& problem, std::string_view context) {
  while (context.starts_with(kContext)) {
    context.remove_prefix(kContext.size());
    const size_t end = std::min(context.find(kContext), context.size());
    std::string_view line = context.substr(0, end);
    context.remove_prefix(end);
    if (problem.node.empty()) {
      problem.node = line.substr(0, line.find(kInputs));
      line.remove_prefix(problem.node.size());
    } else if (line.starts_with(problem.node)) {
      line.remove_prefix(problem.node.size());
    } else {
      problem.what += fmt::format(" (in {})", line);
      continue;
    }
    if (line.starts_with(kInputs)) problem.what += fmt::format(" ({})", line.substr(1));
  }
}

}  // namespace

Problem finding_of(const Error& e, const std::string& where, const ir::OpTable* table, const ir::OpDef* def) {
  Problem problem{Severity::kError, where, e.message(), {}, {}};
  if (const auto* d = dynamic_cast<const Diagnosis*>(&e)) {
    problem.what = d->finding;
    problem.expected = d->expected;
    problem.fix = d->fix;
  } else {
    split_message(problem);
  }
  add_context(problem, std::string_view(e.what()).substr(e.message().size()));
  if (problem.node.empty()) problem.node = "the model";
  if (const std::string again = "the " + problem.node + " "; problem.what.starts_with(again))
    problem.what.erase(0, again.size());
  if (problem.expected.empty())
    problem.expected = table && def ? takes(*def, table->signature(*def)) : expected_by(e.code());
  if (problem.fix.empty()) problem.fix = fix_for(e.code(), def);
  return problem;
}

}  // namespace onnxrun::import

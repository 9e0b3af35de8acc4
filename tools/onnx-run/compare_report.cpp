// Tables and JSON of comparisons.
#include "compare_report.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <ostream>
#include <sstream>

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

double worst(const Row& row, double Agreement::*measure) {
  double result = 0;
  for (const ComparedOutput& output : row.outputs)
    if (!(output.agreement.*measure <= result)) result = output.agreement.*measure;
  return result;
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json to_json(const std::string& name, const Agreement& output) {
  return {{"name", name},
          {"agrees", output.agrees},
          {"largest", number(output.largest)},
          {"relative", number(output.relative)},
          {"detail", output.detail}};
}

Json to_json(const SharedValue& value) {
  Json result = to_json(value.name, value.agreement);
  result["node"] = value.node;
  result["op"] = value.op;
  return result;
}

std::string brief(double value) {
  if (std::isnan(value)) return "-";
  std::ostringstream text;
  text << std::setprecision(3) << value;
  return text.str();
}

std::string milliseconds(const std::optional<double>& ms) {
  if (!ms) return "-";
  std::ostringstream text;
  text << std::fixed << std::setprecision(*ms < 10 ? 4 : 2) << *ms;
  return text.str();
}

}  // namespace

Json to_json(const Comparison& found) {
  Json rows = Json::array(), tensors = Json::array();
  for (const Row& row : found.rows) {
    Json outputs = Json::array();
    for (const ComparedOutput& output : row.outputs) {
      outputs.push_back(to_json(output.name, output.agreement));
      outputs.back()["given"] = output.given;
    }
    rows.push_back({{"batch", row.batch ? Json(*row.batch) : Json(nullptr)},
                    {"side", row.side},
                    {"agrees", row.agrees()},
                    {"largest", number(worst(row, &Agreement::largest))},
                    {"relative", number(worst(row, &Agreement::relative))},
                    {"reference_ms", row.reference_ms ? Json(*row.reference_ms) : Json(nullptr)},
                    {"ms", row.ms ? Json(*row.ms) : Json(nullptr)},
                    {"error", row.error},
                    {"outputs", outputs},
                    {"left_out", row.left_out}});
  }
  for (const SharedValue& value : found.tensors) tensors.push_back(to_json(value));
  return {{"version", 1},
          {"reference", found.reference},
          {"agrees", found.agrees()},
          {"rows", rows},
          {"first_difference", found.first ? to_json(*found.first) : Json(nullptr)},
          {"parting", found.parting},
          {"likely_causes", found.causes},
          {"tensors", tensors}};
}

void print_comparison(std::ostream& out, const Comparison& found) {
  size_t width = 5;
  for (const Row& row : found.rows) width = std::max(width, row.side.size());
  const auto cell = [&](const std::string& text, int columns) { out << std::setw(columns) << text; };
  out << "reference  " << found.reference << "\nbatch  " << std::left << std::setw(static_cast<int>(width)) << "model"
      << std::right << "  agrees   largest  relative  reference ms          ms  speed\n";
  for (const Row& row : found.rows) {
    cell(row.batch ? std::to_string(*row.batch) : "-", 5);
    out << "  " << std::left << std::setw(static_cast<int>(width)) << row.side << std::right;
    if (!row.error.empty()) {
      out << "  fails: " << row.error << '\n';
      continue;
    }
    cell(row.agrees() ? "yes" : "no", 8);
    cell(brief(worst(row, &Agreement::largest)), 10);
    cell(brief(worst(row, &Agreement::relative)), 10);
    cell(milliseconds(row.reference_ms), 14);
    cell(milliseconds(row.ms), 12);
    cell(row.ms && row.reference_ms ? brief(*row.reference_ms / *row.ms) : "-", 7);
    out << '\n';
    for (const ComparedOutput& output : row.outputs) {
      const bool renamed = !output.given.empty() && output.given != output.name;
      if (output.agreement.agrees && !renamed) continue;
      out << "         output '" << output.name << (renamed ? "' held against '" + output.given : std::string()) << "'"
          << (output.agreement.agrees ? "" : ": " + output.agreement.detail) << '\n';
    }
    for (const std::string& name : row.left_out) out << "         output '" << name << "' was not compared\n";
  }
  if (!found.parting.empty()) out << "first difference  " << found.parting << '\n';
  for (const std::string& cause : found.causes) out << "likely cause      " << cause << '\n';
  if (found.tensors.empty()) return;
  out << "values of " << found.tensors_of << "\n  agrees   largest  relative  value\n";
  for (const SharedValue& value : found.tensors) {
    cell(value.agreement.agrees ? "yes" : "no", 8);
    cell(brief(value.agreement.largest), 10);
    cell(brief(value.agreement.relative), 10);
    out << "  " << value.name << " (" << value.op << ")\n";
  }
}

}  // namespace cli

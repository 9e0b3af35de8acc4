// Printing of reports.
#include "inspect_text.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "amounts.h"

namespace cli {
namespace {

void line(std::ostream& out, const std::string& label, const std::string& value) {
  if (!value.empty()) out << std::left << std::setw(14) << label << value << '\n';
}

std::string first_line(const std::string& text) {
  const size_t end = text.find('\n');
  return end == std::string::npos ? text : text.substr(0, end) + " ...";
}

void print_ports(std::ostream& out, const std::string& label, const Report& ports) {
  for (const auto& port : ports)
    line(out, label,
         port["name"].get<std::string>() + "  " + port["type"].get<std::string>() +
             (port["has_default"] == true ? "  (has a default)" : ""));
}

size_t width_of(const Report& list, const char* key, size_t most) {
  size_t width = 0;
  for (const auto& entry : list) width = std::max(width, entry[key].get<std::string>().size());
  return std::min(width, most);
}

}  // namespace

void print_summary(std::ostream& out, const Report& report) {
  line(out, "model", report["path"]);
  line(out, "graph", report["graph"]);
  line(out, "producer", report["producer"].get<std::string>() + " " + report["producer_version"].get<std::string>());
  line(out, "versions", "IR " + report["ir_version"].dump() + ", model " + report["model_version"].dump());
  std::string opsets;
  for (const auto& [domain, version] : report["opsets"].items())
    opsets += (opsets.empty() ? "" : ", ") + domain + " " + version.dump();
  line(out, "opsets", opsets);
  line(out, "domain", report["domain"]);
  line(out, "doc", first_line(report["doc"]));
  for (const auto& [key, value] : report["metadata"].items())
    line(out, "metadata", key + " = " + first_line(value.get<std::string>()));
  if (report.contains("sha256")) line(out, "sha256", report["sha256"]);
  if (report.contains("digest")) line(out, "digest", report["digest"]);
  print_ports(out, "input", report["inputs"]);
  print_ports(out, "output", report["outputs"]);
  line(out, "nodes", report["nodes"].dump());
  line(out, "parameters", count(report["parameters"]) + "  (" + bytes(report["parameter_bytes"]) + ")");
  const auto at_least = [](const Report& part) {
    return std::string(part["unknown_nodes"].get<int64_t>() > 0 ? "at least " : "");
  };
  std::string operations = at_least(report) + count(report["operations"]);
  if (!at_least(report).empty())
    operations += "; the sizes of " + report["unknown_nodes"].dump() + " nodes are known in a run only";
  line(out, "operations", operations);
  std::string memory =
      "weights " + bytes(report["memory"]["weights"]) + ", activations about " + bytes(report["memory"]["activations"]);
  if (!at_least(report).empty()) memory += " beside those nodes";
  std::string symbols;
  for (const auto& symbol : report["memory"]["symbols_taken_as_1"])
    symbols += (symbols.empty() ? "" : ", ") + symbol.get<std::string>() + " = 1";
  line(out, "memory", memory + (symbols.empty() ? "" : " with " + symbols));
  for (const auto& warning : report["warnings"]) line(out, "warning", warning);
  if (!report.contains("ops")) return;
  out << '\n';
  std::vector<Report> ops(report["ops"].begin(), report["ops"].end());
  std::stable_sort(ops.begin(), ops.end(), [](const Report& a, const Report& b) { return a["nodes"] > b["nodes"]; });
  const auto width = static_cast<int>(std::max<size_t>(width_of(report["ops"], "op", 40), 8));
  out << std::left << std::setw(width) << "operator" << std::right << std::setw(8) << "nodes"
      << "  operations, bytes\n";
  for (const auto& op : ops)
    out << std::left << std::setw(width) << op["op"].get<std::string>() << std::right << std::setw(8)
        << op["nodes"].dump() << "  " << at_least(op) << count(op["operations"]) << ", " << bytes(op["bytes"]) << '\n';
}

void print_values(std::ostream& out, const Report& report) {
  const auto width = static_cast<int>(width_of(report["values"], "name", 48));
  out << '\n';
  for (const auto& value : report["values"])
    out << std::left << std::setw(width) << value["name"].get<std::string>() << "  " << std::setw(13)
        << value["role"].get<std::string>() << "  " << value["type"].get<std::string>()
        << (value.contains("graph") ? "  in " + value["graph"].get<std::string>() : "") << '\n';
  out << "known " << report["known"]["values"] << " of " << report["known"]["of"] << '\n';
}

void print_weights(std::ostream& out, const Report& report) {
  const auto width = static_cast<int>(width_of(report["weights"], "name", 48));
  out << '\n';
  for (const auto& weight : report["weights"]) {
    out << std::left << std::setw(width) << weight["name"].get<std::string>() << "  "
        << weight["dtype"].get<std::string>() << weight["shape"].dump() << "  " << bytes(weight["bytes"]);
    if (weight.contains("min"))
      out << "  min " << weight["min"] << "  max " << weight["max"] << "  mean " << weight["mean"];
    out << '\n';
  }
}

void print_steps(std::ostream& out, const Report& report) {
  out << '\n';
  for (const auto& step : report["steps"]) {
    out << step["step"].get<std::string>() << ": " << step["kind"].get<std::string>();
    if (step.contains("provider")) {
      out << ' ' << step["provider"].get<std::string>();
      bool first = true;
      for (const auto& kernel : step["kernels"]) {
        out << (first ? "/" : ", else ") << kernel.get<std::string>();
        first = false;
      }
    }
    out << '\n';
    for (const auto& reason : step["declined"]) out << "    declined: " << reason.get<std::string>() << '\n';
  }
}

void print_graphs(std::ostream& out, const Report& report) {
  for (const auto& printed : report["printed"])
    out << "# after " << printed["pass"].get<std::string>() << ", round " << printed["round"] << ", "
        << printed["patches"] << (printed["patches"] == 1 ? " patch\n" : " patches\n")
        << printed["text"].get<std::string>();
}

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Lines of `all` that `others` lacks, as often as it lacks them.
std::vector<std::string> only_in(const std::vector<std::string>& all, const std::vector<std::string>& others) {
  std::map<std::string, int64_t> counts;
  for (const std::string& line : others) ++counts[line];
  std::vector<std::string> only;
  for (const std::string& line : all)
    if (counts[line]-- <= 0) only.push_back(line);
  return only;
}

}  // namespace

void print_changes(std::ostream& out, const Report& report, const std::string& text) {
  // Graphs by their first line, up to its parameters: a body is printed on its own.
  std::map<std::string, std::vector<std::string>> before;
  const auto name_of = [](const std::string& graph) { return graph.substr(0, graph.find('(')); };
  before[name_of(text)] = lines_of(text);
  for (const auto& printed : report["printed"]) {
    const auto graph = printed["text"].get<std::string>();
    std::vector<std::string>& earlier = before[name_of(graph)];
    const std::vector<std::string> lines = lines_of(graph);
    out << "# " << printed["pass"].get<std::string>() << ", round " << printed["round"] << ", " << printed["patches"]
        << (printed["patches"] == 1 ? " patch\n" : " patches\n");
    for (const std::string& line : only_in(earlier, lines)) out << "-" << line << '\n';
    for (const std::string& line : only_in(lines, earlier)) out << "+" << line << '\n';
    earlier = lines;
  }
}

void print_passes(std::ostream& out, const Report& report) {
  const auto row = [&](const auto& name, const auto& level, const auto& patches, const auto& milliseconds,
                       const auto& description) {
    out << std::left << std::setw(32) << name << std::right << std::setw(5) << level << std::setw(9) << patches
        << std::setw(10) << milliseconds << "  " << description << '\n';
  };
  out << '\n';
  row("pass", "level", "patches", "ms", "what it does");
  out << std::fixed << std::setprecision(3);
  for (const auto& pass : report["passes"])
    row(pass["name"].get<std::string>(), pass["level"].get<int>(), pass["patches"].get<int64_t>(),
        pass["seconds"].get<double>() * 1e3, pass["description"].get<std::string>());
  out << std::defaultfloat << report["nodes"].get<int64_t>() << " nodes before, "
      << report["optimised_nodes"].get<int64_t>() << " after " << report["rounds"] << " rounds"
      << (report["settled"].get<bool>() ? "\n" : ", and more to change\n");
}

}  // namespace cli

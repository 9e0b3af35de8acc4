// Reports of quantisation.
#include "quantize_report.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>

#include "adapt.h"
#include "amounts.h"
#include "inputs.h"
#include "load.h"
#include "outcome.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

std::string small(const Json& value) {
  if (!value.is_number()) return "not finite";
  std::ostringstream text;
  text << std::setprecision(3) << value.get<double>();
  return text.str();
}

void print_counts(std::ostream& out, const Json& list, const char* key) {
  std::map<std::string, int> counts;
  for (const Json& entry : list) ++counts[entry["op"].get<std::string>() + " -> " + entry[key].get<std::string>()];
  for (const auto& [text, count] : counts) out << "  " << std::setw(5) << count << "  " << text << '\n';
}

// The nodes for each reason, a few by name.
void print_left(std::ostream& out, const Json& list) {
  std::map<std::string, std::vector<std::string>> reasons;
  for (const Json& entry : list)
    reasons[entry["why"]].push_back(entry["node"].get<std::string>() + " (" + entry["op"].get<std::string>() + ")");
  constexpr size_t kMost = 5;
  for (const auto& [why, nodes] : reasons) {
    out << "  " << why << ": ";
    for (size_t i = 0; i < std::min(kMost, nodes.size()); ++i) out << (i ? ", " : "") << nodes[i];
    if (nodes.size() > kMost) out << " and " << nodes.size() - kMost << " more";
    out << '\n';
  }
}

void print_search(std::ostream& out, const Json& report) {
  out << "search       for an error of " << small(report["target_error"]) << " at most\n";
  out << "  left alone  changed      error  weights\n";
  for (const Json& row : report["search"])
    out << "  " << std::setw(10) << row["left_alone"].get<int64_t>() << std::setw(9) << row["changed"].get<int64_t>()
        << std::setw(11) << small(row["error"]) << "  " << bytes(row["bytes_after"]) << " of "
        << bytes(row["bytes_before"]) << '\n';
}

void print_change(std::ostream& out, const Json& change) {
  if (change.contains("why_not")) {
    out << "measured     not: " << change["why_not"].get<std::string>() << '\n';
    return;
  }
  const Json &before = change["before"], &after = change["after"];
  out << "measured     p50 " << fixed(after["p50_ms"], 3) << " ms, was " << fixed(before["p50_ms"], 3) << " ("
      << fixed(change["speedup"], 2) << " times as fast); load " << fixed(after["load_ms"], 1) << " ms, was "
      << fixed(before["load_ms"], 1) << "; peak memory " << bytes(after["peak_memory"]) << ", was "
      << bytes(before["peak_memory"]) << '\n';
}

}  // namespace

uint64_t size_of(const std::vector<std::string>& files) {
  uint64_t total = 0;
  std::error_code error;
  for (const std::string& file : files)
    if (const auto size = std::filesystem::file_size(file, error); !error) total += size;
  return total;
}

void print_report(std::ostream& out, const Json& report) {
  const auto before = report["file_bytes_before"].get<double>(), after = report["file_bytes_after"].get<double>();
  out << report["output"].get<std::string>() << ": " << bytes(report["file_bytes_after"]) << ", was "
      << bytes(report["file_bytes_before"]) << " (" << fixed(100 * after / std::max(before, 1.0), 1) << " %)\n";
  out << "changed      " << counted(static_cast<int64_t>(report["changed"].size()), "node") << ", "
      << bytes(report["bytes_before"]) << " of weights into " << bytes(report["bytes_after"]) << '\n';
  print_counts(out, report["changed"], "form");
  if (!report["left"].empty()) {
    out << "left alone   " << counted(static_cast<int64_t>(report["left"].size()), "node") << '\n';
    print_left(out, report["left"]);
  }
  if (report.contains("search")) print_search(out, report);
  if (report.contains("measured")) print_change(out, report["measured"]);
  if (!report.contains("outputs")) return;
  out << "error        on " << report["compared"] << (report["compared"] == 1 ? " sample" : " samples") << '\n';
  for (const Json& output : report["outputs"])
    out << "  " << output["name"].get<std::string>() << ": relative " << small(output["relative"]) << ", max "
        << small(output["largest"]) << ", mean " << small(output["mean"]) << ", cosine "
        << (output["cosine"].is_number() ? fixed(output["cosine"], 6) : "not a number") << ", same top-1 "
        << fixed(100 * output["top1"].get<double>(), 2) << " %\n";
  if (report["worst"].empty()) return;
  out << "worst nodes, by the relative error of what they compute\n";
  for (const Json& node : report["worst"])
    out << "  " << std::setw(9) << small(node["relative"]) << "  " << node["node"].get<std::string>() << " ("
        << node["op"].get<std::string>() << ")\n";
}

namespace {

struct Attempt {
  const char* name;
  std::vector<std::pair<const char*, const char*>> settings;  // none: float32
  bool calibrated = false;
};

const std::vector<Attempt>& attempts() {
  static const auto& list =
      *new std::vector<Attempt>{{"float32", {}},
                                {"float16", {{"mode", "float"}, {"type", "fp16"}, {"keep_io", "1"}}},
                                {"bfloat16", {{"mode", "float"}, {"type", "bf16"}, {"keep_io", "1"}}},
                                {"int8 weights", {{"mode", "weights"}, {"type", "int8"}}},
                                {"int8 dynamic", {{"mode", "dynamic"}, {"type", "int8"}}},
                                {"int8 static", {{"mode", "static"}, {"type", "int8"}}, true},
                                {"int4 weights", {{"mode", "weights"}, {"type", "int4"}}}};
  return list;
}

// The caller's settings that every mode takes, and those of the mode.
onnxrun::Quantization::Settings settings_for(const Attempt& attempt, const onnxrun::Quantization::Settings& given) {
  onnxrun::Quantization::Settings result;
  for (const auto& [key, value] : given)
    if (key == "include" || key == "exclude" || key == "samples" || key == "standard" ||
        (attempt.calibrated && (key == "method" || key == "percentile")))
      result.emplace_back(key, value);
  for (const auto& [key, value] : attempt.settings) result.emplace_back(key, value);
  return result;
}

constexpr double kSeconds = 1;  // that each row of the table is run for

Json measured(const onnxrun::Model& model, const onnxrun::NamedValues& inputs, const onnxrun::Options& options,
              double seconds) {
  Json row;
  const std::string bytes = model.to_bytes();
  row["bytes"] = bytes.size();
  const auto load = [&] {
    const onnxrun::Model loaded(std::as_bytes(std::span(bytes)), options);
    return onnxrun::Session(loaded, options);
  };
  std::vector<double> times;
  constexpr int kLoads = 3;  // after one that does not count, for what happens once a process
  onnxrun::Session session = load();
  for (int i = 0; i < kLoads; ++i) {
    const auto begin = Clock::now();
    session = load();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  row["load_ms"] = times[kLoads / 2];
  LoadPlan plan;
  plan.seconds = seconds;
  plan.warmup = seconds / 5;
  row["p50_ms"] = summary(measure(session, inputs, plan), {50})["p50"];
  row["peak_memory"] = Json::parse(session.memory())["peak"];
  return row;
}

onnxrun::NamedValues first_sample(const onnxrun::Model& model, const Calibration* calibration,
                                  const onnxrun::Options& options) {
  return calibration != nullptr ? calibration->sample(0) : make_inputs(model.inputs(), InputFlags(), Room::of(options));
}

}  // namespace

Json measured_change(const onnxrun::Model& before, const onnxrun::Model& after, const Calibration* calibration,
                     const onnxrun::Options& options) {
  onnxrun::NamedValues inputs = first_sample(before, calibration, options);
  Json result;
  try {
    result["before"] = measured(before, inputs, options, kSeconds / 2);
    for (const onnxrun::Port& port : after.inputs())  // mode float changes their types
      for (auto& [name, value] : inputs)
        if (name == port.name && value.is_tensor() && onnxrun::Tensor(value).dtype() != port.dtype)
          value = onnxrun::Value(cast(onnxrun::Tensor(value), port.dtype));
    result["after"] = measured(after, inputs, options, kSeconds / 2);
  } catch (const onnxrun::Error& error) {
    return {{"why_not", error.what()}};
  }
  result["speedup"] = result["before"]["p50_ms"].get<double>() / result["after"]["p50_ms"].get<double>();
  return result;
}

Json quantization_table(const onnxrun::Model& source, const onnxrun::Quantization::Settings& settings,
                        const Calibration* calibration, const onnxrun::Options& options) {
  const onnxrun::NamedValues inputs = first_sample(source, calibration, options);
  Json rows = Json::array();
  double base = 0;
  for (const Attempt& attempt : attempts()) {
    Json row = {{"name", attempt.name}};
    try {
      if (attempt.calibrated && calibration == nullptr)
        throw onnxrun::Error(onnxrun::Code::kUnsupported, "needs --calibration");
      if (attempt.settings.empty()) {
        row.update(measured(source, inputs, options, kSeconds));
        base = row["p50_ms"];
      } else {
        onnxrun::Quantization::Samples samples = [&](size_t index) {
          return calibration ? calibration->sample(index) : index == 0 ? inputs : onnxrun::NamedValues();
        };
        const onnxrun::Quantization made(source, settings_for(attempt, settings), samples, options);
        row.update(measured(made.model(), inputs, options, kSeconds));
        const Json report = Json::parse(made.report());
        row["error"] = report["error"];
        row["outputs"] = report["outputs"];
        row["worst"] = report["worst"];
        row["changed"] = report["changed"].size();
        row["left"] = report["left"].size();
      }
      row["speedup"] = base / row["p50_ms"].get<double>();
    } catch (const onnxrun::Error& error) {
      if (error.code() != onnxrun::Code::kUnsupported) throw;
      const std::string text = error.what();
      row["why_not"] = text.substr(0, text.find('\n'));
    }
    rows.push_back(std::move(row));
  }
  return {{"version", 1}, {"samples", calibration ? calibration->size() : 0}, {"rows", std::move(rows)}};
}

void print_table(std::ostream& out, const Json& table) {
  out << "type               size   load ms    p50 ms  speed  peak mem.  rel. error  max error     cosine   top-1\n";
  for (const Json& row : table["rows"]) {
    out << std::left << std::setw(13) << row["name"].get<std::string>() << std::right;
    if (row.contains("why_not")) {
      out << "  " << row["why_not"].get<std::string>() << '\n';
      continue;
    }
    out << std::setw(10) << bytes(row["bytes"]) << std::setw(10) << fixed(row["load_ms"], 1) << std::setw(10)
        << fixed(row["p50_ms"], 3) << std::setw(7) << fixed(row["speedup"], 2) << std::setw(11)
        << bytes(row["peak_memory"]);
    if (row.contains("error") && !row["outputs"].empty()) {
      double largest = 0, cosine = 1, top1 = 1;
      for (const Json& output : row["outputs"]) {
        largest = std::max(largest, output["largest"].is_number() ? output["largest"].get<double>() : HUGE_VAL);
        cosine = std::min(cosine, output["cosine"].is_number() ? output["cosine"].get<double>() : 0.0);
        top1 = std::min(top1, output["top1"].get<double>());
      }
      out << std::setw(12) << small(row["error"]) << std::setw(11) << small(largest) << std::setw(11)
          << fixed(cosine, 6) << std::setw(8) << fixed(100 * top1, 2);
    }
    out << '\n';
  }
  if (table["samples"] == 0) out << "errors are those of one sample that was made up; --calibration gives real ones\n";
}

}  // namespace cli

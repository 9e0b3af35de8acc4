// The report on what is wrong with a model file.
#include "api/assemble.h"
#include "api/functions.h"
#include "api/json.h"
#include "api/status.h"
#include "import/survey.h"

namespace onnxrun::api {
namespace {

using ComputedValues = std::optional<import::ComputedValues>;

// Null where the model cannot be loaded, so that nothing computes any.
Json values_of(const ComputedValues& values) {
  if (!values) return nullptr;
  Json largest = Json::array();
  for (const auto& made : values->largest)
    largest.push_back({{"name", made.name}, {"node", made.node}, {"type", made.type}, {"bytes", made.bytes}});
  return {{"largest", std::move(largest)}, {"of_unknown_size", values->unknown}};
}

Json asks_of(const import::Survey& survey, const ComputedValues& values) {
  Json files = Json::array(), iterations = Json::array(), unknown = Json::array();
  for (const auto& file : survey.external_files)
    files.push_back(
        {{"location", file.location}, {"tensors", file.tensors}, {"bytes", file.bytes}, {"refused", file.refused}});
  for (const auto& iteration : survey.iterations) {
    iterations.push_back({{"node", iteration.node}, {"endless", iteration.endless}, {"trips", nullptr}});
    if (iteration.trips) iterations.back()["trips"] = *iteration.trips;
  }
  for (const auto& op : survey.unknown)
    unknown.push_back({{"domain", op.domain}, {"operator", op.op}, {"nodes", op.nodes}});
  return {{"file_bytes", survey.file_bytes},
          {"nodes", survey.nodes},
          {"initializers", survey.initializers},
          {"functions", survey.functions},
          {"nesting", survey.nesting},
          {"weight_bytes", survey.weight_bytes},
          {"largest_tensor", {{"name", survey.largest_tensor}, {"bytes", survey.largest_tensor_bytes}}},
          {"computed_values", values_of(values)},
          {"external_files", std::move(files)},
          {"iterations", std::move(iterations)},
          {"unknown_operators", std::move(unknown)}};
}

// Null where the file cannot be read that far; the problems say why.
template <class Make>
Json asks(Make&& make, const ComputedValues& values) {
  try {
    return asks_of(make(), values);
  } catch (const base::Error&) {
    return nullptr;
  }
}

onnxrun_blob* report_on(const std::vector<import::Problem>& found, Json asks) {
  Json problems = Json::array();
  int errors = 0, warnings = 0;
  for (const import::Problem& problem : found) {
    const bool error = problem.severity == import::Severity::kError;
    ++(error ? errors : warnings);
    problems.push_back({{"severity", error ? "error" : "warning"},
                        {"node", problem.node},
                        {"what", problem.what},
                        {"expected", problem.expected},
                        {"fix", problem.fix}});
  }
  return make_blob(Json{{"version", 1},
                        {"errors", errors},
                        {"warnings", warnings},
                        {"problems", std::move(problems)},
                        {"asks", std::move(asks)}});
}

}  // namespace

onnxrun_status* model_check(const char* path, const onnxrun_options* options, onnxrun_blob** out) {
  return guard([&] {
    need(path, "path");
    need(out, "out");
    const import::ImportOptions settings = import_options(or_defaults(options));
    ComputedValues values;
    const std::vector<import::Problem> problems = import::check_file(path, settings, &values);
    *out = report_on(problems, asks([&] { return import::survey_file(path, settings); }, values));
  });
}

onnxrun_status* model_check_bytes(const void* data, size_t size, const onnxrun_options* options, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    if (size != 0) need(static_cast<const char*>(data), "data");
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(data), size);
    const import::ImportOptions settings = import_options(or_defaults(options));
    ComputedValues values;
    const std::vector<import::Problem> problems = import::check_bytes(bytes, settings, "model in memory", &values);
    *out = report_on(problems, asks([&] { return import::survey_bytes(bytes, settings); }, values));
  });
}

}  // namespace onnxrun::api

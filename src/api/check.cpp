// The report on what is wrong with a model file.
#include "api/assemble.h"
#include "api/functions.h"
#include "api/json.h"
#include "api/status.h"
#include "import/survey.h"

namespace onnxrun::api {
namespace {

Json asks_of(const import::Survey& survey) {
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
  Json values = nullptr;
  if (survey.values) {
    values = {{"largest", Json::array()}, {"of_unknown_size", survey.values->unknown}};
    for (const auto& made : survey.values->largest)
      values["largest"].push_back(
          {{"name", made.value}, {"node", made.node}, {"type", made.type}, {"bytes", made.bytes}});
  }
  return {{"file_bytes", survey.file_bytes},
          {"nodes", survey.nodes},
          {"initializers", survey.initializers},
          {"functions", survey.functions},
          {"nesting", survey.nesting},
          {"weight_bytes", survey.weight_bytes},
          {"largest_tensor", {{"name", survey.largest_tensor}, {"bytes", survey.largest_tensor_bytes}}},
          {"computed_values", std::move(values)},
          {"external_files", std::move(files)},
          {"iterations", std::move(iterations)},
          {"unknown_operators", std::move(unknown)}};
}

// Null where the file cannot be read that far; the problems say why.
template <class Make>
Json asks(Make&& make) {
  try {
    return asks_of(make());
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
    *out = report_on(import::check_file(path, settings), asks([&] { return import::survey_file(path, settings); }));
  });
}

onnxrun_status* model_check_bytes(const void* data, size_t size, const onnxrun_options* options, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    if (size != 0) need(static_cast<const char*>(data), "data");
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(data), size);
    const import::ImportOptions settings = import_options(or_defaults(options));
    *out = report_on(import::check_bytes(bytes, settings, "model in memory"),
                     asks([&] { return import::survey_bytes(bytes, settings); }));
  });
}

}  // namespace onnxrun::api

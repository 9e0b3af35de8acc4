// The report on what is wrong with a model file.
#include "api/assemble.h"
#include "api/functions.h"
#include "api/json.h"
#include "api/status.h"

namespace onnxrun::api {
namespace {

onnxrun_blob* report_on(const std::vector<import::Problem>& found) {
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
  return make_blob(Json{{"version", 1}, {"errors", errors}, {"warnings", warnings}, {"problems", std::move(problems)}});
}

}  // namespace

onnxrun_status* model_check(const char* path, const onnxrun_options* options, onnxrun_blob** out) {
  return guard([&] {
    need(path, "path");
    need(out, "out");
    *out = report_on(import::check_file(path, import_options(or_defaults(options))));
  });
}

onnxrun_status* model_check_bytes(const void* data, size_t size, const onnxrun_options* options, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    if (size != 0) need(static_cast<const char*>(data), "data");
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(data), size);
    *out = report_on(import::check_bytes(bytes, import_options(or_defaults(options)), "model in memory"));
  });
}

}  // namespace onnxrun::api

// The report on what is wrong with a model file.
#include "api/assemble.h"
#include "api/functions.h"
#include "api/json.h"
#include "api/status.h"

namespace onnxrun::api {

onnxrun_status* model_check(const char* path, const onnxrun_options* options, onnxrun_blob** out) {
  return guard([&] {
    need(path, "path");
    need(out, "out");
    Json problems = Json::array();
    int errors = 0, warnings = 0;
    for (const import::Problem& problem : import::check_file(path, import_options(or_defaults(options)))) {
      const bool error = problem.severity == import::Severity::kError;
      ++(error ? errors : warnings);
      problems.push_back({{"severity", error ? "error" : "warning"},
                          {"node", problem.node},
                          {"what", problem.what},
                          {"expected", problem.expected},
                          {"fix", problem.fix}});
    }
    *out =
        make_blob(Json{{"version", 1}, {"errors", errors}, {"warnings", warnings}, {"problems", std::move(problems)}});
  });
}

}  // namespace onnxrun::api

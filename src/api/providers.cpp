// The report on providers.
#include <set>

#include "api/assemble.h"
#include "api/functions.h"
#include "api/json.h"
#include "api/status.h"

namespace onnxrun::api {

onnxrun_status* providers_report(const onnxrun_options* options, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    Json list = Json::array();
    for (const plan::ProviderPtr& provider : known_providers(or_defaults(options))) {
      std::set<std::string> operators;
      for (size_t i = 0; i < provider->kernel_count; ++i)
        operators.insert(std::string(provider->kernels[i].domain) + ':' + provider->kernels[i].op_type);
      list.push_back({{"name", provider->name},
                      {"description", provider->description ? provider->description : ""},
                      {"device", provider->device_memory != 0},
                      {"kernels", provider->kernel_count},
                      {"operators", operators.size()}});
    }
    *out = make_blob(Json{{"version", 1}, {"providers", std::move(list)}});
  });
}

}  // namespace onnxrun::api

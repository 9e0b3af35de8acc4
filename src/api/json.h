// JSON reports of the C interface.
#pragma once

#include <nlohmann/json.hpp>

#include "api/handles.h"

namespace onnxrun::api {

using Json = nlohmann::ordered_json;

// The report as text; bytes of a file that are no UTF-8 are replaced.
inline onnxrun_blob* make_blob(const Json& report) {
  return new onnxrun_blob{report.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

// Bytes that a session holds: {"blocks","packed","plans","used","peak","limit"}.
Json memory_json(const run::Session& session);

}  // namespace onnxrun::api

// JSON reports of the C interface.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>

#include "api/handles.h"

namespace onnxrun::api {

using Json = nlohmann::ordered_json;

// Adds a member whose key the object does not have yet: looking for it would take time by the product of all keys.
inline void add_member(Json& object, std::string key, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::move(key), std::move(value));
}

// The report as text; bytes of a file that are no UTF-8 are replaced.
inline onnxrun_blob* make_blob(const Json& report) {
  return new onnxrun_blob{report.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

// A text as JSON; bytes that are no UTF-8 are replaced.
inline std::string json_text(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// The first `most` bytes of a name, cut between characters, and dots where there was more: for names that a report says again and again.
inline std::string clipped(std::string_view name, size_t most = 200) {
  if (name.size() <= most) return std::string(name);
  while (most > 0 && (static_cast<unsigned char>(name[most]) & 0xc0) == 0x80) --most;
  return std::string(name.substr(0, most)) + "...";
}

// The same of types, whose symbols come again with each value that has them.
inline std::string clipped_type(std::string_view type) { return clipped(type, 1000); }

// Bytes that a session holds: {"blocks","packed","plans","used","peak","limit"}.
Json memory_json(const run::Session& session);

}  // namespace onnxrun::api

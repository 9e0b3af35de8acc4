// Profile events as JSON.
#include "api/profile_report.h"

#include "api/cost.h"
#include "api/json.h"

namespace onnxrun::api {
namespace {

constexpr size_t kLongestName = 1000;  // a loop has an event of the same node in each iteration

void add_event(std::string& out, const run::ProfileEvent& event) {
  std::optional<int64_t> operations = 0;
  std::string origin;
  if (event.source != nullptr) {
    operations = node_operations(*event.source, event.inputs, event.outputs);
    for (const std::string& name : event.source->origin)
      origin += (origin.empty() ? "" : ",") + json_text(clipped(name, kLongestName));
  }
  const auto add = [&](const char* key, const std::string& text) { out.append(key).append(text); };
  add("{\"node\":", json_text(clipped(event.label(), kLongestName)));
  add(",\"op\":", json_text(clipped(event.op(), kLongestName)));
  add(",\"provider\":", json_text(event.provider));
  add(",\"kernel\":", json_text(event.kernel));
  add(",\"begin_ns\":", std::to_string(event.begin_ns));
  add(",\"end_ns\":", std::to_string(event.end_ns));
  add(",\"depth\":", std::to_string(event.depth));
  add(",\"origin\":[", origin);
  add("],\"operations\":", operations ? std::to_string(*operations) : "null");
  add(",\"bytes\":", std::to_string(event.bytes));
  add(",\"live_bytes\":", std::to_string(event.live_bytes));
  if (!event.not_recorded.empty()) add(",\"not_recorded\":", json_text(clipped(event.not_recorded, kLongestName)));
  out += '}';
}

}  // namespace

std::string profile_text(const run::Observer& observer) {
  std::string out = R"({"version":1,"events":[)";
  for (const run::ProfileEvent& event : observer.events) {
    if (out.back() == '}') out += ',';
    add_event(out, event);
  }
  out += ']';
  if (observer.left_out != 0) out += ",\"left_out\":" + std::to_string(observer.left_out);
  return out + '}';
}

}  // namespace onnxrun::api

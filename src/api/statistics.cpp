// Which tensors of a session are watched, and the looking at them.
#include "api/statistics.h"

#include <cstring>

#include "base/error.h"

namespace onnxrun::api {

Statistics::Statistics(const StatisticsOptions& options, const run::Session& session) : options_(options) {
  if (options_.level != StatisticsLevel::kTensors) {
    if (!options_.values.empty())
      base::fail(base::Code::kInvalidArgument, "option statistics_values needs the option statistics=tensors");
    return;
  }
  const auto add = [&](const std::string& name, const char* kind) {
    watched_.emplace_back(name, kind, static_cast<size_t>(options_.sample));
  };
  for (const run::Port& port : session.inputs()) add(port.name, "input");
  for (const run::Port& port : session.outputs()) add(port.name, "output");
  for (const std::string& name : options_.values) {
    if (!session.program().makes(name))
      base::fail(base::Code::kInvalidArgument,
                 "option statistics_values: no node makes a value '{}'; it may be an input or a constant, or have been "
                 "optimised away (not at level 0)",
                 name);
    if (!find(name, "value")) add(name, "value");
  }
}

Statistics::Watched* Statistics::find(const std::string& name, const char* kind) {
  for (Watched& watched : watched_)
    if (std::strcmp(watched.kind, kind) == 0 && watched.name == name) return &watched;
  return nullptr;
}

void Statistics::look_at(const Named& values, const char* kind) {
  for (const auto& [name, value] : values)
    if (Watched* const watched = find(name, kind)) watched->summary.add(value);
}

void Statistics::watch(run::Observer& observer) {
  if (options_.values.empty()) return;
  observer.on_tap = [this, own = std::move(observer.on_tap), names = observer.taps, all = observer.tap_all](
                        const std::string& name, base::Value value) {
    if (Watched* const watched = find(name, "value")) watched->summary.add(value);
    if (own && (all || names.contains(name))) own(name, std::move(value));
  };
  observer.taps.insert(options_.values.begin(), options_.values.end());
}

}  // namespace onnxrun::api

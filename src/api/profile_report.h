// The report on the steps of a profiled run.
#pragma once

#include <string>

#include "run/observer.h"

namespace onnxrun::api {

// As run_profile gives it. Written event by event: of a run of a million steps a tree of JSON would be many times the text.
std::string profile_text(const run::Observer& observer);

}  // namespace onnxrun::api

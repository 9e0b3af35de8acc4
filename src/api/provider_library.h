// Providers from plug-in libraries.
#pragma once

#include <cstddef>
#include <string>

#include "plan/provider_set.h"

namespace onnxrun::api {

// Loads the library at `path` and makes its provider; `settings` are "key=value" texts. The library stays loaded until the process ends, so that no thread
// of it runs unmapped code. Throws kIo or kUnsupported naming the path.
plan::ProviderPtr load_provider_library(const std::string& path, const char* const* settings, size_t count);

}  // namespace onnxrun::api

// Options of the library from Python.
#pragma once

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <onnxrun/onnxrun.hpp>

#include <string>
#include <utility>
#include <vector>

namespace onnxrun::python {

// Keys and values as in onnxrun.h. "provider_library" and "op_library" are paths; "library_setting" ("key=value") belongs to the library before it.
using Settings = std::vector<std::pair<std::string, std::string>>;

inline Options to_options(const Settings& settings) {
  Options options;
  for (size_t i = 0; i < settings.size(); ++i) {
    const auto& [key, value] = settings[i];
    const bool provider = key == "provider_library";
    if (!provider && key != "op_library") {
      options.set(key, value);
      continue;
    }
    std::vector<std::string> own;
    while (i + 1 < settings.size() && settings[i + 1].first == "library_setting") own.push_back(settings[++i].second);
    if (provider) options.add_provider_library(value, own);
    else options.add_op_library(value, own);
  }
  return options;
}

}  // namespace onnxrun::python

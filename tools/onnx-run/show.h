// Values for people.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <iosfwd>
#include <string>

namespace cli {

// "name  float32[1,10]  min 0 max 1 mean 0.1 std 0.3" and a line with the first values; sequences and maps element by element.
void show_value(std::ostream& out, const std::string& name, const onnxrun::Value& value, int depth = 0);

}  // namespace cli

// Patterns of names: * stands for any characters, ? for one.
#pragma once

#include <string_view>

namespace onnxrun::edit {

bool matches(std::string_view pattern, std::string_view text);

}  // namespace onnxrun::edit

// Whether text is what it says it is.
#pragma once

#include <string_view>

namespace onnxrun::base {

// Without overlong forms, surrogates and code points beyond U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace onnxrun::base

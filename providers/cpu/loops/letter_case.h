// Upper and lower case of UTF-8 text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace onnxrun::cpu {

enum class LetterCase : uint8_t { kLower, kUpper };

// Letters of ASCII, Latin-1, Latin Extended-A, Greek, Cyrillic and Armenian changed one for one, whatever the locale; all else, and bytes that
// are not UTF-8, is kept.
std::string change_case(std::string_view text, LetterCase to);

}  // namespace onnxrun::cpu

// UTF-8 and UTF-32, as numpy stores strings.
#pragma once

#include <string>
#include <string_view>

namespace cli {

// Code points that do not exist become U+FFFD.
std::string utf8_of_utf32(std::string_view bytes, bool swapped);
// Bytes that are no UTF-8 become U+FFFD each.
std::u32string utf32_of_utf8(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace cli

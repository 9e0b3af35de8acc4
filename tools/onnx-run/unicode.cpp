// Conversions between UTF-8 and UTF-32.
#include "unicode.h"

#include <cstdint>
#include <cstring>

namespace cli {
namespace {

constexpr char32_t kReplacement = 0xfffd;

void append(std::string& out, char32_t c) {
  if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) c = kReplacement;
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

}  // namespace

std::string utf8_of_utf32(std::string_view bytes, bool swapped) {
  std::u32string points(bytes.size() / 4, U'\0');
  std::memcpy(points.data(), bytes.data(), points.size() * 4);
  while (!points.empty() && points.back() == U'\0') points.pop_back();
  std::string out;
  for (const char32_t c : points)
    append(out, swapped ? static_cast<char32_t>(__builtin_bswap32(static_cast<uint32_t>(c))) : c);
  return out;
}

std::u32string utf32_of_utf8(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                          : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                                                        : 0;
    char32_t c = length == 1 ? lead : lead & (0x7fu >> length);
    bool good = length != 0 && i + length <= text.size();
    for (size_t k = 1; good && k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      good = (next & 0xc0) == 0x80;
      c = (c << 6) | (next & 0x3fu);
    }
    out += good ? c : kReplacement;
    i += good ? length : 1;
  }
  return out;
}

bool is_utf8(std::string_view text) {
  const std::u32string points = utf32_of_utf8(text);
  return utf8_of_utf32({reinterpret_cast<const char*>(points.data()), points.size() * sizeof(char32_t)}, false) == text;
}

}  // namespace cli

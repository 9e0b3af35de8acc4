// Checks of UTF-8.
#include "base/utf8.h"

#include <cstdint>

namespace onnxrun::base {

bool is_utf8(std::string_view text) {
  const auto* s = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = s + text.size();
  while (s != end) {
    const unsigned char c = *s++;
    if (c < 0x80) continue;
    int more = 0;
    uint32_t code = 0;
    if (c >= 0xc2 && c <= 0xdf) more = 1, code = c & 0x1fu;
    else if (c >= 0xe0 && c <= 0xef) more = 2, code = c & 0x0fu;
    else if (c >= 0xf0 && c <= 0xf4) more = 3, code = c & 0x07u;
    else return false;
    if (end - s < more) return false;
    for (int i = 0; i < more; ++i) {
      if ((s[i] & 0xc0) != 0x80) return false;
      code = code << 6 | (s[i] & 0x3fu);
    }
    s += more;
    if ((more == 2 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) ||
        (more == 3 && (code < 0x10000 || code > 0x10ffff)))
      return false;
  }
  return true;
}

}  // namespace onnxrun::base

// Showing control characters.
#include "plain_text.h"

namespace cli {

std::string plain_text(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters as well: 0xc2 and a byte below 0xa0.
    const bool second = byte >= 0x80 && byte < 0xa0 && i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xc2;
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f || second) {
      if (second) result.pop_back();
      result += "\\x";
      result += kDigits[byte >> 4];
      result += kDigits[byte & 15];
    } else {
      result += text[i];
    }
  }
  return result;
}

std::streamsize PlainText::xsputn(const char* text, std::streamsize length) {
  const std::string plain = plain_text({text, static_cast<size_t>(length)});
  const auto size = static_cast<std::streamsize>(plain.size());
  return target_->sputn(plain.data(), size) == size ? length : 0;
}

PlainText::int_type PlainText::overflow(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  const char character = traits_type::to_char_type(c);
  return xsputn(&character, 1) == 1 ? c : traits_type::eof();
}

}  // namespace cli

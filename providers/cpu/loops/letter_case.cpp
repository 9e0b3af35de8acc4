// Upper and lower case of UTF-8 text.
#include "cpu/loops/letter_case.h"

namespace onnxrun::cpu {
namespace {

// Letters at a fixed distance from their other case.
struct Range {
  uint32_t first, last;  // capitals
  uint32_t distance;     // from a capital to its small letter
};
constexpr Range kRanges[] = {
    {0x41, 0x5a, 32},   {0xc0, 0xd6, 32},   {0xd8, 0xde, 32},   {0x391, 0x3a1, 32},
    {0x3a3, 0x3ab, 32}, {0x410, 0x42f, 32}, {0x400, 0x40f, 80}, {0x531, 0x556, 48},
};
// Capitals and small letters in turn; `odd`: the capitals have odd numbers.
struct Pairs {
  uint32_t first, last;
  bool odd;
};
constexpr Pairs kPairs[] = {{0x100, 0x12f, false}, {0x132, 0x137, false}, {0x139, 0x148, true},  {0x14a, 0x177, false},
                            {0x179, 0x17e, true},  {0x460, 0x481, false}, {0x48a, 0x4bf, false}, {0x4d0, 0x52f, false}};

uint32_t changed(uint32_t letter, LetterCase to) {
  for (const Range& range : kRanges) {
    if (to == LetterCase::kLower && letter >= range.first && letter <= range.last) return letter + range.distance;
    if (to == LetterCase::kUpper && letter >= range.first + range.distance && letter <= range.last + range.distance) return letter - range.distance;
  }
  for (const Pairs& pairs : kPairs) {
    if (letter < pairs.first || letter > pairs.last) continue;
    const bool capital = ((letter & 1) != 0) == pairs.odd;
    if (to == LetterCase::kLower) return capital ? letter + 1 : letter;
    return capital ? letter : letter - 1;
  }
  if (to == LetterCase::kUpper && letter == 0xff) return 0x178;
  if (to == LetterCase::kLower && letter == 0x178) return 0xff;
  return letter;
}

}  // namespace

std::string change_case(std::string_view text, LetterCase to) {
  std::string result;
  result.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < 0x80) {
      result += static_cast<char>(changed(byte, to));
    } else if ((byte & 0xe0) == 0xc0 && i + 1 < text.size() && (static_cast<uint8_t>(text[i + 1]) & 0xc0) == 0x80) {
      // All letters changed here take two bytes in both cases.
      const uint32_t letter = changed((byte & 0x1fu) << 6 | (static_cast<uint8_t>(text[++i]) & 0x3fu), to);
      result += static_cast<char>(0xc0 | (letter >> 6));
      result += static_cast<char>(0x80 | (letter & 0x3f));
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace onnxrun::cpu

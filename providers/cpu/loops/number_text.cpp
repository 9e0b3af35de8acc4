// Numbers as text and back, by the shortest digits that round-trip.
#define FMT_HEADER_ONLY 1
#include "cpu/loops/number_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "base/packed.h"
#include "cpu/cpu.h"
#include "cpu/loops/convert.h"

namespace onnxrun::cpu {
namespace {

std::string with_point(std::string text) {
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

// The shortest text that reads back as `value` in a type narrower than float, of which `same` decides.
template <class Same>
std::string format_narrow(float value, Same same) {
  if (!std::isfinite(value)) return fmt::format("{}", std::isnan(value) ? std::fabs(value) : value);
  for (int digits = 1; digits < 9; ++digits) {
    std::string text = fmt::format("{:.{}g}", value, digits);
    float read = 0;
    std::from_chars(text.data(), text.data() + text.size(), read);
    // Again without the width that the precision chose: 1e+01 is 10.0.
    if (same(read)) return with_point(fmt::format("{}", read));
  }
  return with_point(fmt::format("{}", value));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f\v";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

[[noreturn]] void not_a_number(std::string_view text) {
  base::fail(base::Code::kRunFailed, "cannot cast the string '{}' to a number", text.substr(0, 64));
}

bool equal_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i)
    if ((text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]) != lower[i]) return false;
  return true;
}

template <class T>
T parse(const std::string& text) {
  const std::string_view digits = trimmed(text);
  if (equal_ignoring_case(digits, "true")) return T(1);
  if (equal_ignoring_case(digits, "false")) return T(0);
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || end != digits.data() + digits.size()) not_a_number(text);
  if (error == std::errc::result_out_of_range) {
    // Beyond the type: a negative exponent means zero, otherwise it is infinite.
    const size_t exponent = digits.find_first_of("eE");
    const bool small = exponent != std::string_view::npos ? digits[exponent + 1] == '-' : digits.find("0.") <= 1;
    value = small ? T(0) : std::numeric_limits<T>::infinity();
    return digits[0] == '-' ? -value : value;
  }
  if (error != std::errc()) not_a_number(text);
  return value;
}

}  // namespace

double parse_double(const std::string& text) { return parse<double>(text); }
float parse_float(const std::string& text) { return parse<float>(text); }

int64_t parse_integer(const std::string& text) {
  const std::string_view digits = trimmed(text);
  int64_t value = 0;
  auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ec == std::errc() && result.ptr == digits.data() + digits.size()) return value;
  uint64_t wide = 0;
  result = std::from_chars(digits.data(), digits.data() + digits.size(), wide);
  if (result.ec == std::errc() && result.ptr == digits.data() + digits.size()) return static_cast<int64_t>(wide);
  const double number = parse_double(text);
  int64_t truncated = 0;
  converter(DType::kFloat64, DType::kInt64)(&number, &truncated, 1);
  return truncated;
}

bool parse_bool(const std::string& text) { return parse_double(text) != 0; }

void format_numbers(DType type, const void* from, int64_t first, std::string* to, int64_t count) {
  const bool whole = dispatch(Join<WideNumbers, Types<bool, Float16, Bfloat16>>{}, type, [&](auto t) {
    using T = typename decltype(t)::type;
    const T* x = static_cast<const T*>(from) + first;
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_same_v<T, bool>) to[i] = x[i] ? "True" : "False";
      else if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>)
        to[i] = format_narrow(x[i], [&](float read) { return T(read).bits == x[i].bits; });
      else if constexpr (std::is_floating_point_v<T>)
        to[i] = with_point(fmt::format("{}", x[i] != x[i] ? std::fabs(x[i]) : x[i]));
      else to[i] = std::to_string(x[i]);
    }
  });
  if (whole) return;
  const int bits = base::dtype_bits(type);
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t code = bits == 8 ? static_cast<const uint8_t*>(from)[first + i]
                                   : base::packed_get(static_cast<const uint8_t*>(from), bits, first + i);
    if (base::is_integer(type)) to[i] = std::to_string(base::packed_integer(type, code));
    else
      to[i] = format_narrow(base::decode_minifloat(type, code),
                            [&](float read) { return base::encode_minifloat(type, read) == code; });
  }
}

}  // namespace onnxrun::cpu

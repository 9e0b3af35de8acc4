// Prefixes of counts and bytes.
#include "amounts.h"

#include <array>
#include <iomanip>
#include <sstream>

namespace cli {
namespace {

std::string amount(const nlohmann::ordered_json& value, double step, const char* unit) {
  constexpr size_t kLongest = 60;
  if (!value.is_number()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    return text.size() > kLongest ? "a long formula (--json)" : text;
  }
  constexpr std::array<const char*, 6> kPrefixes = {"", "k", "M", "G", "T", "P"};
  auto number = value.get<double>();
  size_t prefix = 0;
  while (number >= step && prefix + 1 < kPrefixes.size()) {
    number /= step;
    ++prefix;
  }
  std::ostringstream text;
  text << std::setprecision(prefix == 0 ? 15 : 3) << number << ' ' << kPrefixes[prefix] << unit;
  std::string result = text.str();
  while (result.ends_with(' ')) result.pop_back();
  return result;
}

}  // namespace

std::string count(const nlohmann::ordered_json& value) { return amount(value, 1000, ""); }
std::string bytes(const nlohmann::ordered_json& value) { return amount(value, 1024, "B"); }

std::string counted(int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace cli

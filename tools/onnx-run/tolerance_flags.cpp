// Flags of tolerances.
#include "tolerance_flags.h"

#include <charconv>
#include <cmath>
#include <sstream>

namespace cli {
namespace {

std::string default_of(double value) {
  std::ostringstream text;
  text << "; default " << value;
  return text.str();
}

std::string refusal(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size() && std::isfinite(value) && value >= 0;
  return good ? "" : "'" + text + "' is no finite number from 0 on";
}

}  // namespace

void add_tolerance_flags(CLI::App& command, Tolerance& tolerance) {
  const CLI::Validator check(refusal, "");
  command
      .add_option("--rtol", tolerance.rtol,
                  "Difference allowed relative to the expected value" + default_of(tolerance.rtol))
      ->check(check)
      ->type_name("X");
  command.add_option("--atol", tolerance.atol, "And added to that" + default_of(tolerance.atol))
      ->check(check)
      ->type_name("X");
}

}  // namespace cli

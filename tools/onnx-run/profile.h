// The steps of a run by operator.
#pragma once

#include <iosfwd>
#include <string>

namespace cli {

// Prints time by operator and kernel from a run's profile (JSON), largest first.
void print_profile(std::ostream& out, const std::string& json);

}  // namespace cli

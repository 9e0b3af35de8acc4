// What a run took: its steps by operator, its memory.
#pragma once

#include <iosfwd>
#include <string>

namespace cli {

// Prints time by operator and kernel from a run's profile (JSON), largest first.
void print_profile(std::ostream& out, const std::string& json);

// Prints what a session holds (JSON) in one line.
void print_memory(std::ostream& out, const std::string& json);

}  // namespace cli

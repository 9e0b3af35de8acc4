// --rtol and --atol.
#pragma once

#include <CLI/CLI.hpp>

#include "difference.h"

namespace cli {

// Their defaults are what `tolerance` has.
void add_tolerance_flags(CLI::App& command, Tolerance& tolerance);

}  // namespace cli

// Reports on test cases.
#pragma once

#include <string>
#include <vector>

#include "workers.h"

namespace cli {

struct CaseResult {
  std::string name;
  Outcome outcome;
};

// Writes the reports whose file names are not empty. JSON: {"cases":[{"name","status","message","seconds"}],"passed","failed","skipped"}.
void write_reports(const std::vector<CaseResult>& results, const std::string& json_file, const std::string& junit_file);

}  // namespace cli

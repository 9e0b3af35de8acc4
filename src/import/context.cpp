// Findings of an import: warnings kept with the model, errors thrown or collected.
#include "import/context.h"

#include "import/advice.h"

namespace onnxrun::import {

std::string shown(std::string_view name) {
  if (name.size() <= 200) return std::string(name);
  size_t end = 200;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  return fmt::format("{}... ({} bytes)", name.substr(0, end), name.size());
}

void Context::warn(std::string where, std::string what, std::string expected, std::string fix) {
  if (options.strict && !problems)
    throw Diagnosis(Code::kInvalidModel, std::move(what), std::move(expected), std::move(fix)).in(where);
  constexpr size_t kMaxWarnings = 1000;
  if (model.warnings.size() < kMaxWarnings) model.warnings.push_back(where.empty() ? what : where + ": " + what);
  if (problems)
    problems->push_back({Severity::kWarning, std::move(where), std::move(what), std::move(expected), std::move(fix)});
}

void Context::note(const std::string& where, const Error& e, const ir::OpDef* def) {
  problems->push_back(finding_of(e, where, options.table, def));
}

}  // namespace onnxrun::import

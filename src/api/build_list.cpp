// Finding the files that a model needs.
#include "api/build_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <onnxrun/provider.hpp>

#include "cpu/provider.h"
#include "ops/table.h"

namespace onnxrun::api {
namespace {

struct Finding {
  const std::set<std::string>& operators;
  std::vector<std::string>& lines;
};

bool any(const std::set<std::string>& wanted, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return wanted.contains(name); });
}

void visit_definitions(void* self, const char* part, void (*define)(ir::OpTable&)) {
  auto& finding = *static_cast<Finding*>(self);
  ir::OpTable table;
  define(table);
  std::vector<std::string> names;
  for (const ir::OpDef* def : table.all()) names.push_back(def->full_name());
  if (any(finding.operators, names)) finding.lines.push_back(fmt::format("definition {}", part));
}

void visit_kernels(void* self, const char* part, void (*add)(provider::KernelTable&)) {
  auto& finding = *static_cast<Finding*>(self);
  provider::KernelTable table;
  add(table);
  std::vector<std::string> names;
  for (const onnxrun_kernel& kernel : table.kernels())
    names.push_back(*kernel.domain ? fmt::format("{}.{}", kernel.domain, kernel.op_type) : kernel.op_type);
  if (any(finding.operators, names)) finding.lines.push_back(fmt::format("kernel {}", part));
}

}  // namespace

std::vector<std::string> build_list(const std::set<std::string>& operators, const optimize::OptimizeReport& report,
                                    bool rounds_products) {
  std::vector<std::string> lines;
  for (const std::string& name : operators) lines.push_back(fmt::format("operator {}", name));
  Finding finding{operators, lines};
  ops::define_all_parts(visit_definitions, &finding);
  cpu::register_all_parts(visit_kernels, &finding);
  for (const optimize::PassReport& pass : report.passes)
    if (pass.patches > 0) lines.push_back(fmt::format("pass {}", pass.name));
  if (rounds_products) lines.push_back("precision medium");
  return lines;
}

}  // namespace onnxrun::api

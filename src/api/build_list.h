// The list that a reduced build is made from.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "optimize/driver.h"

namespace onnxrun::api {

// Lines for ONNXRUN_OPERATORS (see cmake/Reduced.cmake) of a model whose reading and optimizing asked for these operators and was changed by the passes
// of the report: the operators, the files that define them and that have their kernels, and the passes; `rounds_products` says
// that sessions are of a float32_matmul_precision below highest.
std::vector<std::string> build_list(const std::set<std::string>& operators, const optimize::OptimizeReport& report,
                                    bool rounds_products);

}  // namespace onnxrun::api

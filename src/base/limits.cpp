// The limits' names, and the words for passing one.
#include "base/limits.h"

#include <algorithm>

#include "base/error.h"

namespace onnxrun::base {

Limits strict_limits() {
  Limits limits;
  limits.max_nodes = 200'000;
  limits.max_initializers = 100'000;
  limits.max_nesting = 16;
  limits.max_rank = 16;
  limits.max_string_bytes = int64_t{16} << 20;
  limits.max_run_bytes = std::min(limits.max_run_bytes, int64_t{4} << 30);
  limits.max_tensor_bytes = int64_t{1} << 30;
  limits.max_loop_iterations = 1'000'000;
  return limits;
}

std::span<const NamedLimit> named_limits() {
  static constexpr NamedLimit kLimits[] = {{"max_memory", &Limits::max_run_bytes, true},
                                           {"max_tensor", &Limits::max_tensor_bytes, true},
                                           {"max_file", &Limits::max_file_bytes, true},
                                           {"max_string", &Limits::max_string_bytes, true},
                                           {"max_nodes", &Limits::max_nodes, false},
                                           {"max_initializers", &Limits::max_initializers, false},
                                           {"max_nesting", &Limits::max_nesting, false},
                                           {"max_rank", &Limits::max_rank, false},
                                           {"max_loop_iterations", &Limits::max_loop_iterations, false},
                                           {"max_plans", &Limits::max_plan_bytes, true}};
  return kLimits;
}

void exceed(const std::string& what, int64_t limit, std::string_view option) {
  const auto all = named_limits();
  const auto named = std::find_if(all.begin(), all.end(), [&](const NamedLimit& l) { return l.option == option; });
  const bool bytes = named != all.end() && named->bytes;
  fail(Code::kLimitExceeded, "{}, more than the limit of {}{} (option {}; raise it where the model is trusted)", what,
       limit, bytes ? " bytes" : "", option);
}

}  // namespace onnxrun::base

// Regular expressions through RE2.
#include "cpu/content/regex.h"

#include "base/error.h"

#if ONNXRUN_RE2
#include <re2/re2.h>
#endif

namespace onnxrun::cpu {

#if ONNXRUN_RE2

Acceptance Regex::accepts() { return {}; }

Regex::Regex(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  compiled_ = std::make_shared<const RE2>(pattern, options);
  if (!compiled_->ok())
    base::fail(base::Code::kInvalidModel, "the pattern '{}' is no RE2 expression: {}", pattern, compiled_->error());
}

bool Regex::matches(const std::string& text) const { return RE2::FullMatch(text, *compiled_); }

#else

Acceptance Regex::accepts() { return Acceptance::decline("this build has no RE2, which matches regular expressions"); }
Regex::Regex(const std::string&) {}
bool Regex::matches(const std::string&) const { return false; }

#endif

}  // namespace onnxrun::cpu

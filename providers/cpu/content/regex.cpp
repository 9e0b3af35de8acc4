// Regular expressions through RE2.
#include "cpu/content/regex.h"

#include "base/checked.h"
#include "base/error.h"

#if ONNXRUN_RE2
#include <re2/re2.h>
#endif

namespace onnxrun::cpu {

#if ONNXRUN_RE2

Acceptance Regex::accepts() { return {}; }

Regex::Regex(const std::string& pattern, bool longest) {
  RE2::Options options;
  options.set_longest_match(longest);
  options.set_log_errors(false);
  compiled_ = std::make_shared<const RE2>(pattern, options);
  if (!compiled_->ok())
    base::fail(base::Code::kInvalidModel, "the pattern '{}' is no RE2 expression: {}", pattern, compiled_->error());
}

int64_t Regex::steps(size_t bytes) const {
  return base::checked_mul(static_cast<int64_t>(compiled_->ProgramSize()), static_cast<int64_t>(bytes) + 1);
}

void Regex::check(size_t bytes) const {
  constexpr int64_t kMostSteps = int64_t{4} << 30;
  if (steps(bytes) > kMostSteps)
    base::fail(base::Code::kLimitExceeded,
               "an expression of {} instructions over {} bytes of text could take more than {} steps",
               compiled_->ProgramSize(), bytes, kMostSteps);
}

bool Regex::matches(const std::string& text) const {
  check(text.size());
  return RE2::FullMatch(text, *compiled_);
}

std::optional<std::pair<size_t, size_t>> Regex::find(std::string_view text, size_t from) const {
  check(text.size() - from);
  const re2::StringPiece piece(text.data(), text.size());
  re2::StringPiece found;
  if (!compiled_->Match(piece, from, text.size(), RE2::UNANCHORED, &found, 1)) return std::nullopt;
  return std::pair(static_cast<size_t>(found.data() - text.data()), found.size());
}

#else

Acceptance Regex::accepts() { return Acceptance::decline("this build has no RE2, which matches regular expressions"); }
Regex::Regex(const std::string&, bool) {}
bool Regex::matches(const std::string&) const { return false; }
int64_t Regex::steps(size_t) const { return 0; }
void Regex::check(size_t) const {}
std::optional<std::pair<size_t, size_t>> Regex::find(std::string_view, size_t) const { return std::nullopt; }

#endif

}  // namespace onnxrun::cpu

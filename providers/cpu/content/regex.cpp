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

void Regex::prepare(size_t bytes, Pacer& pacer) const {
  constexpr int64_t kMostSteps = int64_t{4} << 30;
  const int64_t steps =
      base::checked_mul(static_cast<int64_t>(compiled_->ProgramSize()), static_cast<int64_t>(bytes) + 1);
  if (steps > kMostSteps)
    base::fail(base::Code::kLimitExceeded,
               "an expression of {} instructions over {} bytes of text could take more than {} steps",
               compiled_->ProgramSize(), bytes, kMostSteps);
  pacer.did(steps / 16 + 32);  // most matches take far fewer
}

bool Regex::matches(const std::string& text, Pacer& pacer) const {
  prepare(text.size(), pacer);
  return RE2::FullMatch(text, *compiled_);
}

std::optional<std::pair<size_t, size_t>> Regex::find(std::string_view text, size_t from, Pacer& pacer) const {
  prepare(text.size() - from, pacer);
  const re2::StringPiece piece(text.data(), text.size());
  re2::StringPiece found;
  if (!compiled_->Match(piece, from, text.size(), RE2::UNANCHORED, &found, 1)) return std::nullopt;
  return std::pair(static_cast<size_t>(found.data() - text.data()), found.size());
}

#else

Acceptance Regex::accepts() { return Acceptance::decline("this build has no RE2, which matches regular expressions"); }
Regex::Regex(const std::string&, bool) {}
bool Regex::matches(const std::string&, Pacer&) const { return false; }
std::optional<std::pair<size_t, size_t>> Regex::find(std::string_view, size_t, Pacer&) const { return std::nullopt; }

#endif

}  // namespace onnxrun::cpu

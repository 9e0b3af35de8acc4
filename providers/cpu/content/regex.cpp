// Regular expressions through RE2.
#include "cpu/content/regex.h"

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

bool Regex::matches(const std::string& text) const { return RE2::FullMatch(text, *compiled_); }

std::optional<std::pair<size_t, size_t>> Regex::find(std::string_view text, size_t from) const {
  const re2::StringPiece piece(text.data(), text.size());
  re2::StringPiece found;
  if (!compiled_->Match(piece, from, text.size(), RE2::UNANCHORED, &found, 1)) return std::nullopt;
  return std::pair(static_cast<size_t>(found.data() - text.data()), found.size());
}

#else

Acceptance Regex::accepts() { return Acceptance::decline("this build has no RE2, which matches regular expressions"); }
Regex::Regex(const std::string&, bool) {}
bool Regex::matches(const std::string&) const { return false; }
std::optional<std::pair<size_t, size_t>> Regex::find(std::string_view, size_t) const { return std::nullopt; }

#endif

}  // namespace onnxrun::cpu

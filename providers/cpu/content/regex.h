// Regular expressions in RE2's syntax.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cpu/cpu.h"

namespace re2 {
class RE2;
}

namespace onnxrun::cpu {

// A compiled expression. Matching takes time linear in the text whatever the expression, and is safe from several threads. It cannot be stopped, so that what
// could take longer than seconds - a large expression over a long text - throws kLimitExceeded.
class Regex {
 public:
  // Declines in a build that has no RE2.
  static Acceptance accepts();

  // Throws kInvalidModel, with RE2's reason, for what is no expression.
  // `longest`: of several matches at one place the longest is taken, not the first alternative's.
  explicit Regex(const std::string& pattern, bool longest = false);

  // Whether all of `text`, UTF-8, matches.
  bool matches(const std::string& text) const;
  // Place and length in bytes of the first match that begins at `from` or later.
  std::optional<std::pair<size_t, size_t>> find(std::string_view text, size_t from) const;
  // Steps that a match in `bytes` of text may take.
  int64_t steps(size_t bytes) const;

 private:
  void check(size_t bytes) const;

  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace onnxrun::cpu

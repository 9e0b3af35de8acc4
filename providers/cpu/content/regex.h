// Regular expressions in RE2's syntax.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace re2 {
class RE2;
}

namespace onnxrun::cpu {

// A compiled expression. Matching takes time linear in the text whatever the expression, and is safe from several threads. It cannot be stopped, so that what
// could take longer than seconds - a large expression over a long text - throws kLimitExceeded; between matches `pacer` ends the work of a cancelled run.
// Equal expressions are compiled once for all who have them at the time: matching them fills a cache that may take megabytes.
class Regex {
 public:
  // Declines in a build that has no RE2.
  static Acceptance accepts();

  // Throws kInvalidModel, with RE2's reason, for what is no expression.
  // `longest`: of several matches at one place the longest is taken, not the first alternative's.
  explicit Regex(const std::string& pattern, bool longest = false);

  // Of the compiled instructions, about.
  size_t bytes() const;

  // Whether all of `text`, UTF-8, matches.
  bool matches(const std::string& text, Pacer& pacer) const;
  // Place and length in bytes of the first match that begins at `from` or later.
  std::optional<std::pair<size_t, size_t>> find(std::string_view text, size_t from, Pacer& pacer) const;

 private:
  // Before a match that may look at `bytes` of text.
  void prepare(size_t bytes, Pacer& pacer) const;

  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace onnxrun::cpu

// Regular expressions in RE2's syntax.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/charge.h"
#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace re2 {
class RE2;
}

namespace onnxrun::cpu {

// A compiled expression. Matching takes time linear in the text whatever the expression, and is safe from several threads. It cannot be stopped, and no more can
// compiling, so that what could take longer than seconds - a long expression, a large one over a long text - throws kLimitExceeded.
// Equal expressions are compiled once for all kernels of a budget that have them at the time: matching fills a cache that may take megabytes. They are charged to
// the budget of the kernel at work for as long as any of them lives.
class Regex {
 public:
  class Matcher;

  // Bytes of expressions that compile within seconds together.
  static constexpr size_t kMostPattern = size_t{64} << 10;

  // Declines in a build that has no RE2.
  static Acceptance accepts();

  // Throws kInvalidModel, with RE2's reason, for what is no expression.
  // `longest`: of several matches at one place the longest is taken, not the first alternative's.
  explicit Regex(const std::string& pattern, bool longest = false);

 private:
  std::shared_ptr<const re2::RE2> compiled_;
};

// An expression at work on one thread, which takes memory for it; between matches `pacer` ends the work of a cancelled run.
class Regex::Matcher {
 public:
  Matcher(const Regex& expression, Pacer& pacer);

  // Whether all of `text`, UTF-8, matches.
  bool matches(const std::string& text) const;
  // Place and length in bytes of the first match that begins at `from` or later.
  std::optional<std::pair<size_t, size_t>> find(std::string_view text, size_t from) const;

 private:
  // Before a match that may look at `bytes` of text.
  void prepare(size_t bytes) const;

  const re2::RE2& compiled_;
  Pacer& pacer_;
  base::Charge memory_;
};

}  // namespace onnxrun::cpu

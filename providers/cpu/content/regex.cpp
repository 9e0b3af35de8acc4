// Regular expressions through RE2.
#include "cpu/content/regex.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>

#include "base/checked.h"
#include "base/error.h"
#include "base/kernel_memory.h"

#if ONNXRUN_RE2
#include <re2/re2.h>
#endif

namespace onnxrun::cpu {

#if ONNXRUN_RE2

Acceptance Regex::accepts() { return {}; }

namespace {

constexpr int64_t kMostCache = RE2::Options::kDefaultMaxMem;

// An expression whose instructions and cache take at most `most` bytes, which it is charged for beside what was parsed.
struct Compiled {
  Compiled(const std::string& pattern, bool longest, int64_t most, const base::BudgetPtr& budget)
      : charge(budget, most + static_cast<int64_t>(pattern.size() * kParsed)), re2(pattern, options(longest, most)) {}

  static RE2::Options options(bool longest, int64_t most) {
    RE2::Options options;
    options.set_longest_match(longest);
    options.set_log_errors(false);
    options.set_max_mem(most);
    return options;
  }

  static constexpr size_t kParsed = 128;
  const base::Charge charge;
  const RE2 re2;
};

// What RE2 takes while it compiles `pattern` into at most `most` bytes, as measured: the parts of the pattern, the ranges of each class of Unicode, and lists of
// instructions.
int64_t compiling_bytes(std::string_view pattern, int64_t most) {
  constexpr int64_t kCharacter = 512, kClass = 40'000, kLists = 9;
  int64_t bytes = static_cast<int64_t>(pattern.size()) * kCharacter + most * kLists;
  for (size_t i = 0; i + 1 < pattern.size(); ++i)
    if (pattern[i] == '\\' && (pattern[i + 1] | 0x20) == 'p') bytes += kClass;
  return bytes;
}

// Of what the budget has left each expression takes a small part, so that many find room; a smaller cache is filled and emptied more often, and where that does
// not pay RE2 walks through the instructions instead.
int64_t cache_bytes(const base::BudgetPtr& budget) {
  constexpr int64_t kLeast = int64_t{64} << 10, kPart = 16;
  return budget ? std::clamp((budget->cap() - budget->used()) / kPart, kLeast, kMostCache) : kMostCache;
}

std::shared_ptr<const Compiled> compile(const std::string& pattern, bool longest, int64_t most,
                                        const base::BudgetPtr& budget) {
  const base::Charge compiling(budget, compiling_bytes(pattern, most));
  return std::make_shared<const Compiled>(pattern, longest, most, budget);
}

std::shared_ptr<const Compiled> compile(const std::string& pattern, bool longest, const base::BudgetPtr& budget) {
  const int64_t most = cache_bytes(budget);
  auto result = compile(pattern, longest, most, budget);
  if (result->re2.error_code() == RE2::ErrorPatternTooLarge && most < kMostCache)
    result = compile(pattern, longest, kMostCache, budget);
  return result;
}

// Those in use, so that the kernels of many shapes share one.
class Expressions {
 public:
  std::shared_ptr<const RE2> get(const std::string& pattern, bool longest) {
    if (pattern.size() > Regex::kMostPattern)
      base::fail(base::Code::kLimitExceeded, "an expression of {} bytes, more than {}, could take too long to compile",
                 pattern.size(), Regex::kMostPattern);
    const base::BudgetPtr budget = base::kernel_budget();
    const std::lock_guard lock(mutex_);
    // What is in use keeps its budget, so that no other lies where it does.
    std::tuple key(static_cast<const base::Budget*>(budget.get()), pattern, longest);
    if (const auto found = kept_.find(key); found != kept_.end())
      if (std::shared_ptr<const RE2> result = found->second.lock()) return result;
    if (kept_.size() >= most_) {
      std::erase_if(kept_, [](const auto& entry) { return entry.second.expired(); });
      most_ = std::max(kMost, 2 * kept_.size());
    }
    const std::shared_ptr<const Compiled> compiled = compile(pattern, longest, budget);
    std::shared_ptr<const RE2> result(compiled, &compiled->re2);
    kept_.insert_or_assign(std::move(key), result);
    return result;
  }

 private:
  static constexpr size_t kMost = 64;

  std::mutex mutex_;
  size_t most_ = kMost;  // entries before those out of use are dropped
  std::map<std::tuple<const base::Budget*, std::string, bool>, std::weak_ptr<const RE2>> kept_;
};

Expressions& expressions() {
  static Expressions* const all = new Expressions;  // of use until the last kernel is gone
  return *all;
}

}  // namespace

Regex::Regex(const std::string& pattern, bool longest) : compiled_(expressions().get(pattern, longest)) {
  if (!compiled_->ok())
    base::fail(base::Code::kInvalidModel, "the pattern '{}' is no RE2 expression: {}", pattern, compiled_->error());
}

Regex::Matcher::Matcher(const Regex& expression, Pacer& pacer) : compiled_(*expression.compiled_), pacer_(pacer) {
  constexpr int64_t kInstruction = 80;  // of lists of instructions, and what each has seen
  memory_ = base::Charge(base::kernel_budget(), compiled_.ProgramSize() * kInstruction);
}

void Regex::Matcher::prepare(size_t bytes) const {
  constexpr int64_t kMostSteps = int64_t{4} << 30;
  const int64_t steps =
      base::checked_mul(static_cast<int64_t>(compiled_.ProgramSize()), static_cast<int64_t>(bytes) + 1);
  if (steps > kMostSteps)
    base::fail(base::Code::kLimitExceeded,
               "an expression of {} instructions over {} bytes of text could take more than {} steps",
               compiled_.ProgramSize(), bytes, kMostSteps);
  pacer_.did(steps / 16 + 32);  // most matches take far fewer
}

bool Regex::Matcher::matches(const std::string& text) const {
  prepare(text.size());
  return RE2::FullMatch(text, compiled_);
}

std::optional<std::pair<size_t, size_t>> Regex::Matcher::find(std::string_view text, size_t from) const {
  prepare(text.size() - from);
  const re2::StringPiece piece(text.data(), text.size());
  re2::StringPiece found;
  if (!compiled_.Match(piece, from, text.size(), RE2::UNANCHORED, &found, 1)) return std::nullopt;
  return std::pair(static_cast<size_t>(found.data() - text.data()), found.size());
}

#else

Acceptance Regex::accepts() { return Acceptance::decline("this build has no RE2, which matches regular expressions"); }
Regex::Regex(const std::string&, bool) {}
Regex::Matcher::Matcher(const Regex& expression, Pacer& pacer) : compiled_(*expression.compiled_), pacer_(pacer) {}
bool Regex::Matcher::matches(const std::string&) const { return false; }
std::optional<std::pair<size_t, size_t>> Regex::Matcher::find(std::string_view, size_t) const { return std::nullopt; }

#endif

}  // namespace onnxrun::cpu

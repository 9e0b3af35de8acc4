// Regular expressions through RE2.
#include "cpu/content/regex.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/checked.h"
#include "base/error.h"

#if ONNXRUN_RE2
#include <re2/re2.h>
#endif

namespace onnxrun::cpu {

#if ONNXRUN_RE2

Acceptance Regex::accepts() { return {}; }

namespace {

// Those in use, so that the kernels of many shapes share one.
class Expressions {
 public:
  std::shared_ptr<const RE2> get(const std::string& pattern, bool longest) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<const RE2>& kept = kept_[{pattern, longest}];
    std::shared_ptr<const RE2> result = kept.lock();
    if (result) return result;
    RE2::Options options;
    options.set_longest_match(longest);
    options.set_log_errors(false);
    result = std::make_shared<const RE2>(pattern, options);
    kept = result;
    if (kept_.size() >= most_) {
      std::erase_if(kept_, [](const auto& entry) { return entry.second.expired(); });
      most_ = std::max(kMost, 2 * kept_.size());
    }
    return result;
  }

 private:
  static constexpr size_t kMost = 64;

  std::mutex mutex_;
  size_t most_ = kMost;  // entries before those out of use are dropped
  std::map<std::pair<std::string, bool>, std::weak_ptr<const RE2>> kept_;
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

size_t Regex::bytes() const {
  constexpr size_t kInstruction = 64;  // of the program, its list and the parsed expression
  return compiled_->pattern().size() * 2 + static_cast<size_t>(std::max(compiled_->ProgramSize(), 0)) * kInstruction;
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
size_t Regex::bytes() const { return 0; }
bool Regex::matches(const std::string&, Pacer&) const { return false; }
std::optional<std::pair<size_t, size_t>> Regex::find(std::string_view, size_t, Pacer&) const { return std::nullopt; }

#endif

}  // namespace onnxrun::cpu

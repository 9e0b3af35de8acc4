// StringConcat, StringSplit and StringNormalizer.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "cpu/content/letter_case.h"
#include "cpu/cpu.h"
#include "cpu/loops/broadcast.h"
#include "cpu/loops/open_output.h"

namespace onnxrun::cpu {
namespace {

class StringConcat {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit StringConcat(const Node& node)
      : plan_({provider::dims(node.input(0)), provider::dims(node.input(1))}, provider::dims(node.output(0))) {}

  void run(RunContext& context) const {
    const auto *x = context.in<std::string>(0), *y = context.in<std::string>(1);
    auto* z = context.out<std::string>(0);
    plan_.each_row(0, plan_.count(), [&](const int64_t* offsets, int64_t at, int64_t count) {
      for (int64_t i = 0; i < count; ++i)
        z[at + i] = x[offsets[0] + i * plan_.row_stride(0)] + y[offsets[1] + i * plan_.row_stride(1)];
    });
  }

 private:
  BroadcastPlan plan_;
};

class StringSplit {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit StringSplit(const Node& node)
      : delimiter_(node.get_string("delimiter")),
        most_(node.has("maxsplit") ? node.get_int("maxsplit", 0) : INT64_MAX) {}

  void run(RunContext& context) const {
    const auto* x = context.in<std::string>(0);
    const int64_t count = provider::count(context.input(0));
    std::vector<std::vector<std::string_view>> parts(static_cast<size_t>(count));
    size_t longest = 0;
    for (int64_t i = 0; i < count; ++i) {
      auto& list = parts[static_cast<size_t>(i)];
      list = delimiter_.empty() ? by_space(x[i]) : by_delimiter(x[i]);
      longest = std::max(longest, list.size());
    }
    const auto dims = provider::dims(context.input(0));
    std::vector<int64_t> out(dims.begin(), dims.end());
    if (context.has_output(1)) {
      open_output(context, 1, out);
      auto* z = context.out<int64_t>(1);
      for (size_t i = 0; i < parts.size(); ++i) z[i] = static_cast<int64_t>(parts[i].size());
    }
    if (!context.has_output(0)) return;
    out.push_back(static_cast<int64_t>(longest));
    context.allocate_output(0, out);
    auto* y = context.out<std::string>(0);
    for (size_t i = 0; i < parts.size(); ++i)
      for (size_t k = 0; k < longest; ++k)
        y[i * longest + k] = k < parts[i].size() ? std::string(parts[i][k]) : std::string();
  }

 private:
  std::vector<std::string_view> by_delimiter(std::string_view text) const {
    std::vector<std::string_view> result;
    for (int64_t splits = 0; splits < most_; ++splits) {
      const size_t end = text.find(delimiter_);
      if (end == std::string_view::npos) break;
      result.push_back(text.substr(0, end));
      text.remove_prefix(end + delimiter_.size());
    }
    result.push_back(text);
    return result;
  }

  // Runs of white space separate; at the ends they vanish, but not behind the last split that maxsplit allows.
  std::vector<std::string_view> by_space(std::string_view text) const {
    constexpr std::string_view kSpace = " \t\n\r\v\f";
    std::vector<std::string_view> result;
    for (;;) {
      const size_t first = text.find_first_not_of(kSpace);
      if (first == std::string_view::npos) return result;
      text.remove_prefix(first);
      const size_t end =
          static_cast<int64_t>(result.size()) < most_ ? std::min(text.find_first_of(kSpace), text.size()) : text.size();
      result.push_back(text.substr(0, end));
      text.remove_prefix(end);
    }
  }

  std::string delimiter_;
  int64_t most_;
};

class StringNormalizer {
 public:
  // Nodes that compare and keep text as it is need no case.
  static Acceptance accepts(const Node& node) {
    const bool as_is = node.get_string("case_change_action", "NONE") == "NONE" &&
                       (node.get_int("is_case_sensitive", 0) != 0 || node.get_strings("stopwords").empty());
    return as_is ? Acceptance() : CaseChanger::accepts();
  }

  explicit StringNormalizer(const Node& node)
      : action_(node.get_string("case_change_action", "NONE")),
        compared_(action_ == "UPPER" ? LetterCase::kUpper : LetterCase::kLower),
        change_(node.get_string("locale", "en_US")) {
    const bool exact = node.get_int("is_case_sensitive", 0) != 0;
    for (const std::string& word : node.get_strings("stopwords"))
      stops_.insert(exact ? word : change_(word, compared_));
    folded_ = !exact && !stops_.empty();
  }

  void run(RunContext& context) const {
    const auto* x = context.in<std::string>(0);
    std::vector<std::string> kept;
    for (int64_t i = 0; i < provider::count(context.input(0)); ++i) {
      if (i % 256 == 0) context.check_cancelled();
      if (stops_.contains(folded_ ? change_(x[i], compared_) : x[i])) continue;
      if (action_ == "NONE") kept.push_back(x[i]);
      else kept.push_back(change_(x[i], compared_));
    }
    if (kept.empty()) kept.emplace_back();
    const auto count = static_cast<int64_t>(kept.size());
    const int64_t dims[] = {1, count};
    context.allocate_output(0, std::span<const int64_t>(dims).last(provider::dims(context.input(0)).size()));
    std::move(kept.begin(), kept.end(), context.out<std::string>(0));
  }

 private:
  std::string action_;
  LetterCase compared_;  // and changed to
  CaseChanger change_;
  bool folded_;
  std::set<std::string> stops_;
};

}  // namespace

void kernels_onnx_string(provider::KernelTable& table) {
  table.add<StringConcat>("", "StringConcat", "reference");
  table.add<StringSplit>("", "StringSplit", "reference");
  table.add<StringNormalizer>("", "StringNormalizer", "reference");
}

}  // namespace onnxrun::cpu

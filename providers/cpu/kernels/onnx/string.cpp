// StringConcat, StringSplit and StringNormalizer.
#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_memory.h"
#include "cpu/content/letter_case.h"
#include "cpu/cpu.h"
#include "cpu/loops/broadcast.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/table_bytes.h"

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
    Pacer pacer(context);
    plan_.each_row(0, plan_.count(), [&](const int64_t* offsets, int64_t at, int64_t count) {
      for (int64_t i = 0; i < count; ++i) {
        const std::string &first = x[offsets[0] + i * plan_.row_stride(0)],
                          &second = y[offsets[1] + i * plan_.row_stride(1)];
        const size_t size = first.size() + second.size();
        pacer.did(static_cast<int64_t>(size / 8) + 32);
        base::take_kernel_memory(base::text_bytes(size));
        z[at + i].reserve(size);
        z[at + i].append(first).append(second);
      }
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
    // The parts are found twice, first only counted: a list of them could take many times what the strings do.
    Pacer pacer(context);
    const auto each_part = [&](int64_t i, auto&& part) {
      pacer.did(static_cast<int64_t>(x[i].size()) + 32);
      if (delimiter_.empty()) by_space(x[i], part);
      else by_delimiter(x[i], part);
    };
    int64_t longest = 0;
    base::take_kernel_memory(base::checked_mul(count, sizeof(int64_t)));
    std::vector<int64_t> sizes(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      int64_t& size = sizes[static_cast<size_t>(i)];
      each_part(i, [&](std::string_view) { ++size; });
      longest = std::max(longest, size);
    }
    const auto dims = provider::dims(context.input(0));
    std::vector<int64_t> out(dims.begin(), dims.end());
    if (context.has_output(1)) {
      open_output(context, 1, out);
      std::copy(sizes.begin(), sizes.end(), context.out<int64_t>(1));
    }
    if (!context.has_output(0)) return;
    out.push_back(longest);
    context.allocate_output(0, out);
    auto* y = static_cast<base::Text*>(context.output(0).data);
    for (int64_t i = 0; i < count; ++i, y += longest)
      each_part(i, [to = y](std::string_view text) mutable { to++->set(text); });
  }

 private:
  // Calls part(text) for each part, in order.
  template <class F>
  void by_delimiter(std::string_view text, F&& part) const {
    for (int64_t splits = 0; splits < most_; ++splits) {
      // In linear time, which string_view::find is not.
      const void* const found = memmem(text.data(), text.size(), delimiter_.data(), delimiter_.size());
      if (found == nullptr) break;
      const auto end = static_cast<size_t>(static_cast<const char*>(found) - text.data());
      part(text.substr(0, end));
      text.remove_prefix(end + delimiter_.size());
    }
    part(text);
  }

  // Runs of white space separate; at the ends they vanish, but not behind the last split that maxsplit allows.
  template <class F>
  void by_space(std::string_view text, F&& part) const {
    constexpr std::string_view kSpace = " \t\n\r\v\f";
    for (int64_t parts = 0;; ++parts) {
      const size_t first = text.find_first_not_of(kSpace);
      if (first == std::string_view::npos) return;
      text.remove_prefix(first);
      const size_t end = parts < most_ ? std::min(text.find_first_of(kSpace), text.size()) : text.size();
      part(text.substr(0, end));
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
    for (const std::string& word : node.get_strings("stopwords")) {
      base::take_kernel_memory(static_cast<int64_t>(kMapNodeBytes + sizeof word) + base::text_bytes(word.size()));
      stops_.insert(exact ? word : change_(word, compared_));
    }
    folded_ = !exact && !stops_.empty();
  }
  size_t table_bytes() const { return bytes_outside(stops_); }

  void run(RunContext& context) const {
    const auto* x = context.in<std::string>(0);
    std::vector<std::string> kept;
    Pacer pacer(context);
    for (int64_t i = 0; i < provider::count(context.input(0)); ++i) {
      pacer.did(64 * static_cast<int64_t>(x[i].size()) + 64);
      base::take_kernel_memory(static_cast<int64_t>(2 * sizeof(std::string)) + base::text_bytes(x[i].size()));
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

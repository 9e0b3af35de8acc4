// com.microsoft.BifurcationDetector.
#include <algorithm>
#include <span>
#include <vector>

#include "base/kernel_memory.h"
#include "cpu/cpu.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

using Tokens = std::span<const int64_t>;

class BifurcationDetector {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit BifurcationDetector(const Node& node)
      : least_(node.get_int("min_ngram_size", 1)), most_(node.get_int("max_ngram_size", 3)) {}

  void run(RunContext& context) const {
    const Tokens source = tokens(context, 0), current = tokens(context, 1);
    base::take_kernel_memory(static_cast<int64_t>((current.size() + source.size() + 1) * 2 * sizeof(int64_t)));
    std::vector<int64_t> result(current.begin(), current.end());
    if (context.has_input(3)) take_over(source, tokens(context, 3), context.in<int64_t>(2)[0], result);
    const int64_t dims[] = {static_cast<int64_t>(result.size())};
    std::copy(result.begin(), result.end(), static_cast<int64_t*>(open_output(context, 0, dims).data));
    Pacer pacer(context);
    *static_cast<int64_t*>(open_output(context, 1, {}).data) = suffix_match(source, result, pacer);
  }

 private:
  static Tokens tokens(const RunContext& context, size_t i) {
    return {context.in<int64_t>(i), static_cast<size_t>(provider::count(context.input(i)))};
  }

  // Appends the predicted tokens up to and with the first that differs from the source behind the last match.
  static void take_over(Tokens source, Tokens predicted, int64_t match, std::vector<int64_t>& result) {
    const auto length = static_cast<int64_t>(source.size());
    if (match < 0 || match > length)
      base::fail(base::Code::kRunFailed,
                 "BifurcationDetector: prev_suffix_match_idx is {}, but there are {} source tokens", match, length);
    const Tokens rest = source.subspan(static_cast<size_t>(match));
    if (predicted.size() != rest.size() + 1)
      base::fail(
          base::Code::kRunFailed,
          "BifurcationDetector: {} predicted tokens for {} source tokens behind the match; there must be one more",
          predicted.size(), rest.size());
    const auto same =
        static_cast<size_t>(std::mismatch(rest.begin(), rest.end(), predicted.begin()).first - rest.begin());
    result.insert(result.end(), predicted.begin(), predicted.begin() + static_cast<std::ptrdiff_t>(same) + 1);
  }

  // Where `wanted` first stands in `source` from `at` on; -1 for nowhere.
  static int64_t find(Tokens source, Tokens wanted, int64_t at, Pacer& pacer) {
    for (const auto last = static_cast<int64_t>(source.size()) - static_cast<int64_t>(wanted.size()); at <= last;
         ++at) {
      const auto same = std::mismatch(wanted.begin(), wanted.end(), source.begin() + at).first;
      pacer.did(same - wanted.begin() + 1);
      if (same == wanted.end()) return at;
    }
    return -1;
  }

  // The end of the only place in the source where the last tokens stand, tried from the shortest n-gram on; -1 where there is none.
  int64_t suffix_match(Tokens source, Tokens result, Pacer& pacer) const {
    int64_t index = -1;
    for (int64_t n = least_; n <= most_ && n <= static_cast<int64_t>(result.size()); ++n) {
      const Tokens suffix = result.last(static_cast<size_t>(n));
      const int64_t found = find(source, suffix, 0, pacer);
      if (found < 0) break;
      index = found + n;
      if (index >= static_cast<int64_t>(source.size())) break;
      if (find(source, suffix, found + 1, pacer) < 0) break;
      index = -1;
    }
    return index;
  }

  int64_t least_, most_;
};

}  // namespace

void kernels_microsoft_bifurcation_detector(provider::KernelTable& table) {
  table.add<BifurcationDetector>("com.microsoft", "BifurcationDetector", "direct");
}

}  // namespace onnxrun::cpu

// RegexFullMatch.
#include "cpu/content/regex.h"
#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class RegexFullMatch {
 public:
  static Acceptance accepts(const Node&) { return Regex::accepts(); }
  explicit RegexFullMatch(const Node& node) : regex_(node.get_string("pattern")) {}

  void run(RunContext& context) const {
    const auto* x = context.in<std::string>(0);
    auto* y = context.out<bool>(0);
    parallel_polled(context, provider::count(context.input(0)), 1024, [&](int64_t begin, int64_t end) {
      Pacer pacer(context);
      const Regex::Matcher matcher(regex_, pacer);
      for (int64_t i = begin; i < end; ++i) y[i] = matcher.matches(x[i]);
    });
  }

 private:
  Regex regex_;
};

}  // namespace

void kernels_onnx_regex_full_match(provider::KernelTable& table) {
  table.add<RegexFullMatch>("", "RegexFullMatch", "re2");
}

}  // namespace onnxrun::cpu

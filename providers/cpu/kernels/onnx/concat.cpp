// Concat: each input copied into its columns of the output.
#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

class Concat {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.output(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit Concat(const Node& node) {
    const auto out = provider::dims(node.output(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", 1), static_cast<int64_t>(out.size())));
    const int64_t outer = product(out, 0, axis);
    const int64_t row = product(out, axis, out.size());
    int64_t column = 0;
    parts_.reserve(node.input_count());
    for (size_t i = 0; i < node.input_count(); ++i) {
      const auto in = provider::dims(node.input(i));
      const int64_t width = product(in, axis, in.size());
      const int64_t dims[] = {outer, width};
      const int64_t from[] = {width, 1};
      const int64_t to[] = {row, 1};
      parts_.emplace_back(unit_of(node.output(0).dtype), dims, from, to, 0, column);
      column += width;
    }
  }

  void run(RunContext& context) const {
    for (size_t i = 0; i < parts_.size(); ++i) parts_[i].run(context, context.input(i).data, context.output(0).data);
  }

 private:
  std::vector<StridedCopy> parts_;
};

}  // namespace

void kernels_onnx_concat(provider::KernelTable& table) {
  table.add<Concat>("", "Concat", "reference");
  table.add<Unpacked<Concat>>("", "Concat", "unpacked");
}

}  // namespace onnxrun::cpu

// Split: each output copied from its columns of the input.
#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

class Split {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit Split(const Node& node) {
    const auto in = provider::dims(node.input(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(in.size())));
    const int64_t outer = product(in, 0, axis);
    const int64_t row = product(in, axis, in.size());
    int64_t column = 0;
    for (size_t i = 0; i < node.output_count(); ++i) {
      const auto out = provider::dims(node.output(i));
      const int64_t width = node.has_output(i) ? product(out, axis, out.size()) : 0;
      const int64_t dims[] = {outer, width};
      const int64_t from[] = {row, 1};
      const int64_t to[] = {width, 1};
      parts_.emplace_back(unit_of(node.input(0).dtype), dims, from, to, column);
      column += width;
    }
  }

  void run(RunContext& context) const {
    for (size_t i = 0; i < parts_.size(); ++i)
      if (context.has_output(i)) parts_[i].run(context, context.input(0).data, context.output(i).data);
  }

 private:
  std::vector<StridedCopy> parts_;
};

}  // namespace

void kernels_onnx_split(provider::KernelTable& table) {
  table.add<Split>("", "Split", "reference");
  table.add<Unpacked<Split>>("", "Split", "unpacked");
}

}  // namespace onnxrun::cpu

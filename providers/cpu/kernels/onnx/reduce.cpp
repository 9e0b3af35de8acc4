// Reductions over axes given ahead or with the run.
#include "cpu/loops/reduce.h"

#include <optional>

#include "cpu/cpu.h"
#include "cpu/loops/index.h"

namespace onnxrun::cpu {
namespace {

template <Reduction reduction>
class Reduce {
 public:
  static Acceptance accepts(const Node& node) {
    if (reduce_kernel(reduction, dtype(node.input(0))) == nullptr)
      return Acceptance::decline(fmt::format("no reduction of {}", base::dtype_name(dtype(node.input(0)))));
    return {};
  }

  explicit Reduce(const Node& node) : noop_(node.get_int("noop_with_empty_axes", 0) != 0) {
    if (!node.has_input(1)) loop_ = bind(node.input(0), nullptr);
    else if (node.input(1).data != nullptr ||
             (provider::shape_known(node.input(1)) && provider::count(node.input(1)) == 0))
      loop_ = bind(node.input(0), &node.input(1));
  }

  void run(RunContext& context) const {
    const void* in = context.input(0).data;
    void* out = context.output(0).data;
    if (loop_) loop_->run(context, in, out);
    else bind(context.input(0), &context.input(1)).run(context, in, out);
  }

 private:
  ReduceLoop bind(const onnxrun_tensor& data, const onnxrun_tensor* axes) const {
    const auto dims = provider::dims(data);
    std::vector<int64_t> list;
    if (axes != nullptr) list = ints_of(*axes);
    return {reduction, dtype(data), dims, reduced_axes(&list, static_cast<int64_t>(dims.size()), noop_)};
  }

  bool noop_;
  std::optional<ReduceLoop> loop_;
};

}  // namespace

void kernels_onnx_reduce(provider::KernelTable& table) {
  table.add<Reduce<Reduction::kSum>>("", "ReduceSum", "reference");
  table.add<Reduce<Reduction::kMean>>("", "ReduceMean", "reference");
  table.add<Reduce<Reduction::kSumSquare>>("", "ReduceSumSquare", "reference");
  table.add<Reduce<Reduction::kL1>>("", "ReduceL1", "reference");
  table.add<Reduce<Reduction::kL2>>("", "ReduceL2", "reference");
  table.add<Reduce<Reduction::kLogSum>>("", "ReduceLogSum", "reference");
  table.add<Reduce<Reduction::kLogSumExp>>("", "ReduceLogSumExp", "reference");
  table.add<Reduce<Reduction::kMax>>("", "ReduceMax", "reference");
  table.add<Reduce<Reduction::kMin>>("", "ReduceMin", "reference");
  table.add<Reduce<Reduction::kProd>>("", "ReduceProd", "reference");
}

}  // namespace onnxrun::cpu

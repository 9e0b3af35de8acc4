// Reductions over axes given ahead or with the run, ArgMax and ArgMin.
#include <fmt/format.h>

#include <algorithm>

#include "cuda/device/reduce.h"
#include "cuda/device/row_pieces.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/parts.h"

namespace onnxrun::cuda {
namespace {

class Reduce {
 public:
  static Acceptance accepts(const Node& node) {
    return find_reduction(node.op().substr(6), dtype(node.input(0))) == nullptr ? no_kernel(node)
                                                                                : Acceptance().host_input(1);
  }
  explicit Reduce(const Node& node)
      : launch_(find_reduction(node.op().substr(6), dtype(node.input(0)))),
        noop_(node.get_int("noop_with_empty_axes", 0) != 0),
        dims_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()),
        scratch_(piece_bytes(provider::count(node.input(0)))) {}
  size_t scratch_bytes() const { return scratch_; }
  void run(RunContext& context) const {
    std::vector<int64_t> axes;
    if (context.has_input(1)) axes = ints_of(context.input(1));
    std::vector<bool> reduced(dims_.size(), axes.empty() && !noop_);
    for (const int64_t axis : base::normalize_axes(axes, static_cast<int64_t>(dims_.size()), "axes"))
      reduced[static_cast<size_t>(axis)] = true;
    launch_(queue_of(context), part_of(dims_, reduced, false), part_of(dims_, reduced, true), context.input(0).data,
            context.output(0).data, context.scratch());
  }

 private:
  ReduceLaunch launch_;
  bool noop_;
  base::Dims dims_;
  size_t scratch_;
};

class Arg {
 public:
  static Acceptance accepts(const Node& node) { return find(node) == nullptr ? no_kernel(node) : Acceptance(); }
  explicit Arg(const Node& node) : launch_(find(node)), last_(node.get_int("select_last_index", 0) != 0) {
    const auto dims = provider::dims(node.input(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(dims.size())));
    std::vector<bool> reduced(dims.size(), false);
    reduced[axis] = true;
    outer_ = part_of(dims, reduced, false);
    size_ = dims[axis];
    step_ = base::contiguous_strides(dims)[axis];
    scratch_ = piece_bytes(provider::count(node.input(0)));
  }
  size_t scratch_bytes() const { return scratch_; }
  void run(RunContext& context) const {
    launch_(queue_of(context), outer_, size_, step_, last_, context.input(0).data, context.out<int64_t>(0),
            context.scratch());
  }

 private:
  static ArgLaunch find(const Node& node) { return find_arg(node.op() == "ArgMax", dtype(node.input(0))); }
  ArgLaunch launch_;
  bool last_;
  Axes<1> outer_;
  int64_t size_ = 0, step_ = 1;
  size_t scratch_ = 0;
};

class GlobalPool {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.op() == "GlobalLpPool" && node.get_int("p", 2) > 2) return Acceptance::decline("a norm beyond 2");
    return find(node) == nullptr || !base::is_float(dtype(node.input(0))) ? no_kernel(node) : Acceptance();
  }
  explicit GlobalPool(const Node& node) : launch_(find(node)) {
    const auto dims = provider::dims(node.input(0));
    std::vector<bool> reduced(dims.size(), true);
    std::fill_n(reduced.begin(), std::min<size_t>(2, dims.size()), false);
    outer_ = part_of(dims, reduced, false);
    inner_ = part_of(dims, reduced, true);
    scratch_ = piece_bytes(provider::count(node.input(0)));
  }
  size_t scratch_bytes() const { return scratch_; }
  void run(RunContext& context) const {
    launch_(queue_of(context), outer_, inner_, context.input(0).data, context.output(0).data, context.scratch());
  }

 private:
  static ReduceLaunch find(const Node& node) {
    const char* name = node.op() == "GlobalAveragePool" ? "Mean"
                       : node.op() == "GlobalMaxPool"   ? "Max"
                       : node.get_int("p", 2) == 1      ? "L1"
                                                        : "L2";
    return find_reduction(name, dtype(node.input(0)));
  }
  ReduceLaunch launch_;
  Axes<1> outer_, inner_;
  size_t scratch_ = 0;
};

}  // namespace

void kernels_onnx_reduce(provider::KernelTable& table) {
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum",
                         "ReduceLogSumExp", "ReduceMax", "ReduceMin", "ReduceProd"})
    add<Reduce>(table, "", op, "rows");
  for (const char* op : {"ArgMax", "ArgMin"}) add<Arg>(table, "", op, "rows");
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"}) add<GlobalPool>(table, "", op, "rows");
}

}  // namespace onnxrun::cuda

// TopK, Hardmax and LRN.
#include "cuda/device/select.h"

#include <algorithm>

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/rows.h"

namespace onnxrun::cuda {
namespace {

class TopK {
 public:
  static Acceptance accepts(const Node& node) {
    return find_top_k(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance().host_input(1);
  }
  explicit TopK(const Node& node)
      : launch_(find_top_k(dtype(node.input(0)))),
        rows_(rows_along_axis(node)),
        largest_(node.get_int("largest", 1) != 0) {
    const auto out = provider::dims(node.output(node.has_output(0) ? 0 : 1));
    k_ = out[static_cast<size_t>(base::normalize_axis(node.get_int("axis", -1), static_cast<int64_t>(out.size())))];
    if (k_ > kMostInBlock && rows_.size < kNarrow) {
      launch_ = find_row_sort(dtype(node.input(0)));
      scratch_ = sort_scratch(dtype(node.input(0)), rows_);
    }
  }
  size_t scratch_bytes() const { return scratch_; }
  void run(RunContext& context) const {
    launch_(queue_of(context), rows_, k_, largest_, context.input(0).data, context.scratch(),
            context.has_output(0) ? context.output(0).data : nullptr,
            context.has_output(1) ? context.out<int64_t>(1) : nullptr);
  }

 private:
  TopKLaunch launch_;
  Rows rows_;
  bool largest_;
  int64_t k_ = 0;
  size_t scratch_ = 0;
};

class Hardmax {
 public:
  static Acceptance accepts(const Node& node) {
    return find_hardmax(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit Hardmax(const Node& node) : launch_(find_hardmax(dtype(node.input(0)))), rows_(rows_along_axis(node)) {}
  void run(RunContext& context) const {
    launch_(queue_of(context), rows_, context.input(0).data, context.output(0).data);
  }

 private:
  HardmaxLaunch launch_;
  Rows rows_;
};

class Lrn {
 public:
  static Acceptance accepts(const Node& node) {
    return find_local_response(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit Lrn(const Node& node) : launch_(find_local_response(dtype(node.input(0)))) {
    const auto dims = provider::dims(node.input(0));
    how_.count = provider::count(node.input(0));
    how_.channels = dims[1];
    how_.plane = product(dims, 2, dims.size());
    how_.size = std::max<int64_t>(1, node.get_int("size", 1));
    how_.alpha = node.get_float("alpha", 1e-4f), how_.beta = node.get_float("beta", 0.75f);
    how_.bias = node.get_float("bias", 1.0f);
  }
  void run(RunContext& context) const {
    launch_(queue_of(context), how_, context.input(0).data, context.output(0).data);
  }

 private:
  LocalResponseLaunch launch_;
  LocalResponse how_;
};

}  // namespace

void kernels_onnx_select(provider::KernelTable& table) {
  add<TopK>(table, "", "TopK", "selection");
  add<Hardmax>(table, "", "Hardmax", "rows");
  add<Lrn>(table, "", "LRN", "map");
}

}  // namespace onnxrun::cuda

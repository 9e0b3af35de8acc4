// Gather, GatherElements, GatherND, ScatterElements, ScatterND and OneHot.
#include <algorithm>
#include <string>

#include "cuda/device/indexed.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/open_output.h"
#include "cuda/kernels/whole_bytes.h"
#include "ops/attributes/reduction_mode.h"

namespace onnxrun::cuda {
namespace {

Indices indices_of(RunContext& context, size_t input, const char* op) {
  const onnxrun_tensor& tensor = context.input(input);
  return {tensor.data, dtype(tensor) == DType::kInt64,
          stream_of(context).expect(std::string(op) + ": an index is out of range")};
}

class GatherKernel {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)); }
  explicit GatherKernel(const Node& node) : bytes_(bytes_of(node.input(0))) {
    const auto data = provider::dims(node.input(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(data.size())));
    how_.size = data[axis];
    how_.outer = product(data, 0, axis);
    how_.inner = product(data, axis + 1, data.size());
    how_.picks = provider::count(node.input(1));
  }
  void run(RunContext& context) const {
    launch_gather(queue_of(context), how_, bytes_, indices_of(context, 1, "Gather"), context.input(0).data,
                  context.output(0).data);
  }

 private:
  int bytes_;
  Gather how_;
};

Along along_of(const Node& node) {
  const auto data = provider::dims(node.input(0)), indices = provider::dims(node.input(1));
  const auto axis =
      static_cast<size_t>(base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(data.size())));
  base::Dims steps = base::contiguous_strides(data);
  Along along;
  along.size = data[axis];
  along.step = steps[axis];
  steps[axis] = 0;
  const auto axes = walk<1>(indices, {steps});
  if (!axes) throw provider::Declined{"too many axes"};
  along.axes = *axes;
  return along;
}

class GatherElements {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)); }
  explicit GatherElements(const Node& node) : bytes_(bytes_of(node.input(0))), how_(along_of(node)) {}
  void run(RunContext& context) const {
    launch_gather_elements(queue_of(context), how_, bytes_, indices_of(context, 1, "GatherElements"),
                           context.input(0).data, context.output(0).data);
  }

 private:
  int bytes_;
  Along how_;
};

Tuples tuples_of(const Node& node) {
  const auto data = provider::dims(node.input(0)), indices = provider::dims(node.input(1));
  const auto batch = static_cast<size_t>(node.get_int("batch_dims", 0));
  const auto length = static_cast<size_t>(indices.back());
  if (length > kMaxAxes) throw provider::Declined{"too many axes"};
  Tuples tuples;
  tuples.length = static_cast<int>(length);
  std::copy_n(data.begin() + static_cast<std::ptrdiff_t>(batch), length, tuples.dims);
  tuples.count = product(indices, 0, indices.size() - 1);
  const int64_t batches = product(data, 0, batch);
  tuples.per_batch = batches > 0 ? std::max<int64_t>(1, tuples.count / batches) : 1;
  tuples.batch_size = product(data, batch, data.size());
  tuples.slice = product(data, batch + length, data.size());
  return tuples;
}

class GatherNd {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)); }
  explicit GatherNd(const Node& node) : bytes_(bytes_of(node.input(0))), how_(tuples_of(node)) {}
  void run(RunContext& context) const {
    launch_gather_nd(queue_of(context), how_, bytes_, indices_of(context, 1, "GatherND"), context.input(0).data,
                     context.output(0).data);
  }

 private:
  int bytes_;
  Tuples how_;
};

Combination combination_of(const Node& node) {
  using ops::attributes::ReductionMode;
  switch (ops::attributes::reduction_mode(node)) {
    case ReductionMode::kAdd: return Combination::kAdd;
    case ReductionMode::kMul: return Combination::kMul;
    case ReductionMode::kMax: return Combination::kMax;
    case ReductionMode::kMin: return Combination::kMin;
    default: return Combination::kReplace;
  }
}

// The data copied, then changed at the places of the updates.
template <class How, auto kFind, How (*kHow)(const Node&)>
class Scatter {
 public:
  static Acceptance accepts(const Node& node) {
    if (kFind(combination_of(node), dtype(node.input(0))) == nullptr) return no_kernel(node);
    return Acceptance().alias(0, 0);
  }
  explicit Scatter(const Node& node)
      : launch_(kFind(combination_of(node), dtype(node.input(0)))),
        how_(kHow(node)),
        op_(node.op()),
        bytes_(base::dtype_bytes(dtype(node.input(0)), provider::count(node.input(0)))) {}
  void run(RunContext& context) const {
    void* y = context.output(0).data;
    if (y != context.input(0).data) stream_of(context).move(context.input(0).data, y, bytes_);
    launch_(queue_of(context), how_, indices_of(context, 1, op_.c_str()), context.input(2).data, y);
  }

 private:
  decltype(kFind(Combination::kReplace, DType::kNone)) launch_;
  How how_;
  std::string op_;
  size_t bytes_;
};

class OneHot {
 public:
  static Acceptance accepts(const Node& node) {
    const DType depth = dtype(node.input(1));
    if (!has_one_hot(dtype(node.input(0)))) return no_kernel(node);
    if (depth != DType::kInt64 && depth != DType::kInt32 && depth != DType::kFloat32)
      return Acceptance::decline("a depth of an unusual type");
    return whole_bytes(node.input(2)).host_input(1);
  }
  explicit OneHot(const Node& node) : bytes_(bytes_of(node.input(2))), index_type_(dtype(node.input(0))) {
    const auto indices = provider::dims(node.input(0));
    const int64_t axis = node.get_int("axis", -1);
    axis_ = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(indices.size()) + 1 : axis);
    dims_.assign(indices.begin(), indices.end());
    outer_ = product(indices, 0, axis_);
    inner_ = product(indices, axis_, indices.size());
  }
  void run(RunContext& context) const {
    const int64_t depth = dtype(context.input(1)) == DType::kFloat32 ? static_cast<int64_t>(*context.in<float>(1))
                                                                     : ints_of(context.input(1))[0];
    if (depth < 0) base::fail(base::Code::kRunFailed, "OneHot: 'depth' must be 0 or more");
    base::Dims dims = dims_;
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis_), depth);
    const onnxrun_tensor& y = open_output(context, 0, dims);
    launch_one_hot(queue_of(context), outer_, depth, inner_, bytes_, index_type_, context.input(0).data,
                   context.input(2).data, y.data);
  }

 private:
  int bytes_;
  DType index_type_;
  size_t axis_ = 0;
  base::Dims dims_;
  int64_t outer_ = 0, inner_ = 0;
};

}  // namespace

void kernels_onnx_indexed(provider::KernelTable& table) {
  add<GatherKernel>(table, "", "Gather", "indexed");
  add<GatherElements>(table, "", "GatherElements", "indexed");
  add<GatherNd>(table, "", "GatherND", "indexed");
  add<Scatter<Along, find_scatter_elements, along_of>>(table, "", "ScatterElements", "indexed");
  add<Scatter<Tuples, find_scatter_nd, tuples_of>>(table, "", "ScatterND", "indexed");
  add<OneHot>(table, "", "OneHot", "indexed");
}

}  // namespace onnxrun::cuda

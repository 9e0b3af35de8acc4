// Pad, Trilu, ConstantOfShape, EyeLike, Range, CumSum and CumProd.
#include <algorithm>
#include <cstring>

#include "cuda/device/copy.h"
#include "cuda/device/fill.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/open_output.h"
#include "cuda/kernels/whole_bytes.h"
#include "ops/attributes/pad.h"
#include "ops/attributes/range.h"

namespace onnxrun::cuda {
namespace {

class Pad {
 public:
  static Acceptance accepts(const Node& node) {
    if (node.input(0).rank > kMaxAxes) return Acceptance::decline("too many axes");
    return whole_bytes(node.input(0)).host_input(1).host_input(3);
  }
  explicit Pad(const Node& node)
      : bytes_(bytes_of(node.input(0))),
        in_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()),
        out_(provider::dims(node.output(0)).begin(), provider::dims(node.output(0)).end()) {
    if (in_.size() > kMaxAxes) throw provider::Declined{"too many axes"};
    switch (ops::attributes::pad_mode(node)) {
      case ops::attributes::PadMode::kConstant: fill_ = PadFill::kConstant; break;
      case ops::attributes::PadMode::kReflect: fill_ = PadFill::kReflect; break;
      case ops::attributes::PadMode::kEdge: fill_ = PadFill::kEdge; break;
      case ops::attributes::PadMode::kWrap: fill_ = PadFill::kWrap; break;
    }
  }
  void run(RunContext& context) const {
    const std::vector<int64_t> pads = ints_of(context.input(1));
    const size_t given = pads.size() / 2;
    base::Dims before(in_.size(), 0), after(in_.size(), 0);
    std::vector<int64_t> axes;
    if (context.has_input(3)) axes = ints_of(context.input(3));
    for (size_t i = 0; i < given; ++i) {
      const size_t axis =
          axes.empty() ? i : static_cast<size_t>(base::normalize_axis(axes[i], static_cast<int64_t>(in_.size())));
      before[axis] = pads[i];
      after[axis] = pads[i + given];
    }
    Padding how;
    how.fill = fill_;
    how.rank = static_cast<int>(in_.size());
    how.count = base::element_count(out_);
    const base::Dims steps = base::contiguous_strides(in_);
    for (size_t d = 0; d < in_.size(); ++d) {
      how.out[d] = out_[d];
      how.lead[d] = std::max<int64_t>(0, before[d]);
      how.cut[d] = std::max<int64_t>(0, -before[d]);
      how.kept[d] = in_[d] + std::min<int64_t>(0, before[d]) + std::min<int64_t>(0, after[d]);
      how.steps[d] = steps[d];
    }
    launch_pad(queue_of(context), how, bytes_, context.has_input(2) ? context.input(2).data : nullptr,
               context.input(0).data, context.output(0).data);
  }

 private:
  int bytes_;
  base::Dims in_, out_;
  PadFill fill_ = PadFill::kConstant;
};

class Trilu {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)).host_input(1); }
  explicit Trilu(const Node& node) : bytes_(bytes_of(node.input(0))), upper_(node.get_int("upper", 1) != 0) {
    const auto dims = provider::dims(node.input(0));
    height_ = dims[dims.size() - 2];
    width_ = dims.back();
    rows_ = product(dims, 0, dims.size() - 1);
  }
  void run(RunContext& context) const {
    const int64_t k = std::clamp(context.has_input(1) ? ints_of(context.input(1))[0] : 0, -height_ - 1, width_ + 1);
    launch_trilu(queue_of(context), rows_, height_, width_, k, upper_, bytes_, context.input(0).data,
                 context.output(0).data);
  }

 private:
  int bytes_;
  bool upper_;
  int64_t height_ = 0, width_ = 0, rows_ = 0;
};

class ConstantOfShape {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.output(0)).host_input(0); }
  explicit ConstantOfShape(const Node& node)
      : bytes_(bytes_of(node.output(0))), count_(provider::count(node.output(0))) {
    if (const onnxrun_tensor* value = node.get_tensor("value"))
      std::memcpy(value_, value->data, static_cast<size_t>(bytes_));
  }
  void run(RunContext& context) const {
    launch_fill(queue_of(context), bytes_, value_, context.output(0).data, count_);
  }

 private:
  int bytes_;
  int64_t count_;
  alignas(16) char value_[16] = {};
};

class EyeLike {
 public:
  static Acceptance accepts(const Node& node) {
    return find_eye(dtype(node.output(0))) == nullptr ? Acceptance::decline("no identity matrix of this type")
                                                      : Acceptance();
  }
  explicit EyeLike(const Node& node) : launch_(find_eye(dtype(node.output(0)))) {
    const auto dims = provider::dims(node.output(0));
    rows_ = dims[0], columns_ = dims[1];
    k_ = std::clamp(node.get_int("k", 0), -rows_, columns_);
  }
  void run(RunContext& context) const { launch_(queue_of(context), rows_, columns_, k_, context.output(0).data); }

 private:
  EyeLaunch launch_;
  int64_t rows_ = 0, columns_ = 0, k_ = 0;
};

class Range {
 public:
  static Acceptance accepts(const Node& node) {
    if (find_range(dtype(node.input(0))) == nullptr) return no_kernel(node);
    return Acceptance().host_input(0).host_input(1).host_input(2);
  }
  explicit Range(const Node& node) : launch_(find_range(dtype(node.input(0)))) {}
  void run(RunContext& context) const {
    Steps how;
    int64_t dims[1];
    if (is_plain_float(dtype(context.input(0)))) {
      how.start = float_of(context.input(0)), how.step = float_of(context.input(2));
      dims[0] = ops::attributes::range_length(how.start, float_of(context.input(1)), how.step);
    } else {
      how.whole_start = ints_of(context.input(0))[0], how.whole_step = ints_of(context.input(2))[0];
      dims[0] = ops::attributes::range_length(how.whole_start, ints_of(context.input(1))[0], how.whole_step);
    }
    const onnxrun_tensor& y = open_output(context, 0, dims);
    launch_(queue_of(context), how, dims[0], y.data);
  }

 private:
  RangeLaunch launch_;
};

class Cumulative {
 public:
  static Acceptance accepts(const Node& node) {
    return find(node) == nullptr ? no_kernel(node) : Acceptance().host_input(1);
  }
  explicit Cumulative(const Node& node)
      : launch_(find(node)), dims_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()) {
    how_.exclusive = node.get_int("exclusive", 0) != 0;
    how_.reverse = node.get_int("reverse", 0) != 0;
  }
  void run(RunContext& context) const {
    const auto axis =
        static_cast<size_t>(base::normalize_axis(ints_of(context.input(1))[0], static_cast<int64_t>(dims_.size())));
    Running how = how_;
    how.size = dims_[axis];
    how.step = product(dims_, axis + 1, dims_.size());
    how.rows = product(dims_, 0, axis) * how.step;
    launch_(queue_of(context), how, context.input(0).data, context.output(0).data);
  }

 private:
  static RunningLaunch find(const Node& node) { return find_running(node.op() == "CumProd", dtype(node.input(0))); }
  RunningLaunch launch_;
  Running how_;
  base::Dims dims_;
};

}  // namespace

void kernels_onnx_fill(provider::KernelTable& table) {
  add<Pad>(table, "", "Pad", "places");
  add<Trilu>(table, "", "Trilu", "places");
  add<ConstantOfShape>(table, "", "ConstantOfShape", "places");
  add<EyeLike>(table, "", "EyeLike", "places");
  add<Range>(table, "", "Range", "places");
  add<Cumulative>(table, "", "CumSum", "scan");
  add<Cumulative>(table, "", "CumProd", "scan");
}

}  // namespace onnxrun::cuda

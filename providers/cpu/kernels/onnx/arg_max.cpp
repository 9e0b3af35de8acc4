// ArgMax and ArgMin.
#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/loops/arg_extreme.h"
#include "cpu/loops/choice_rows.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

template <Extreme extreme>
class Arg {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Arg(const Node& node) {
    const auto dims = provider::dims(node.input(0));
    const int64_t axis = base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(dims.size()));
    loop_ = ArgExtreme(extreme, dtype(node.input(0)), AxisView(dims, axis), node.get_int("select_last_index", 0) != 0);
  }

  void run(RunContext& context) const { loop_.run(context, context.input(0).data, context.out<int64_t>(0)); }

 private:
  ArgExtreme loop_;
};

// Over the last axis (or one with nothing but 1 behind it) of types with rows of their own.
template <Extreme extreme>
class ArgRows {
 public:
  static Acceptance accepts(const Node& node) {
    switch (dtype(node.input(0))) {
      case DType::kFloat32:
      case DType::kFloat64:
      case DType::kInt64:
      case DType::kUint64: return {};
      default: return Acceptance::decline("compares float32, float64, int64 and uint64 only");
    }
  }

  explicit ArgRows(const Node& node) : type_(dtype(node.input(0))), last_(node.get_int("select_last_index", 0) != 0) {
    const auto dims = provider::dims(node.input(0));
    view_ = AxisView(dims, base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(dims.size())));
    if (view_.inner != 1 || view_.size == 0) throw provider::Declined{"the axis is not the last one"};
  }

  void run(RunContext& context) const {
    dispatch(Types<float, double, int64_t, uint64_t>{}, type_, [&](auto type) {
      using T = typename decltype(type)::type;
      const ExtremeRows<T>& rows = extreme_rows<T>();
      const auto row = extreme == Extreme::kLargest ? rows.largest : rows.smallest;
      const T* x = context.in<T>(0);
      int64_t* y = context.out<int64_t>(0);
      parallel_polled(context, view_.outer, Cost(view_.size) * static_cast<int64_t>(sizeof(T)),
                      [&](int64_t begin, int64_t end) {
                        for (int64_t i = begin; i < end; ++i) y[i] = row(x + i * view_.size, view_.size, last_);
                      });
    });
  }

 private:
  DType type_;
  bool last_;
  AxisView view_;
};

}  // namespace

void kernels_onnx_arg_max(provider::KernelTable& table) {
  table.add<ArgRows<Extreme::kLargest>>("", "ArgMax", "rows");
  table.add<ArgRows<Extreme::kSmallest>>("", "ArgMin", "rows");
  table.add<Arg<Extreme::kLargest>>("", "ArgMax", "reference");
  table.add<Arg<Extreme::kSmallest>>("", "ArgMin", "reference");
}

}  // namespace onnxrun::cpu

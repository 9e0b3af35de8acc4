// Dropout: a copy outside training.
#include <atomic>
#include <cstring>
#include <random>

#include "cpu/loops/elementwise.h"
#include "ops/attributes/dropout_mask.h"

namespace onnxrun::cpu {
namespace {

struct Scaling {
  double factor;
};

template <class T>
void scale_row(const Row& row) {
  const T factor = T(static_cast<const Scaling*>(row.parameters)->factor);
  binary_row<T, uint8_t, T>(row, [&](T x, uint8_t kept) { return kept != 0 ? x * factor : T(0); });
}

class Dropout {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance result;
    return node.has_input(2) ? result : result.alias(0, 0);
  }

  explicit Dropout(const Node& node)
      : seed_(node.has("seed") ? static_cast<uint32_t>(node.get_int("seed", 0)) : std::random_device{}()),
        seeded_(node.has("seed")),
        count_(provider::count(node.input(0))),
        bytes_(base::dtype_bytes(dtype(node.input(0)), count_)) {
    if (!node.has_input(2)) return;
    const DType work = work_type(dtype(node.input(0)));
    onnxrun_tensor mask = node.input(0);
    mask.dtype = static_cast<int32_t>(DType::kBool);
    const onnxrun_tensor operands[2] = {node.input(0), mask};
    const RowKernel row = work == DType::kFloat64 ? scale_row<double> : scale_row<float>;
    loop_ = ElementwiseLoop(operands, node.output(0), {row, {work, DType::kNone, DType::kNone}, work});
    if (node.has_input(1)) ratio_ = converter(dtype(node.input(1)), work_type(dtype(node.input(1))));
    if (!node.has_output(1)) scratch_ = static_cast<size_t>(count_);
  }

  size_t scratch_bytes() const { return scratch_; }

  void run(RunContext& context) const {
    const double ratio = this->ratio(context);
    if (ratio == 0) {
      if (context.has_output(1) && count_ > 0) std::memset(context.output(1).data, 1, static_cast<size_t>(count_));
      if (context.output(0).data != context.input(0).data && bytes_ > 0)
        std::memcpy(context.output(0).data, context.input(0).data, bytes_);
      return;
    }
    auto* mask = static_cast<uint8_t*>(context.has_output(1) ? context.output(1).data : context.scratch());
    // Without a seed every run draws anew.
    ops::DropoutMask chosen(seeded_ ? seed_ : seed_ + runs_.fetch_add(1, std::memory_order_relaxed), ratio);
    for (int64_t i = 0; i < count_; ++i) {
      if ((i & 0xfffff) == 0xfffff) context.check_cancelled();
      mask[i] = chosen.next();
    }
    const Scaling scaling{1.0 / (1.0 - ratio)};
    const void* operands[] = {context.input(0).data, mask};
    loop_.run(context, operands, context.output(0).data, &scaling);
  }

 private:
  double ratio(RunContext& context) const {
    if (!context.has_input(2) || !*context.in<bool>(2)) return 0;
    if (!context.has_input(1)) return 0.5;
    double value;
    if (dtype(context.input(1)) == DType::kFloat64) value = *context.in<double>(1);
    else {
      float narrow;
      ratio_(context.input(1).data, &narrow, 1);
      value = narrow;
    }
    if (!(value >= 0 && value < 1))
      base::fail(base::Code::kRunFailed, "Dropout: 'ratio' is {}, it must be in [0, 1)", value);
    return value;
  }

  uint32_t seed_;
  bool seeded_;
  int64_t count_;
  size_t bytes_;
  size_t scratch_ = 0;
  Converter ratio_ = nullptr;
  ElementwiseLoop loop_;
  mutable std::atomic<uint32_t> runs_{0};
};

}  // namespace

void kernels_onnx_dropout(provider::KernelTable& table) { table.add<Dropout>("", "Dropout", "reference"); }

}  // namespace onnxrun::cpu

// Dropout in training: the host draws the mask, whose generator makes each element from those before, and sends it.
#include <algorithm>
#include <atomic>
#include <random>
#include <vector>

#include "cuda/device/copy.h"
#include "cuda/device/random.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"
#include "ops/attributes/dropout_mask.h"

namespace onnxrun::cuda {
namespace {

class Dropout {
 public:
  static Acceptance accepts(const Node& node) {
    if (!node.has_input(2)) return Acceptance::decline("takes nodes that may train");
    if (!is_plain_float(dtype(node.input(0))) || (node.has_input(1) && !is_plain_float(dtype(node.input(1)))))
      return no_kernel(node);
    return Acceptance().host_input(1).host_input(2);
  }
  explicit Dropout(const Node& node)
      : seed_(node.has("seed") ? static_cast<uint32_t>(node.get_int("seed", 0)) : std::random_device{}()),
        seeded_(node.has("seed")),
        type_(dtype(node.input(0))),
        count_(provider::count(node.input(0))),
        scratch_(node.has_output(1) ? 0 : static_cast<size_t>(count_)) {}
  size_t scratch_bytes() const { return scratch_; }

  void run(RunContext& context) const {
    if (count_ == 0) return;
    Stream& stream = stream_of(context);
    const double ratio = this->ratio(context);
    if (ratio == 0) {
      const uint8_t one = 1;
      if (context.has_output(1)) launch_fill(queue_of(stream), 1, &one, context.output(1).data, count_);
      return stream.move(context.input(0).data, context.output(0).data, base::dtype_bytes(type_, count_));
    }
    auto* mask = static_cast<uint8_t*>(context.has_output(1) ? context.output(1).data : context.scratch());
    draw(context, ratio, mask);
    launch_drop(queue_of(stream), type_, mask, 1.0 / (1.0 - ratio), context.input(0).data, context.output(0).data,
                count_);
  }

 private:
  static constexpr int64_t kPiece = 1 << 20;

  static double ratio(RunContext& context) {
    if (!*context.in<bool>(2)) return 0;
    if (!context.has_input(1)) return 0.5;
    const double value = float_of(context.input(1));
    if (!(value >= 0 && value < 1))
      base::fail(base::Code::kRunFailed, "Dropout: 'ratio' is {}, it must be in [0, 1)", value);
    return value;
  }

  // Without a seed every run draws anew.
  void draw(RunContext& context, double ratio, uint8_t* mask) const {
    ops::DropoutMask chosen(seeded_ ? seed_ : seed_ + runs_.fetch_add(1, std::memory_order_relaxed), ratio);
    std::vector<uint8_t> piece(static_cast<size_t>(std::min(kPiece, count_)));
    for (int64_t first = 0; first < count_; first += kPiece) {
      context.check_cancelled();
      const int64_t size = std::min(kPiece, count_ - first);
      for (int64_t i = 0; i < size; ++i) piece[static_cast<size_t>(i)] = chosen.next() ? 1 : 0;
      stream_of(context).send(piece.data(), mask + first, static_cast<size_t>(size));
    }
  }

  uint32_t seed_;
  bool seeded_;
  DType type_;
  int64_t count_;
  size_t scratch_;
  mutable std::atomic<uint32_t> runs_{0};
};

}  // namespace

void kernels_onnx_dropout(provider::KernelTable& table) { add<Dropout>(table, "", "Dropout", "host-mask"); }

}  // namespace onnxrun::cuda

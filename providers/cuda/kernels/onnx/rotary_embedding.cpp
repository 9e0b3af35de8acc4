// RotaryEmbedding.
#include "cuda/device/rotate.h"
#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

class RotaryEmbedding {
 public:
  static Acceptance accepts(const Node& node) {
    return find_rotation(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit RotaryEmbedding(const Node& node) : launch_(find_rotation(dtype(node.input(0)))) {
    const auto x = provider::dims(node.input(0)), cache = provider::dims(node.input(1));
    how_.merged = x.size() == 3;
    how_.interleaved = node.get_int("interleaved", 0) != 0;
    how_.batch = x[0];
    how_.heads = how_.merged ? node.get_int("num_heads", 1) : x[1];
    how_.length = x[x.size() - 2];
    how_.head = how_.merged ? x[2] / how_.heads : x[3];
    how_.half = cache.back();
    how_.positions = cache.front();
  }
  void run(RunContext& context) const {
    Rotation how = how_;
    if (context.has_input(3)) {
      how.ids = context.in<int64_t>(3);
      how.report = stream_of(context).expect("RotaryEmbedding: a position is beyond the caches");
    }
    launch_(queue_of(context), how, context.input(0).data, context.input(1).data, context.input(2).data,
            context.output(0).data);
  }

 private:
  RotationLaunch launch_;
  Rotation how_;
};

}  // namespace

void kernels_onnx_rotary_embedding(provider::KernelTable& table) {
  add<RotaryEmbedding>(table, "", "RotaryEmbedding", "map");
}

}  // namespace onnxrun::cuda

// RotaryEmbedding, in float32 whatever the storage.
#include "cpu/cpu.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rotation.h"

namespace onnxrun::cpu {
namespace {

class RotaryEmbedding {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit RotaryEmbedding(const Node& node)
      : interleaved_(node.get_int("interleaved", 0) != 0), type_(dtype(node.input(0))) {
    const auto x = provider::dims(node.input(0));
    merged_ = x.size() == 3;
    batch_ = x[0];
    heads_ = merged_ ? node.get_int("num_heads", 1) : x[1];
    length_ = x[x.size() - 2];
    head_ = merged_ ? x[2] / heads_ : x[3];
    const auto cache = provider::dims(node.input(1));
    half_ = cache.back();
    positions_ = cache.front();
  }

  void run(RunContext& context) const {
    dispatch(Types<float, Float16, Bfloat16>(), type_, [&]<class T>(std::type_identity<T>) { rotate<T>(context); });
  }

 private:
  template <class T>
  void rotate(RunContext& context) const {
    const int64_t* ids = context.has_input(3) ? context.in<int64_t>(3) : nullptr;
    parallel_polled(context, batch_ * length_, Cost(heads_) * head_ * 4, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t b = item / length_, t = item % length_;
        int64_t row = item;
        if (ids != nullptr) {
          row = ids[item];
          if (row < 0 || row >= positions_)
            base::fail(base::Code::kRunFailed,
                       "RotaryEmbedding: position_ids[{},{}] is {}, but the caches have {} positions", b, t, row,
                       positions_);
        }
        const T* cos = context.in<T>(1) + row * half_;
        const T* sin = context.in<T>(2) + row * half_;
        for (int64_t h = 0; h < heads_; ++h) {
          const int64_t at = (merged_ ? item * heads_ + h : (b * heads_ + h) * length_ + t) * head_;
          rotate_pairs(context.in<T>(0) + at, cos, sin, half_, head_, interleaved_, context.out<T>(0) + at);
        }
      }
    });
  }

  bool interleaved_, merged_ = false;
  DType type_;
  int64_t batch_ = 0, heads_ = 0, length_ = 0, head_ = 0, half_ = 0, positions_ = 0;
};

}  // namespace

void kernels_onnx_rotary_embedding(provider::KernelTable& table) {
  table.add<RotaryEmbedding>("", "RotaryEmbedding", "reference");
}

}  // namespace onnxrun::cpu

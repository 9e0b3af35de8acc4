// EyeLike: zero bytes, then ones along a diagonal.
#include <algorithm>
#include <cstring>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"

namespace onnxrun::cpu {
namespace {

// The bits of 1 in a type; 0 where it has none.
uint64_t one_bits(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return std::bit_cast<uint32_t>(1.0f);
    case DType::kFloat64: return std::bit_cast<uint64_t>(1.0);
    case DType::kFloat16: return Float16(1.0f).bits;
    case DType::kBfloat16: return Bfloat16(1.0f).bits;
    case DType::kBool: return 1;
    default: break;
  }
  if (base::is_integer(dtype) && base::dtype_bits(dtype) >= 8) return 1;
  if (base::is_float(dtype) && base::dtype_bits(dtype) == 8) return base::encode_minifloat(dtype, 1.0f);
  return 0;
}

class EyeLike {
 public:
  static Acceptance accepts(const Node& node) {
    return one_bits(dtype(node.output(0))) == 0 ? Acceptance::decline("no identity matrix of this type") : Acceptance();
  }

  explicit EyeLike(const Node& node) : unit_(unit_of(node.output(0).dtype)), one_(one_bits(dtype(node.output(0)))) {
    const auto dims = provider::dims(node.output(0));
    height_ = dims[0];
    width_ = dims[1];
    shift_ = std::clamp(node.get_int("k", 0), -height_, width_);
  }

  void run(RunContext& context) const {
    void* out = context.output(0).data;
    const uint64_t zero = 0;
    fill_run(unit_, &zero, out, height_ * width_);
    for (int64_t row = std::max<int64_t>(0, -shift_); row < height_ && row + shift_ < width_; ++row)
      std::memcpy(at(out, unit_, row * width_ + row + shift_), &one_, static_cast<size_t>(unit_.bytes));
  }

 private:
  Unit unit_;
  uint64_t one_;
  int64_t height_ = 0, width_ = 0, shift_ = 0;
};

}  // namespace

void kernels_onnx_eye_like(provider::KernelTable& table) { table.add<EyeLike>("", "EyeLike", "reference"); }

}  // namespace onnxrun::cpu

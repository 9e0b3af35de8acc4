// ConstantOfShape: one value written to every element. (Constant is replaced by its value when a model is read.)
#include <cstring>
#include <string>

#include "base/packed.h"
#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class Fill {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Fill(const Node& node) : dtype_(node.output(0).dtype), count_(provider::count(node.output(0))) {
    const onnxrun_tensor* value = node.get_tensor("value");
    if (value == nullptr) return;
    if (dtype(*value) == DType::kString) text_ = *static_cast<const std::string*>(value->data);
    else if (is_packed(dtype_)) bytes_.low = base::packed_get(static_cast<const uint8_t*>(value->data), bits(), 0);
    else std::memcpy(&bytes_, value->data, static_cast<size_t>(unit_of(dtype_).bytes));
  }

  void run(RunContext& context) const {
    if (is_packed(dtype_)) return fill_packed(context.out<uint8_t>(0));
    const Unit unit = unit_of(dtype_);
    const void* value = unit.string ? static_cast<const void*>(&text_) : &bytes_;
    parallel_polled(context, count_, unit.bytes, [&](int64_t begin, int64_t end) {
      fill_run(unit, value, at(context.output(0).data, unit, begin), end - begin);
    });
  }

 private:
  int bits() const { return base::dtype_bits(static_cast<DType>(dtype_)); }

  // Eight elements take `bits` whole bytes, which then repeat.
  void fill_packed(uint8_t* out) const {
    uint8_t pattern[8] = {};
    for (int i = 0; i < 8; ++i) base::packed_set(pattern, bits(), i, static_cast<uint8_t>(bytes_.low));
    const int64_t whole = count_ / 8 * bits();
    for (int64_t i = 0; i < whole; ++i) out[i] = pattern[i % bits()];
    if (count_ % 8 == 0) return;
    std::memset(out + whole, 0, base::dtype_bytes(static_cast<DType>(dtype_), count_ % 8));
    for (int64_t i = count_ / 8 * 8; i < count_; ++i)
      base::packed_set(out, bits(), i, static_cast<uint8_t>(bytes_.low));
  }

  int32_t dtype_;
  int64_t count_;
  Bytes16 bytes_;
  std::string text_;
};

}  // namespace

void kernels_onnx_constant(provider::KernelTable& table) { table.add<Fill>("", "ConstantOfShape", "reference"); }

}  // namespace onnxrun::cpu

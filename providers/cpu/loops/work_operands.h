// Operands of a kernel that computes in one type: those stored in another pass through scratch.
#pragma once

#include <array>

#include "cpu/cpu.h"
#include "cpu/loops/convert.h"

namespace onnxrun::cpu {

// float64 when one of the node's first `inputs` inputs is, otherwise float32.
DType work_float(const Node& node, size_t inputs);

// A node's first inputs and outputs as arrays of a work type (or as they are, for operands that are not to be converted).
class WorkOperands {
 public:
  static constexpr size_t kMax = 8;
  struct Arrays {
    std::array<const void*, kMax> inputs{};  // null where absent
    std::array<void*, kMax> outputs{};
    template <class T>
    const T* in(size_t i) const {
      return static_cast<const T*>(inputs[i]);
    }
    template <class T>
    T* out(size_t i) const {
      return static_cast<T*>(outputs[i]);
    }
  };

  WorkOperands() = default;
  // Shapes must be known. Bit i of `as_stored` leaves input i, bit 32 + i output i, in its own type.
  WorkOperands(const Node& node, size_t inputs, size_t outputs, DType work, uint64_t as_stored = 0);

  // Bytes at the begin of the run's scratch, a multiple of 64.
  size_t scratch_bytes() const { return bytes_; }
  bool converts() const { return bytes_ != 0; }

  // Converts the inputs, in parallel.
  Arrays load(RunContext& context) const;
  // Converts the outputs from `arrays`.
  void store(RunContext& context, const Arrays& arrays) const;

 private:
  struct Operand {
    bool present = false;
    Converter convert = nullptr;  // null: used in place
    size_t offset = 0;
    int64_t count = 0;
    int64_t stored_bytes = 0;  // of an element
  };
  void place(Operand& operand, const onnxrun_tensor& tensor, Converter convert, int64_t work_bytes);
  static void convert_all(RunContext& context, const Operand& operand, const void* from, int64_t from_bytes, void* to,
                          int64_t to_bytes);

  std::array<Operand, kMax> inputs_, outputs_;
  size_t bytes_ = 0;
  int64_t work_bytes_ = 4;
};

// Runs `f(std::type_identity<T>)` for the float type that stores `work`.
template <class F>
void with_work_float(DType work, F&& f) {
  if (work == DType::kFloat64) f(std::type_identity<double>{});
  else f(std::type_identity<float>{});
}

}  // namespace onnxrun::cpu

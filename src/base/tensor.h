// Tensor: a contiguous array with an element type and a shape, sharing a reference-counted buffer in host or provider memory.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/dtype_of.h"
#include "base/shape.h"

#include <onnxrun/types.h>

namespace onnxrun::base {

// A contiguous row-major tensor in host memory (or, with `memory` != 0, in a provider's). Copies share the buffer. A
// default-constructed Tensor is "no tensor".
class Tensor {
 public:
  Tensor() = default;

  // Uninitialised (strings: empty). Sizes are checked; bytes are charged to `budget` when given.
  Tensor(DType dtype, Dims dims, const BudgetPtr& budget = nullptr);

  // A tensor over existing memory; checks that `buffer` holds the elements from `offset` on.
  Tensor(DType dtype, Dims dims, BufferPtr buffer, size_t offset = 0, int32_t memory = ONNXRUN_MEMORY_HOST);

  // Small constants.
  template <class T>
  static Tensor scalar(T value) {
    Tensor result(dtype_of<T>, {});
    *result.mutable_data<T>() = std::move(value);
    return result;
  }
  template <class T>
  static Tensor vector(std::span<const T> values) {
    Tensor result(dtype_of<T>, {static_cast<int64_t>(values.size())});
    std::copy(values.begin(), values.end(), result.mutable_data<T>());
    return result;
  }
  template <class T>
  static Tensor vector(std::initializer_list<T> values) {
    return vector(std::span<const T>(values.begin(), values.size()));
  }

  explicit operator bool() const noexcept { return buffer_ != nullptr; }

  DType dtype() const noexcept { return dtype_; }
  const Dims& dims() const noexcept { return dims_; }
  int64_t rank() const noexcept { return static_cast<int64_t>(dims_.size()); }
  int64_t count() const noexcept { return count_; }
  size_t bytes() const noexcept { return bytes_; }
  int32_t memory() const noexcept { return memory_; }
  const BufferPtr& buffer() const noexcept { return buffer_; }

  const void* raw() const { return elements(); }
  void* mutable_raw() { return elements(); }

  // The bytes wherever they are now, perhaps aligned to nothing: for those who only copy or compare them.
  const void* stored() const noexcept { return is_unaligned() ? data_ : moved_data(); }
  // Whether raw() would have to copy a whole unaligned buffer.
  bool is_unaligned() const noexcept { return unaligned_ && buffer_->copy() == nullptr; }
  // A tensor of this type and shape whose elements nobody is to read any more.
  Tensor given_up() const;
  // This tensor, or a copy of it where it is unaligned, which it stays.
  Tensor apart(const BudgetPtr& budget = nullptr) const;

  // Elements as T; throws kInternal when T is not the element type.
  template <class T>
  const T* data() const {
    require(dtype_of<T>);
    return static_cast<const T*>(elements());
  }
  template <class T>
  T* mutable_data() {
    require(dtype_of<T>);
    return static_cast<T*>(elements());
  }
  template <class T>
  std::span<const T> span() const {
    return {data<T>(), static_cast<size_t>(count_)};
  }

  // The same elements with another shape of equal count.
  Tensor reshaped(Dims dims) const;

  // The values of an integer tensor (any integer type or bool) as int64. Throws kInvalidArgument for other types and for
  // uint64 values beyond int64.
  std::vector<int64_t> as_int64() const;

  // A deep copy.
  Tensor clone(const BudgetPtr& budget = nullptr) const;

  // A view that is valid while this Tensor is neither changed nor destroyed.
  onnxrun_tensor view() const;
  // The same of stored() bytes: for those who do not read elements.
  onnxrun_tensor stored_view() const noexcept;

 private:
  void require(DType dtype) const;
  void* elements() const {
    if (unaligned_) (void)buffer_->aligned();
    return moved_data();
  }
  void* moved_data() const noexcept {
    if (!unaligned_) return data_;
    return static_cast<char*>(buffer_->copy()) + (static_cast<char*>(data_) - static_cast<char*>(buffer_->data()));
  }

  DType dtype_ = DType::kNone;
  int32_t memory_ = ONNXRUN_MEMORY_HOST;
  bool unaligned_ = false;  // data_ is of an unaligned buffer, which has or will have an aligned copy
  Dims dims_;
  int64_t count_ = 0;
  size_t bytes_ = 0;
  void* data_ = nullptr;
  BufferPtr buffer_;
};

}  // namespace onnxrun::base

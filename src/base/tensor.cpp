// Construction, reshaping, copying and viewing of tensors, with every size checked.
#include "base/tensor.h"

#include <cstring>
#include <utility>

#include "base/packed.h"
#include "base/text_memory.h"

namespace onnxrun::base {
namespace {

size_t element_alignment(DType dtype) {
  switch (dtype) {
    case DType::kString: return alignof(std::string);
    case DType::kComplex64: return alignof(float);
    case DType::kComplex128: return alignof(double);
    default: return is_sub_byte(dtype) ? 1 : static_cast<size_t>(dtype_bits(dtype)) / 8;
  }
}

void require_dtype(DType dtype) {
  if (!is_dtype(static_cast<int32_t>(dtype)))
    fail(Code::kInvalidArgument, "{} is not an element type", static_cast<int32_t>(dtype));
}

template <class T>
void widen(const void* data, std::vector<int64_t>& to) {
  const T* from = static_cast<const T*>(data);
  std::copy(from, from + to.size(), to.begin());
}

}  // namespace

Tensor::Tensor(DType dtype, Dims dims, const BudgetPtr& budget) : dtype_(dtype), dims_(std::move(dims)) {
  require_dtype(dtype);
  count_ = element_count(dims_);
  bytes_ = dtype_bytes(dtype, count_);
  if (budget) budget->check_tensor(static_cast<int64_t>(bytes_));
  buffer_ = dtype == DType::kString ? Buffer::allocate_strings(count_, budget) : Buffer::allocate(bytes_, budget);
  data_ = buffer_->data();
}

Tensor::Tensor(DType dtype, Dims dims, BufferPtr buffer, size_t offset, int32_t memory)
    : dtype_(dtype), memory_(memory), dims_(std::move(dims)), buffer_(std::move(buffer)) {
  require_dtype(dtype);
  if (!buffer_) fail(Code::kInvalidArgument, "a {} tensor {} needs a buffer", dtype_name(dtype), to_string(dims_));
  count_ = element_count(dims_);
  bytes_ = dtype_bytes(dtype, count_);
  const size_t held = buffer_->bytes();
  if (offset > held || bytes_ > held - offset)
    fail(Code::kInvalidArgument, "a {} tensor {} of {} bytes at offset {} does not fit in a buffer of {} bytes",
         dtype_name(dtype), to_string(dims_), bytes_, offset, held);
  data_ = static_cast<char*>(buffer_->data()) + offset;
  unaligned_ = !buffer_->is_aligned();
  if (memory == ONNXRUN_MEMORY_HOST && count_ > 0 && !unaligned_ &&
      reinterpret_cast<uintptr_t>(data_) % element_alignment(dtype) != 0)
    fail(Code::kInvalidArgument, "a {} tensor must start at a multiple of {} bytes; copy the data to an aligned place",
         dtype_name(dtype), element_alignment(dtype));
}

Tensor Tensor::reshaped(Dims dims) const {
  if (!buffer_) fail(Code::kInvalidArgument, "no tensor to reshape to {}", to_string(dims));
  if (element_count(dims) != count_)
    fail(Code::kInvalidArgument, "shape {} with {} elements cannot become {}", to_string(dims_), count_,
         to_string(dims));
  Tensor result = *this;
  result.dims_ = std::move(dims);
  return result;
}

std::vector<int64_t> Tensor::as_int64() const {
  if (!is_integer(dtype_) && dtype_ != DType::kBool)
    fail(Code::kInvalidArgument, "expected an integer tensor, got {} {}", dtype_name(dtype_), to_string(dims_));
  if (memory_ != ONNXRUN_MEMORY_HOST)
    fail(Code::kInternal, "the values of a tensor in provider memory {} were asked for; copy it to the host first",
         memory_);
  const void* const data = raw();
  std::vector<int64_t> values(static_cast<size_t>(count_));
  switch (dtype_) {
    case DType::kInt64: widen<int64_t>(data, values); break;
    case DType::kInt32: widen<int32_t>(data, values); break;
    case DType::kInt16: widen<int16_t>(data, values); break;
    case DType::kInt8: widen<int8_t>(data, values); break;
    case DType::kUint32: widen<uint32_t>(data, values); break;
    case DType::kUint16: widen<uint16_t>(data, values); break;
    case DType::kUint8: widen<uint8_t>(data, values); break;
    case DType::kBool:
      for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<const uint8_t*>(data)[i] != 0;
      break;
    case DType::kUint64:
      for (size_t i = 0; i < values.size(); ++i) {
        const uint64_t value = static_cast<const uint64_t*>(data)[i];
        if (value > static_cast<uint64_t>(INT64_MAX))
          fail(Code::kInvalidArgument, "uint64 value {} is beyond int64", value);
        values[i] = static_cast<int64_t>(value);
      }
      break;
    default:
      for (int64_t i = 0; i < count_; ++i)
        values[static_cast<size_t>(i)] =
            packed_integer(dtype_, packed_get(static_cast<const uint8_t*>(data), dtype_bits(dtype_), i));
  }
  return values;
}

Tensor Tensor::clone(const BudgetPtr& budget) const {
  if (!buffer_) return {};
  if (memory_ != ONNXRUN_MEMORY_HOST)
    fail(Code::kInternal, "a tensor in provider memory {} cannot be cloned by the host", memory_);
  const void* const data = stored() != nullptr ? stored() : raw();
  if (dtype_ == DType::kString) return copy_text(static_cast<const std::string*>(data), dims_, budget);
  Tensor result(dtype_, dims_, budget);
  if (bytes_ > 0) std::memcpy(result.data_, data, bytes_);
  return result;
}

Tensor Tensor::given_up() const { return Tensor(dtype_, dims_, Buffer::given_up(bytes_), 0, memory_); }

Tensor Tensor::apart(const BudgetPtr& budget) const { return is_unaligned() ? clone(budget) : *this; }

onnxrun_tensor Tensor::view() const {
  onnxrun_tensor view = stored_view();
  view.data = elements();
  return view;
}

onnxrun_tensor Tensor::stored_view() const noexcept {
  onnxrun_tensor view{};
  view.data = const_cast<void*>(stored());
  view.dims = dims_.data();
  view.rank = static_cast<int32_t>(dims_.size());
  view.dtype = static_cast<int32_t>(dtype_);
  view.memory = memory_;
  return view;
}

void Tensor::require(DType dtype) const {
  if (dtype != dtype_) fail(Code::kInternal, "a {} tensor was accessed as {}", dtype_name(dtype_), dtype_name(dtype));
}

}  // namespace onnxrun::base

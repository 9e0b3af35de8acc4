// Copies between a tensor and its parts along one axis.
#include "run/structural/axis.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/packed.h"
#include "base/text_memory.h"

namespace onnxrun::run {

using base::Code;
using base::Dims;
using base::DType;
using base::Tensor;

namespace {

int64_t product(const Dims& dims, size_t from, size_t to) {
  int64_t result = 1;
  for (size_t i = from; i < to; ++i) result *= dims[i];
  return result;
}

}  // namespace

void copy_elements(const Tensor& from, int64_t from_index, Tensor& to, int64_t to_index, int64_t count) {
  if (count == 0) return;
  if (from.dtype() == DType::kString) {
    std::copy_n(from.data<std::string>() + from_index, count, to.mutable_data<std::string>() + to_index);
    return;
  }
  const int bits = static_cast<int>(base::dtype_bits(from.dtype()));
  const auto* source = static_cast<const uint8_t*>(from.raw());
  auto* target = static_cast<uint8_t*>(to.mutable_raw());
  if (base::is_sub_byte(from.dtype())) {
    for (int64_t i = 0; i < count; ++i)
      base::packed_set(target, bits, to_index + i, base::packed_get(source, bits, from_index + i));
    return;
  }
  const auto size = static_cast<size_t>(bits) / 8;
  std::memcpy(target + static_cast<size_t>(to_index) * size, source + static_cast<size_t>(from_index) * size,
              static_cast<size_t>(count) * size);
}

namespace {

// With the last byte zero where elements may not fill it.
Tensor make_result(TensorPool& pool, DType dtype, Dims dims) {
  Tensor result = pool.make(dtype, std::move(dims));
  if (base::is_sub_byte(dtype) && result.bytes() > 0)
    static_cast<uint8_t*>(result.mutable_raw())[result.bytes() - 1] = 0;
  return result;
}

// A tensor that is copied together: `runs` calls what it is given with each run of elements - a tensor, the first element there, the first here, how many.
template <class Runs>
Tensor make_of_runs(TensorPool& pool, DType dtype, Dims dims, Runs&& runs) {
  Tensor result = make_result(pool, dtype, std::move(dims));
  const auto copy = [&](const Tensor& from, int64_t at, int64_t to, int64_t count) {
    copy_elements(from, at, result, to, count);
  };
  if (dtype != DType::kString) {
    runs(copy);
    return result;
  }
  int64_t bytes = 0;
  runs([&](const Tensor& from, int64_t at, int64_t, int64_t count) {
    bytes += base::text_bytes(from.span<std::string>().subspan(static_cast<size_t>(at), static_cast<size_t>(count)));
  });
  base::Charge text(pool.budget(), bytes);
  runs(copy);
  return base::with_text(std::move(result), std::move(text));
}

}  // namespace

Tensor slice_axis(const Tensor& tensor, int64_t axis, int64_t begin, int64_t length, bool drop, TensorPool& pool) {
  const auto a = static_cast<size_t>(axis);
  const int64_t extent = tensor.dims()[a];
  if (begin < 0 || length < 0 || begin > extent || length > extent - begin)
    base::fail(Code::kRunFailed, "the range [{}, {}+{}) is outside dimension {} of {}", begin, begin, length, axis,
               base::to_string(tensor.dims()));
  Dims dims = tensor.dims();
  const int64_t outer = product(dims, 0, a), inner = product(dims, a + 1, dims.size());
  dims[a] = length;
  if (drop) dims.erase(dims.begin() + axis);
  return make_of_runs(pool, tensor.dtype(), std::move(dims), [&](const auto& run) {
    for (int64_t o = 0; o < outer && length * inner != 0; ++o)
      run(tensor, (o * extent + begin) * inner, o * length * inner, length * inner);
  });
}

Tensor join_axis(std::span<const Tensor> tensors, int64_t axis, bool stack, TensorPool& pool, bool reverse) {
  if (tensors.empty()) base::fail(Code::kRunFailed, "an empty sequence cannot be joined to a tensor");
  const auto a = static_cast<size_t>(axis);
  Dims dims = tensors[0].dims();
  int64_t total = 0;
  for (const Tensor& tensor : tensors) {
    Dims left = tensor.dims(), right = tensors[0].dims();
    const bool same_rank = left.size() == right.size();
    const int64_t extent = stack || !same_rank ? 1 : left[a];
    if (!stack && same_rank) left[a] = right[a] = 0;
    if (left != right || tensor.dtype() != tensors[0].dtype())
      base::fail(Code::kRunFailed, "cannot join a tensor of shape {} with one of shape {} along axis {}",
                 base::to_string(tensors[0].dims()), base::to_string(tensor.dims()), axis);
    total = base::checked_add(total, extent);
  }
  if (stack) dims.insert(dims.begin() + axis, total);
  else dims[a] = total;
  const int64_t outer = product(dims, 0, a), inner = product(dims, a + 1, dims.size());
  return make_of_runs(pool, tensors[0].dtype(), std::move(dims), [&](const auto& run) {
    int64_t position = 0;
    for (size_t k = 0; k < tensors.size(); ++k) {
      const Tensor& tensor = tensors[reverse ? tensors.size() - 1 - k : k];
      const int64_t extent = stack ? 1 : tensor.dims()[a];
      for (int64_t o = 0; o < outer && extent * inner != 0; ++o)
        run(tensor, o * extent * inner, (o * total + position) * inner, extent * inner);
      position += extent;
    }
  });
}

}  // namespace onnxrun::run

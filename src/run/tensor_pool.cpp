// Recycling of tensor buffers.
#include "run/tensor_pool.h"

#include <algorithm>

namespace onnxrun::run {

namespace {
constexpr size_t kMaxBuffers = 64;
}

base::Tensor TensorPool::make(base::DType dtype, base::Dims dims) {
  if (dtype == base::DType::kString) return base::Tensor(dtype, std::move(dims), budget_);
  const size_t bytes = std::max<size_t>(base::dtype_bytes(dtype, base::element_count(dims)), 1);
  for (const base::BufferPtr& buffer : buffers_)
    if (buffer.use_count() == 1 && buffer->bytes() >= bytes && buffer->bytes() / 2 <= bytes)
      return base::Tensor(dtype, std::move(dims), buffer);
  if (buffers_.size() >= kMaxBuffers) trim();
  base::BufferPtr buffer = base::Buffer::allocate(bytes, budget_);
  if (buffers_.size() < kMaxBuffers) buffers_.push_back(buffer);
  return base::Tensor(dtype, std::move(dims), std::move(buffer));
}

void TensorPool::trim() {
  std::erase_if(buffers_, [](const base::BufferPtr& buffer) { return buffer.use_count() == 1; });
}

}  // namespace onnxrun::run

// Recycling of tensor buffers.
#include "run/tensor_pool.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "plan/device_memory.h"

namespace onnxrun::run {

namespace {

constexpr size_t kMaxKept = 64;

// The next of 1, 1.25, 1.5, 1.75 times a power of two.
size_t capacity_for(size_t bytes) {
  if (bytes <= base::kAlignment) return base::kAlignment;
  const size_t step = std::bit_floor(bytes) / 4;
  return (bytes + step - 1) / step * step;
}

}  // namespace

base::BufferPtr TensorPool::Kept::lend() {
  base::BufferPtr result(buffer.get(), [owner = buffer](base::Buffer*) {});
  lent = result;
  return result;
}

base::Tensor TensorPool::make(base::DType dtype, base::Dims dims, int memory) {
  if (dtype == base::DType::kString) return base::Tensor(dtype, std::move(dims), budget_);
  const size_t bytes = std::max<size_t>(base::dtype_bytes(dtype, base::element_count(dims)), 1);
  if (budget_) budget_->check_tensor(static_cast<int64_t>(bytes));
  for (Kept& kept : kept_)
    if (kept.free() && kept.memory == memory && kept.buffer->bytes() >= bytes &&
        kept.buffer->bytes() / 2 <= std::max(bytes, base::kAlignment))
      return base::Tensor(dtype, std::move(dims), kept.lend(), 0, memory);

  // What lies unused shall not be more than what is in use.
  size_t used = bytes, unused = 0;
  for (const Kept& kept : kept_) (kept.free() ? unused : used) += kept.buffer->bytes();
  if (unused > used || kept_.size() >= kMaxKept) trim();
  base::BufferPtr buffer = allocate(bytes, memory);
  if (kept_.size() < kMaxKept) buffer = kept_.emplace_back(Kept{std::move(buffer), memory}).lend();
  return base::Tensor(dtype, std::move(dims), std::move(buffer), 0, memory);
}

base::BufferPtr TensorPool::allocate(size_t bytes, int memory) {
  const auto of = [&](size_t size) {
    return memory == 0 ? base::Buffer::allocate(size, budget_)
                       : plan::allocate_on_device(devices_->providers(), memory, size, budget_);
  };
  try {
    return of(capacity_for(bytes));
  } catch (const base::Error& error) {
    if (error.code() != base::Code::kLimitExceeded) throw;
  }
  trim();
  return of(bytes);
}

void TensorPool::trim() {
  const auto free_on_device = [](const Kept& kept) { return kept.free() && kept.memory != 0; };
  if (devices_ != nullptr && std::any_of(kept_.begin(), kept_.end(), free_on_device)) devices_->wait_all();
  std::erase_if(kept_, [](const Kept& kept) { return kept.free(); });
}

}  // namespace onnxrun::run

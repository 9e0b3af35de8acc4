// Blocks that packed constants share.
#include "plan/pack_memory.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/mapping.h"

namespace onnxrun::plan {
namespace {

constexpr size_t kLarge = size_t{4} << 20;       // has large pages of its own
constexpr size_t kBlock = size_t{16} << 20;      // of a block of small constants, at most
constexpr size_t kCopyBytes = size_t{16} << 20;  // of the block for copies
constexpr size_t kLeastCopy = 128 << 10;         // smaller copies come from the heap

size_t round_up(size_t bytes) { return (bytes + base::kAlignment - 1) / base::kAlignment * base::kAlignment; }

}  // namespace

void PackMemory::expect(size_t bytes) {
  if (bytes < kLarge) expected_ += round_up(bytes);
}

base::BufferPtr PackMemory::allocate(size_t bytes) {
  if (bytes >= kLarge) return base::Buffer::allocate(bytes, budget_);
  const size_t size = round_up(bytes);
  if (!block_ || block_->bytes() - used_ < size) {
    size_t bytes_of_block = std::max(size, std::min(expected_, kBlock));
    // What was announced may never be packed: near the limit, a block holds only what is.
    if (budget_ && budget_->cap() - budget_->used() < static_cast<int64_t>(bytes_of_block)) bytes_of_block = size;
    block_ = base::Buffer::allocate(bytes_of_block, budget_);
    used_ = 0;
  }
  base::BufferPtr result = base::Buffer::wrap(static_cast<char*>(block_->data()) + used_, bytes, block_);
  used_ += size;
  expected_ -= std::min(expected_, size);
  if (used_ == block_->bytes()) block_.reset();
  return result;
}

base::Tensor PackMemory::readable(const base::Tensor& constant) {
  if (!constant.is_unaligned() || constant.bytes() < kLeastCopy || constant.stored() == nullptr)
    return constant.apart(budget_);
  const auto bytes = static_cast<int64_t>(constant.bytes());
  if (budget_) budget_->charge(bytes);
  const std::shared_ptr<void> charge(nullptr, [budget = budget_, bytes](void*) {
    if (budget) budget->release(bytes);
  });
  std::shared_ptr<void> block;
  if (constant.bytes() <= kCopyBytes) {
    if (!copy_) copy_ = base::map_block(kCopyBytes);
    if (copy_.use_count() == 1) block = copy_;
  }
  if (!block) block = base::map_block(constant.bytes());
  if (!block) base::fail(base::Code::kLimitExceeded, "the system has no {} bytes of memory left to give", bytes);
  std::memcpy(block.get(), constant.stored(), constant.bytes());
  const auto owner = std::make_shared<std::pair<std::shared_ptr<void>, std::shared_ptr<void>>>(block, charge);
  return {constant.dtype(), constant.dims(), base::Buffer::wrap(block.get(), constant.bytes(), owner)};
}

}  // namespace onnxrun::plan

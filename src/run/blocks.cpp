// Growing the blocks.
#include "run/blocks.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "plan/device_memory.h"

namespace onnxrun::run {

namespace {

base::BufferPtr allocate(size_t memory, size_t bytes, const StreamContext& context) {
  return memory == 0
             ? base::Buffer::allocate(bytes, context.budget)
             : plan::allocate_on_device(context.devices->providers(), static_cast<int>(memory), bytes, context.budget);
}

// With room to grow where there was a block before: shapes that increase from run to run should not move it every time.
base::BufferPtr allocate_larger(size_t memory, size_t bytes, size_t before, StreamContext& context) {
  try {
    return allocate(memory, std::max(bytes, before + before / 4), context);
  } catch (const base::Error& error) {
    if (error.code() != base::Code::kLimitExceeded) throw;
  }
  context.tensors->trim();
  return allocate(memory, bytes, context);
}

}  // namespace

bool Blocks::hold(const std::vector<size_t>& bytes) const {
  for (size_t memory = 0; memory < blocks_.size(); ++memory)
    if (bytes[memory] > (blocks_[memory] ? blocks_[memory]->bytes() : 0)) return false;
  return true;
}

void Blocks::grow(const std::vector<size_t>& bytes, bool keep) {
  for (size_t memory = 0; memory < blocks_.size(); ++memory) {
    const size_t before = blocks_[memory] ? blocks_[memory]->bytes() : 0;
    if (bytes[memory] <= before) continue;
    context_.devices->wait_all();  // one may still work on what is replaced
    if (!keep) replace(memory, nullptr);
    const base::BufferPtr fresh = allocate_larger(memory, bytes[memory], before, context_);
    if (const base::BufferPtr& old = blocks_[memory]; old && memory == 0) {
      std::memcpy(fresh->data(), old->data(), before);
    } else if (old) {
      const int provider = static_cast<int>(memory) - 1;
      context_.devices->copy(provider, old->data(), true, fresh->data(), true, before);
      context_.devices->wait(provider);
    }
    replace(memory, fresh);
  }
}

void Blocks::replace(size_t memory, base::BufferPtr fresh) {
  const auto bytes = [](const base::BufferPtr& block) { return block ? static_cast<int64_t>(block->bytes()) : 0; };
  context_.block_bytes += bytes(fresh) - bytes(blocks_[memory]);
  blocks_[memory] = std::move(fresh);
}

int64_t Blocks::held_bytes() const {
  int64_t bytes = 0;
  for (const base::BufferPtr& block : blocks_) bytes += block ? static_cast<int64_t>(block->bytes()) : 0;
  return bytes;
}

bool Blocks::borrow(BlockPool& pool) {
  const bool same = pool.take(blocks_, given_back_);
  context_.block_bytes += held_bytes();
  return same;
}

void Blocks::give_back(BlockPool& pool) noexcept {
  context_.block_bytes -= held_bytes();
  given_back_ = pool.put(blocks_);
}

void Blocks::release() {
  for (size_t memory = 0; memory < blocks_.size(); ++memory) replace(memory, nullptr);
}

}  // namespace onnxrun::run

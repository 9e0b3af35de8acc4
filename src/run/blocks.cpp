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

void Blocks::grow(const std::vector<size_t>& bytes, bool keep, StreamContext& context) {
  for (size_t memory = 0; memory < blocks_.size(); ++memory) {
    base::BufferPtr& block = blocks_[memory];
    const size_t before = block ? block->bytes() : 0;
    if (bytes[memory] <= before) continue;
    context.devices->wait_all();  // one may still work on what is replaced
    if (memory == 0) {
      if (!keep) block = nullptr;
      const base::BufferPtr fresh = allocate_larger(memory, bytes[memory], before, context);
      if (block) std::memcpy(fresh->data(), block->data(), before);
      block = fresh;
    } else {
      const int provider = static_cast<int>(memory) - 1;
      const base::BufferPtr fresh = allocate_larger(memory, bytes[memory], before, context);
      if (keep && block) {
        context.devices->copy(provider, block->data(), true, fresh->data(), true, before);
        context.devices->wait(provider);
      }
      block = fresh;
    }
  }
}

void Blocks::release() { blocks_.assign(blocks_.size(), nullptr); }

int64_t Blocks::total_bytes() const {
  int64_t total = 0;
  for (const base::BufferPtr& block : blocks_) total += block ? static_cast<int64_t>(block->bytes()) : 0;
  return total;
}

}  // namespace onnxrun::run

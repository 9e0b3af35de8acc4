// Allocator: where the blocks of a budget come from in place of the system's heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/buffer.h"

namespace onnxrun::base {

// Both functions may be called from any thread.
struct Allocator {
  void* (*allocate)(void* context, size_t bytes, size_t alignment) = nullptr;  // null: there is nothing left
  void (*deallocate)(void* context, void* block, size_t bytes) = nullptr;
  std::shared_ptr<void> context;
};

// A budget whose buffers come from `allocator`, which may be null: then from the system's heap. The allocator lives as long as the budget and its buffers.
BudgetPtr make_budget(int64_t cap, int64_t tensor_cap, std::shared_ptr<const Allocator> allocator);

}  // namespace onnxrun::base

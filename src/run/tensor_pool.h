// TensorPool: recycles the memory of tensors that are not in the planned block - results of control flow and of data-dependent shapes.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "base/tensor.h"
#include "run/device_streams.h"

namespace onnxrun::run {

// Used by one thread at a time. A buffer is free again once nobody else holds it. Sizes are rounded up to steps of at most a quarter, so that a state
// growing a little in every iteration seldom needs new memory.
class TensorPool {
 public:
  // `devices` may be null: then there is host memory only.
  explicit TensorPool(base::BudgetPtr budget, DeviceStreams* devices = nullptr)
      : budget_(std::move(budget)), devices_(devices) {}

  // An uninitialised tensor (strings: empty) in host memory or that of memory kind `memory`.
  base::Tensor make(base::DType dtype, base::Dims dims, int memory = 0);

  const base::BudgetPtr& budget() const { return budget_; }

  // Gives free buffers back to the system; waits for devices that may still use theirs.
  void trim();

 private:
  // Those that a buffer is lent to share a pointer of their own: who holds it alone may write to it, though the pool has it, too.
  struct Kept {
    base::BufferPtr buffer;
    int memory = 0;
    std::weak_ptr<base::Buffer> lent = {};
    // Whoever held it last, maybe another thread, is done with it.
    bool free() const {
      if (!lent.expired()) return false;
      std::atomic_thread_fence(std::memory_order_acquire);
      return true;
    }
    base::BufferPtr lend();
  };
  base::BufferPtr allocate(size_t bytes, int memory);

  base::BudgetPtr budget_;
  DeviceStreams* devices_;
  std::vector<Kept> kept_;
};

}  // namespace onnxrun::run

// KernelMemory: what a kernel takes beside its outputs and scratch memory, charged to a budget while it is bound or runs.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/buffer.h"

namespace onnxrun::base {

// Lists that grow with data, tables, the text of strings. Thread-safe.
class KernelMemory {
 public:
  // `budget` must outlive this; it may be null: then nothing is charged.
  explicit KernelMemory(const BudgetPtr& budget) : budget_(budget) {}
  explicit KernelMemory(BudgetPtr&&) = delete;
  // All of it is given back: what outlives the kernel is charged by who keeps it.
  ~KernelMemory();
  KernelMemory(const KernelMemory&) = delete;
  KernelMemory& operator=(const KernelMemory&) = delete;

  // Throws kLimitExceeded.
  void take(int64_t bytes);
  // For what outlives the kernel, or a part of its work, and holds a Charge of its own.
  const BudgetPtr& budget() const { return budget_; }

  // Makes a memory the one that take_kernel_memory charges on this thread, for its lifetime. `memory` may be null.
  class Here {
   public:
    explicit Here(KernelMemory* memory);
    ~Here();
    Here(const Here&) = delete;
    Here& operator=(const Here&) = delete;

   private:
    KernelMemory* before_;
  };
  // That of this thread; null where no kernel is at work.
  static KernelMemory* here() noexcept;

 private:
  const BudgetPtr& budget_;
  std::atomic<int64_t> taken_{0};
};

// Charges the kernel at work on this thread before it allocates `bytes` on its own. Throws kLimitExceeded.
inline void take_kernel_memory(int64_t bytes) {
  if (KernelMemory* const memory = KernelMemory::here()) memory->take(bytes);
}
// That of the kernel at work on this thread; null where there is none.
inline BudgetPtr kernel_budget() {
  const KernelMemory* const memory = KernelMemory::here();
  return memory == nullptr ? nullptr : memory->budget();
}

}  // namespace onnxrun::base

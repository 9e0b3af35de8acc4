// The memory of the kernel at work on each thread.
#include "base/kernel_memory.h"

namespace onnxrun::base {

namespace {
thread_local KernelMemory* current = nullptr;
}  // namespace

KernelMemory::~KernelMemory() {
  if (budget_ != nullptr) budget_->release(taken_.load(std::memory_order_relaxed));
}

void KernelMemory::take(int64_t bytes) {
  if (budget_ == nullptr || bytes <= 0) return;
  budget_->charge(bytes);
  taken_.fetch_add(bytes, std::memory_order_relaxed);
}

KernelMemory::Here::Here(KernelMemory* memory) : before_(current) { current = memory; }
KernelMemory::Here::~Here() { current = before_; }

KernelMemory* KernelMemory::here() noexcept { return current; }

}  // namespace onnxrun::base

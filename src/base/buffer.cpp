// Allocation of aligned blocks and string arrays under a byte budget.
#include "base/buffer.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "base/allocator.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/mapping.h"

namespace onnxrun::base {
namespace {

// Zeroed blocks at least this large come from calloc, which takes fresh pages as they are.
constexpr size_t kLazyZeroBytes = size_t{1} << 20;

constexpr size_t kMaxBytes = static_cast<size_t>(PTRDIFF_MAX) - 2 * kAlignment;

// Blocks of at least two of the machine's large pages lie in such pages, where the system has them to give.
constexpr size_t kLargePage = size_t{2} << 20;

size_t round_up(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }
size_t block_size(size_t bytes) { return round_up(bytes == 0 ? 1 : bytes); }

void* allocate_aligned(size_t size) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (size >= 2 * kLargePage) {
    // Only whole large pages are asked for: the rest would take memory that nothing uses.
    const size_t whole = size / kLargePage * kLargePage;
    void* block = nullptr;
    if (posix_memalign(&block, kLargePage, size) != 0) return nullptr;
    madvise(block, whole, MADV_HUGEPAGE);
    return block;
  }
#endif
  return std::aligned_alloc(kAlignment, size);
}

// Deletes a budget that has an allocator, and is how such a one is told from others.
struct AllocatorBudget {
  std::shared_ptr<const Allocator> allocator;
  void operator()(Budget* budget) const { delete budget; }
};

const Allocator* allocator_of(const BudgetPtr& budget) {
  const auto* const own = std::get_deleter<AllocatorBudget>(budget);
  return own ? own->allocator.get() : nullptr;
}

}  // namespace

void Budget::charge(int64_t bytes) {
  if (bytes < 0) fail(Code::kInternal, "a charge of {} bytes", bytes);
  int64_t used = used_.load(std::memory_order_relaxed);
  int64_t sum;
  do {
    if (__builtin_add_overflow(used, bytes, &sum) || sum > cap_)
      fail(Code::kLimitExceeded,
           "{} bytes are needed beside the {} in use, which would pass the limit of {} bytes (option max_memory)",
           bytes, used, cap_);
  } while (!used_.compare_exchange_weak(used, sum, std::memory_order_relaxed));
  int64_t peak = peak_.load(std::memory_order_relaxed);
  while (peak < sum && !peak_.compare_exchange_weak(peak, sum, std::memory_order_relaxed)) {
  }
}

void Budget::check_tensor(int64_t bytes) const {
  if (bytes > tensor_cap_) exceed(fmt::format("a tensor of {} bytes", bytes), tensor_cap_, "max_tensor");
  if (bytes > cap_) exceed(fmt::format("a tensor of {} bytes", bytes), cap_, "max_memory");
}

BudgetPtr make_budget(int64_t cap, int64_t tensor_cap, std::shared_ptr<const Allocator> allocator) {
  if (!allocator) return std::make_shared<Budget>(cap, tensor_cap);
  return BudgetPtr(new Budget(cap, tensor_cap), AllocatorBudget{std::move(allocator)});
}

std::shared_ptr<Buffer> Buffer::allocate(size_t bytes, const BudgetPtr& budget, bool zero) {
  if (bytes > kMaxBytes) fail(Code::kLimitExceeded, "{} bytes are more than can be addressed", bytes);
  std::shared_ptr<Buffer> buffer(new Buffer);
  if (budget) {
    budget->charge(static_cast<int64_t>(bytes));
    buffer->budget_ = budget;
  }
  buffer->bytes_ = bytes;
  buffer->owned_ = true;
  const size_t size = block_size(bytes);
  if (const Allocator* const allocator = allocator_of(budget)) {
    buffer->block_ = buffer->data_ = allocator->allocate(allocator->context.get(), size, kAlignment);
    if (reinterpret_cast<uintptr_t>(buffer->data_) % kAlignment != 0)
      fail(Code::kInvalidArgument, "the allocator of the options gave a block that is not aligned to {} bytes",
           kAlignment);
    if (zero && buffer->data_) std::memset(buffer->data_, 0, size);
  } else if (zero && size >= kLazyZeroBytes) {
    buffer->block_ = std::calloc(size + kAlignment, 1);
    const auto address = reinterpret_cast<uintptr_t>(buffer->block_);
    if (buffer->block_) buffer->data_ = static_cast<char*>(buffer->block_) + (round_up(address) - address);
  } else {
    buffer->block_ = buffer->data_ = allocate_aligned(size);
    if (zero && buffer->data_) std::memset(buffer->data_, 0, size);
  }
  if (!buffer->block_) fail(Code::kLimitExceeded, "the system has no {} bytes of memory left to give", bytes);
  return buffer;
}

std::shared_ptr<Buffer> Buffer::allocate_strings(int64_t count, const BudgetPtr& budget) {
  if (count < 0) fail(Code::kInvalidArgument, "an array cannot have {} strings", count);
  auto buffer = allocate(static_cast<size_t>(checked_mul(count, sizeof(std::string))), budget);
  std::uninitialized_default_construct_n(static_cast<std::string*>(buffer->data_), count);
  buffer->strings_ = count;
  return buffer;
}

std::shared_ptr<Buffer> Buffer::wrap(void* data, size_t bytes, std::shared_ptr<const void> owner) {
  std::shared_ptr<Buffer> buffer(new Buffer);
  buffer->data_ = data;
  buffer->bytes_ = bytes;
  buffer->owner_ = std::move(owner);
  return buffer;
}

std::shared_ptr<Buffer> Buffer::wrap_unaligned(const void* data, size_t bytes, std::shared_ptr<const void> owner,
                                               const BudgetPtr& budget) {
  auto buffer = wrap(const_cast<void*>(data), bytes, std::move(owner));
  buffer->aligned_ = false;
  buffer->budget_ = budget;
  return buffer;
}

std::shared_ptr<Buffer> Buffer::given_up(size_t bytes) { return wrap_unaligned(nullptr, bytes, nullptr); }

void* Buffer::aligned() {
  if (aligned_) return data_;
  if (data_ == nullptr) fail(Code::kInternal, "{} bytes that were given up are asked for", bytes_);
  std::call_once(copied_, [&] {
    copy_buffer_ = allocate(bytes_, budget_);
    std::memcpy(copy_buffer_->data(), data_, bytes_);
    copy_.store(copy_buffer_->data(), std::memory_order_release);
    forget_pages();
  });
  return copy();
}

void Buffer::forget_pages() const noexcept { base::forget_pages(owner_, data_, bytes_); }

Buffer::~Buffer() {
  if (!owned_) return;
  if (strings_ > 0) std::destroy_n(static_cast<std::string*>(data_), strings_);
  if (const Allocator* const allocator = allocator_of(budget_)) {
    if (block_) allocator->deallocate(allocator->context.get(), block_, block_size(bytes_));
  } else {
    std::free(block_);
  }
  if (budget_) budget_->release(static_cast<int64_t>(bytes_));
}

}  // namespace onnxrun::base

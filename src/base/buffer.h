// Reference-counted memory: owned 64-byte aligned blocks charged to a budget, string arrays, and views that keep an owner alive.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/error.h"

namespace onnxrun::base {

inline constexpr size_t kAlignment = 64;

// Counts bytes that a model makes us allocate, and refuses to pass a cap. Thread-safe.
class Budget {
 public:
  explicit Budget(int64_t cap = INT64_MAX, int64_t tensor_cap = INT64_MAX) : cap_(cap), tensor_cap_(tensor_cap) {}

  // Charges `bytes`; throws kLimitExceeded naming the request, the use and the cap when that would pass the cap.
  void charge(int64_t bytes);
  // Throws kLimitExceeded where a tensor of `bytes` could never be had: it is past the cap, or that of one tensor.
  void check_tensor(int64_t bytes) const;
  void release(int64_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  int64_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
  int64_t peak() const noexcept { return peak_.load(std::memory_order_relaxed); }
  int64_t cap() const noexcept { return cap_; }

 private:
  const int64_t cap_;
  const int64_t tensor_cap_;
  std::atomic<int64_t> used_{0};
  std::atomic<int64_t> peak_{0};
};

using BudgetPtr = std::shared_ptr<Budget>;

// A block of memory, or a range of somebody else's kept alive by an owner. Shared through BufferPtr.
class Buffer {
 public:
  // `bytes` zero-initialised or uninitialised bytes, aligned to kAlignment. `budget` may be null.
  static std::shared_ptr<Buffer> allocate(size_t bytes, const BudgetPtr& budget = nullptr, bool zero = false);
  // `count` empty strings.
  static std::shared_ptr<Buffer> allocate_strings(int64_t count, const BudgetPtr& budget = nullptr);
  // A range that stays valid while `owner` lives (a file mapping, a caller's object). Not written through.
  static std::shared_ptr<Buffer> wrap(void* data, size_t bytes, std::shared_ptr<const void> owner);
  // Such a range at an address that is aligned to nothing; aligned() copies it when somebody asks, which is charged to `budget`.
  static std::shared_ptr<Buffer> wrap_unaligned(const void* data, size_t bytes, std::shared_ptr<const void> owner,
                                                const BudgetPtr& budget = nullptr);
  // Stands for bytes that nobody is to read any more: data() is null, aligned() throws kInternal.
  static std::shared_ptr<Buffer> given_up(size_t bytes);

  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* data() const noexcept { return data_; }
  size_t bytes() const noexcept { return bytes_; }

  // Whether the bytes take memory of this buffer's own.
  bool is_owner() const noexcept { return owned_; }
  bool is_aligned() const noexcept { return aligned_; }
  // The bytes where elements can be read: data(), or a copy that is made once and kept. Throws kLimitExceeded. Thread-safe.
  void* aligned();
  // That copy; null while there is none.
  void* copy() const noexcept { return copy_.load(std::memory_order_acquire); }
  // Says that the bytes at data() will not be read soon: where they are of a mapped file their pages leave memory until then.
  void forget_pages() const noexcept;

 private:
  Buffer() = default;
  void* data_ = nullptr;
  void* block_ = nullptr;  // what was allocated; data_ is its first aligned byte
  size_t bytes_ = 0;
  int64_t strings_ = -1;  // number of std::string constructed in data_, or -1
  bool owned_ = false;
  bool aligned_ = true;
  std::atomic<void*> copy_{nullptr};
  std::once_flag copied_;
  std::shared_ptr<Buffer> copy_buffer_;
  BudgetPtr budget_;
  std::shared_ptr<const void> owner_;
};

using BufferPtr = std::shared_ptr<Buffer>;

}  // namespace onnxrun::base

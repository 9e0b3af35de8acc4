// BlockPool: blocks of planned memory that no run uses at the moment, for all streams of all sessions of a prepared model.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "base/buffer.h"

namespace onnxrun::run {

// Thread-safe. A set has one block a memory kind, null where none was needed.
class BlockPool {
 public:
  using Set = std::vector<base::BufferPtr>;

  // Exchanges `set`, which holds no blocks, for the one that was put back as `wanted`, else for the largest there is, if any. Whether it is the one wanted.
  bool take(Set& set, uint64_t wanted);
  // Exchanges `set`, after take(), for one without blocks; a number by which to want it again.
  uint64_t put(Set& set) noexcept;

  void clear();
  int64_t bytes() const;

 private:
  struct Entry {
    Set set;
    uint64_t number = 0;  // 0: holds no blocks, and is there for a set that is out
  };

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  uint64_t last_ = 0;
};

}  // namespace onnxrun::run

// Blocks: the memory in which a frame's planned values lie, one block a memory kind.
#pragma once

#include <vector>

#include "base/buffer.h"
#include "run/block_pool.h"
#include "run/stream_context.h"

namespace onnxrun::run {

class Blocks {
 public:
  Blocks(size_t memories, StreamContext& context) : context_(context), blocks_(memories) {}
  ~Blocks() { release(); }
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  void* data(int memory) const {
    return blocks_[static_cast<size_t>(memory)] ? blocks_[static_cast<size_t>(memory)]->data() : nullptr;
  }
  bool hold(const std::vector<size_t>& bytes) const;
  // Makes each block at least as large as asked. `keep`: what lies in the blocks stays, elsewhere. After an exception some blocks may have moved and, without
  // `keep`, be gone.
  void grow(const std::vector<size_t>& bytes, bool keep);
  void release();

  // Takes the blocks that were given back last; false where they are others, or none. Before a run, and with nothing held.
  bool borrow(BlockPool& pool);
  void give_back(BlockPool& pool) noexcept;

 private:
  void replace(size_t memory, base::BufferPtr fresh);

  StreamContext& context_;
  int64_t held_bytes() const;
  std::vector<base::BufferPtr> blocks_;  // by memory; null: none yet
  uint64_t given_back_ = 0;              // the pool's number for them
};

}  // namespace onnxrun::run

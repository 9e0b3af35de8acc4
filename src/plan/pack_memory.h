// PackMemory: where packed constants lie, and what packing reads constants from.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/buffer.h"
#include "base/tensor.h"

namespace onnxrun::plan {

// Fresh pages cost more than filling them does: small packed constants share blocks that large pages serve, and the copies that packing reads share
// one block. One thread at a time.
class PackMemory {
 public:
  explicit PackMemory(base::BudgetPtr budget) : budget_(std::move(budget)) {}

  // Announces a packed constant, so that blocks are made as large as they will be filled.
  void expect(size_t bytes);
  // Uninitialised bytes, aligned to base::kAlignment. A block is freed when nothing in it is in use.
  base::BufferPtr allocate(size_t bytes);

  // The constant where its elements can be read, at least while the result lives: a copy of one that is unaligned.
  base::Tensor readable(const base::Tensor& constant);
  // Gives back what is kept for the next copy.
  void end_packing() { copy_.reset(); }

 private:
  base::BudgetPtr budget_;
  size_t expected_ = 0;         // bytes that are announced and not allocated
  base::BufferPtr block_;       // of small constants
  size_t used_ = 0;             // of block_
  std::shared_ptr<void> copy_;  // of kCopyBytes
};

}  // namespace onnxrun::plan

// Attention as two matrix products with a softmax between, which is faster than a kernel of its own once there are many queries: the products run
// on tensor cores where the type and the precision allow it.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/device/attention.h"
#include "cuda/host/product.h"
#include "cuda/scratch_layout.h"

namespace onnxrun::cuda {

class AttentionProducts {
 public:
  // None where there are few queries or the keys do not lie in one piece. Only the sizes and steps of `shape` count.
  static std::vector<AttentionProducts> make(base::DType type, int precision, const AttentionWork& shape);

  size_t scratch_bytes() const { return layout_.bytes(); }
  // `work` is of the shape this was made for; `scratch` of scratch_bytes() bytes, aligned to 256.
  void run(Stream& stream, const Queue& queue, const AttentionWork& work, void* scratch) const;

 private:
  AttentionProducts(base::DType type, int precision, const AttentionWork& shape);
  const char* at(const HeadRows& rows, int64_t b, int64_t h) const;

  base::DType type_;
  int64_t bytes_ = 0;
  // A call takes the heads of all batch entries, those of one, or a group. Query heads of a group follow each other as rows of one matrix, or each
  // has its turn.
  int64_t calls_ = 1, heads_ = 1, turns_ = 1;
  ScratchLayout layout_{Product::kWorkspace};
  size_t shares_at_ = 0;
  SharesLaunch shares_;
  std::vector<Product> products_;  // scores, results
};

}  // namespace onnxrun::cuda

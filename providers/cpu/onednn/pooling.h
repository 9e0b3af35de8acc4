// A float32 pool by oneDNN on channel-blocked values, plane by plane.
#pragma once

#include <vector>

#include "cpu/loops/window_geometry.h"
#include "cpu/onednn/convolution_weights.h"

namespace onnxrun::cpu::onednn {

// Bound to a geometry whose channels are blocks: each image and block is a plane of its own.
class Pooling {
 public:
  Pooling(const WindowGeometry& geometry, dnnl::algorithm algorithm, int parts);
  size_t scratch_bytes() const { return scratch_; }
  // Of the library's objects, about.
  size_t table_bytes() const { return steps_.size() * kStepBytes + chunks_.size() * kChunkBytes; }
  void run(RunContext& context, const float* x, float* y, char* scratch) const;

 private:
  struct Step {
    int64_t planes = 0;
    dnnl::memory::desc source, target, scratchpad;
    dnnl::pooling_forward pooling;
  };
  struct Chunk {
    int64_t plane = 0;
    size_t step = 0;
    size_t scratch = 0;
    dnnl::stream stream = {};
    dnnl::memory source = {}, target = {}, scratchpad = {};
  };
  static constexpr int64_t kStepBytes = 8 << 10, kChunkBytes = sizeof(Chunk) + (2 << 10);

  void make_step(const WindowGeometry& geometry, dnnl::algorithm algorithm, int64_t planes);
  void add_chunk(int64_t plane, int64_t planes);

  int64_t in_plane_, out_plane_;  // elements
  size_t scratch_ = 0;
  std::vector<Step> steps_;
  std::vector<Chunk> chunks_;
};

}  // namespace onnxrun::cpu::onednn

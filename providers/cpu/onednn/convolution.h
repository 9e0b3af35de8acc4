// A float32 convolution by oneDNN on channel-blocked activations, split into parts that run on one thread each.
#pragma once

#if defined(ONNXRUN_ONEDNN)

#include <optional>
#include <string>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/window_geometry.h"
#include "cpu/onednn/single_thread.h"

namespace onnxrun::cpu::onednn {

// The weights as oneDNN's kernels want them: a layout that depends only on their own shape. Parts of the output channels (or groups) are
// adjacent in it.
struct ConvolutionWeights {
  int64_t groups = 1, filters = 0, channels = 0;  // of the whole convolution; channels of one group
  std::vector<int64_t> kernel;                    // two or three axes
  bool depthwise = false;  // one channel and one filter a group
  bool plain_input = false;  // few channels: the input is taken as it is
  dnnl::memory::desc plain, packed;

  // Why these weights are not for oneDNN; empty when they are.
  static std::string refuse(const onnxrun_tensor& weights, int64_t groups);
  ConvolutionWeights(const onnxrun_tensor& weights, int64_t groups);

  dnnl::memory::dims dims(int64_t part_filters) const;   // of `part_filters` output channels
  dnnl::memory::desc part(int64_t part_filters) const;   // packed
  size_t offset(int64_t filter) const;                   // bytes before output channel `filter`
  void pack(const float* from, void* to) const;
};

// A convolution bound to shapes.
class Convolution {
 public:
  // Throws provider::Declined where oneDNN has no fast kernel. `parts`: how many threads it should serve.
  Convolution(const ConvolutionWeights& weights, const WindowGeometry& geometry, bool bias, const dnnl::post_ops& post_ops, int parts);
  size_t scratch_bytes() const { return scratch_; }
  void run(RunContext& context, const float* x, const void* weights, const float* bias, float* y, char* scratch) const;

 private:
  // What one thread does: some images, some output channels.
  struct Part {
    int64_t image = 0, images = 1, filter = 0, filters = 0;
    size_t step = 0;     // its primitives
    size_t scratch = 0;  // its offset
  };
  // Primitives for one size of part.
  struct Step {
    int64_t images = 0, filters = 0;
    dnnl::memory::desc source, target, plain_source, plain_target, weights, bias, scratchpad;
    dnnl::convolution_forward convolution;
    dnnl::reorder to_blocked, to_plain;
    size_t source_bytes = 0, target_bytes = 0, scratchpad_bytes = 0;
  };
  // Blocking of a range of input channels of one image.
  struct Load {
    int64_t channels = 0;
    dnnl::memory::desc from, to;
    dnnl::reorder reorder;
  };

  Step make_step(int64_t images, int64_t filters, const dnnl::post_ops& post_ops) const;
  void add_part(const Part& part, const dnnl::post_ops& post_ops);
  void split(int parts, const dnnl::post_ops& post_ops);
  void load_source(RunContext& context, const float* x, float* blocked) const;
  void run_part(const Part& part, const float* x, const float* blocked, const char* weights, const float* bias, float* y,
                char* scratch) const;

  ConvolutionWeights weights_;
  int64_t batch_, in_channels_, in_size_ = 1, out_size_ = 1, out_channels_;
  std::vector<int64_t> in_, out_, strides_, dilations_, pad_begin_, pad_end_;
  bool bias_;
  bool shared_source_ = false;  // all parts read one blocked copy of the input
  size_t source_bytes_ = 0, scratch_ = 0;
  std::vector<Load> loads_;                            // by part of the input channels
  std::vector<std::pair<int64_t, size_t>> load_items_;  // first channel, load
  std::vector<Step> steps_;
  std::vector<Part> parts_;
};

}  // namespace onnxrun::cpu::onednn

#endif

// A float32 convolution by oneDNN on channel-blocked activations, split into parts that run on one thread each.
#pragma once

#include <vector>

#include "cpu/loops/window_geometry.h"
#include "cpu/onednn/activation.h"
#include "cpu/onednn/convolution_weights.h"

namespace onnxrun::cpu::onednn {

// What a convolution does beside convolving.
struct ConvolutionForm {
  bool blocked_source = false, blocked_target = false;  // as the caller has them: channel-blocked, else plain
  bool bias = false;
  bool added = false;  // a tensor laid out as the target is added
  Activation activation = {};
};

// Arrays of a run; null where the form has none.
struct ConvolutionArrays {
  const float* x = nullptr;
  const void* weights = nullptr;
  const float* bias = nullptr;
  const float* added = nullptr;
  float* y = nullptr;
  char* scratch = nullptr;
};

// A convolution bound to shapes. Runs for one caller at a time, and without allocating on our side.
class Convolution {
 public:
  // Throws provider::Declined where oneDNN has no fast kernel. `parts`: how many threads it should serve.
  Convolution(const ConvolutionWeights& weights, const WindowGeometry& geometry, const ConvolutionForm& form,
              int parts);
  size_t scratch_bytes() const { return scratch_; }
  size_t table_bytes() const {
    return steps_.size() * kPrimitiveBytes + loads_.size() * kPrimitiveBytes +
           (chunks_.size() + load_items_.size()) * (sizeof(Chunk) + kJobBytes) + parts_.capacity() * sizeof(Part);
  }
  void run(RunContext& context, const ConvolutionArrays& arrays) const;

 private:
  // Of the library's objects, about: a primitive with its description and code, and what executing it needs.
  static constexpr size_t kPrimitiveBytes = 16 << 10, kJobBytes = 3 << 10;

  // What executing primitives needs beside them, made once.
  struct Job {
    dnnl::stream stream;
    dnnl::memory plain_source, source, target, plain_target, weights, bias, added, scratchpad;
    void reorder(const dnnl::reorder& primitive, const dnnl::memory& from, const dnnl::memory& to) const;
    void convolve(const dnnl::convolution_forward& primitive) const;
  };
  // Primitives for some images and output channels.
  struct Step {
    int64_t images = 0, filters = 0;
    dnnl::memory::desc source, target, plain_source, plain_target, weights, bias, scratchpad;
    dnnl::convolution_forward convolution;
    dnnl::reorder to_blocked, to_plain;
    size_t source_bytes = 0, target_bytes = 0, scratch_bytes = 0;  // the last with the other two
  };
  // What is computed between two looks at the run's cancellation.
  struct Chunk {
    int64_t image = 0, images = 0, filter = 0, filters = 0;
    size_t step = 0;
    size_t weights = 0;  // bytes before its own
    Job job = {};
  };
  // What one thread does: chunks, one after the other in the same scratch.
  struct Part {
    size_t first = 0, count = 0;
    size_t scratch = 0;
  };
  // Blocking of a range of input channels of one image.
  struct Load {
    int64_t channels = 0;
    dnnl::memory::desc from, to;
    dnnl::reorder reorder;
  };
  struct LoadItem {
    int64_t image = 0, channel = 0;
    size_t load = 0;
    Job job;
  };

  void turn_axes();
  void split(int parts);
  void plan_loads(int parts);
  void add_part(const Chunk& range, int64_t filter_unit);
  size_t add_chunk(Chunk chunk);
  Step make_step(int64_t images, int64_t filters) const;
  dnnl::primitive_attr attributes(const Step& step) const;
  Job make_job(const Step& step) const;
  void load_source(RunContext& context, const float* x, float* blocked) const;
  void run_chunk(const Chunk& chunk, const ConvolutionArrays& arrays, char* scratch) const;
  int64_t source_offset(int64_t image, int64_t channel) const;
  int64_t target_offset(int64_t image, int64_t channel) const;

  ConvolutionWeights weights_;
  int64_t batch_, in_channels_, in_size_, out_size_, out_channels_;
  std::vector<int64_t> in_, out_, strides_, dilations_, pad_begin_, pad_end_;
  ConvolutionForm form_;
  bool shared_source_ = false;                                   // all parts read one blocked copy of the input
  int64_t blocked_source_image_ = 0, blocked_target_image_ = 0;  // elements of an image
  size_t scratch_ = 0;
  std::vector<Load> loads_;  // by number of channels
  std::vector<LoadItem> load_items_;
  std::vector<Step> steps_;
  std::vector<Chunk> chunks_;
  std::vector<Part> parts_;
};

}  // namespace onnxrun::cpu::onednn

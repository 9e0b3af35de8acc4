// Layouts of oneDNN's convolutions: weights packed once, activations blocked by channels.
#pragma once

#include <string>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/onednn/single_thread.h"

namespace onnxrun::cpu::onednn {

// Channels of a block of the layouts.
int64_t block();
// The layouts of activations along `axes` axes.
dnnl::memory::format_tag blocked_tag(size_t axes);
dnnl::memory::format_tag plain_tag(size_t axes);
// One axis is taken as the second of two.
std::vector<int64_t> at_least_two(std::vector<int64_t> values, int64_t fill);

// The weights as oneDNN's kernels want them: a layout that depends only on their own shape. Parts of the output channels (or groups) are
// adjacent in it.
struct ConvolutionWeights {
  int64_t groups = 1, filters = 0, channels = 0;  // of the whole convolution; channels of one group
  std::vector<int64_t> kernel;                    // two or three axes
  bool depthwise = false;                         // one channel and one filter a group
  bool plain_input = false;                       // few channels: the input is taken as it is
  dnnl::memory::desc packed;

  // Why these weights are not for oneDNN; empty when they are.
  static std::string refuse(const onnxrun_tensor& weights, int64_t groups);
  ConvolutionWeights(const onnxrun_tensor& weights, int64_t groups);

  dnnl::memory::dims dims(int64_t part_filters) const;  // of `part_filters` output channels
  dnnl::memory::desc part(int64_t part_filters) const;  // packed
  size_t offset(int64_t filter) const;                  // bytes before output channel `filter`
  void pack(const float* from, void* to) const;
  void turn_axes();  // the last axis, where the kernel is 1, becomes the first; the packed bytes stay as they are

 private:
  dnnl::memory::format_tag tag() const;
};

}  // namespace onnxrun::cpu::onednn

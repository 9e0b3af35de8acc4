// Convolutions and transposed convolutions by cuDNN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/dtype.h"
#include "base/shape.h"
#include "cuda/host/stream.h"

namespace onnxrun::cuda {

// Of two or three spatial axes; pads are the same on both sides.
struct ConvolutionShape {
  base::Dims x, w, y;  // [n, c, ...], [m, c / groups, ...], [n, m, ...]
  base::Dims pads, strides, dilations;
  int64_t groups = 1;
};

// A convolution of one shape, forward or transposed. Its algorithm is chosen at the first run. Thread-safe.
class Convolution {
 public:
  static constexpr size_t kWorkspace = size_t{64} << 20;  // that algorithms may take

  // float32, float64, float16 or bfloat16.
  static bool serves(base::DType type);
  // Throws Declined for dims beyond cuDNN's range.
  Convolution(base::DType type, int precision, const ConvolutionShape& shape);
  ~Convolution();
  Convolution(Convolution&&) noexcept;

  // `workspace` is of kWorkspace bytes.
  void forward(Stream& stream, const void* x, const void* w, void* y, void* workspace) const;
  // With a bias for each channel, `added` (of y's shape, or null) and Relu in the same pass; false, and nothing done, where cuDNN has not got that.
  bool forward_relu(Stream& stream, const void* x, const void* w, const void* bias, const void* added, void* y,
                    void* workspace) const;
  // From y back to x: what ONNX calls ConvTranspose of y.
  void transposed(Stream& stream, const void* y, const void* w, void* x, void* workspace) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace onnxrun::cuda

// Reductions, softmax and normalisations: kernels in which a block takes a row.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// y[row] = the elements that `inner` walks from where `outer` puts the row's first one. `scratch` has piece_bytes(elements of x), of row_pieces.h.
using ReduceLaunch = void (*)(const Queue& queue, const Axes<1>& outer, const Axes<1>& inner, const void* x, void* y,
                              void* scratch);
// By the name after "Reduce"; null where there is no kernel for this type.
ReduceLaunch find_reduction(std::string_view name, base::DType type);
// The index of the largest or smallest element, of equal ones the first or the last.
using ArgLaunch = void (*)(const Queue& queue, const Axes<1>& outer, int64_t size, int64_t step, bool last,
                           const void* x, int64_t* y, void* scratch);
ArgLaunch find_arg(bool largest, base::DType type);

// Rows of `size` elements `step` apart: row r starts at r / step * size * step + r % step.
struct Rows {
  int64_t count = 0, size = 0, step = 1;
};
// Softmax, LogSoftmax.
using SoftmaxLaunch = void (*)(const Queue& queue, const Rows& rows, const void* x, void* y);
SoftmaxLaunch find_softmax(std::string_view op, base::DType type);
// x / (sum |x|^p)^(1/p) for p 1 or 2; a row of norm 0 stays.
using LpNormalLaunch = void (*)(const Queue& queue, const Rows& rows, int p, const void* x, void* y);
LpNormalLaunch find_lp_normalization(base::DType type);

// (x - mean) / sqrt(variance + epsilon) * scale + bias over contiguous rows. Parameters are walked with the whole tensor, or, where `period` is
// not 0, one element serves a row: that of index row % period.
struct Normalization {
  int64_t count = 0, size = 0;
  float epsilon = 0;
  bool centred = true;
  base::DType y_type = base::DType::kNone;  // a float type; kNone: that of x
  const void* scale = nullptr;
  const void* bias = nullptr;
  base::DType scale_type = base::DType::kFloat32, bias_type = base::DType::kFloat32;
  Axes<2> parameters;
  int64_t period = 0;
  // Statistics of each row, or null.
  void* mean = nullptr;
  void* factor = nullptr;
  base::DType statistics_type = base::DType::kFloat32;
};
using NormalizationLaunch = void (*)(const Queue& queue, const Normalization& how, const void* x, void* y);
NormalizationLaunch find_normalization(base::DType type);

// BatchNormalization for inference. Parameters of one element a channel.
struct BatchNorm {
  int64_t count = 0, channels = 1, plane = 1;
  float epsilon = 0;
  const void* scale = nullptr;
  const void* bias = nullptr;
  const void* mean = nullptr;
  const void* variance = nullptr;
  base::DType scale_type = base::DType::kFloat32, mean_type = base::DType::kFloat32;
};
using BatchNormLaunch = void (*)(const Queue& queue, const BatchNorm& how, const void* x, void* y);
BatchNormLaunch find_batch_norm(base::DType type);

// The same in training: mean and variance are those of the batch, to which the running ones are moved: running = momentum * before + (1 - momentum)
// * now. Outputs of the running ones may be null; they are of mean_type.
struct BatchTraining {
  float momentum = 0;
  void* mean = nullptr;
  void* variance = nullptr;
};
using BatchTrainLaunch = void (*)(const Queue& queue, const BatchNorm& how, const BatchTraining& training,
                                  const void* x, void* y);
BatchTrainLaunch find_batch_train(base::DType type);

// (x - mean) / (sqrt(variance) + 1e-9) over the elements that `inner` walks from where `outer` puts their first one.
using StandardLaunch = void (*)(const Queue& queue, const Axes<1>& outer, const Axes<1>& inner, const void* x, void* y);
StandardLaunch find_standard(base::DType type);

}  // namespace onnxrun::cuda

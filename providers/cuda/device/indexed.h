// Elements read and written at places that other tensors name.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/axes.h"
#include "cuda/device/queue.h"
#include "cuda/device/report.h"

namespace onnxrun::cuda {

// Indices of int32 or int64; negative ones count from the end, others outside are reported.
struct Indices {
  const void* data = nullptr;
  bool wide = true;  // int64
  Report report;
};

// y[outer, pick, inner] = x[outer, indices[pick], inner]; elements of `bytes` bytes.
struct Gather {
  int64_t outer = 1, size = 1, inner = 1, picks = 1;
};
void launch_gather(const Queue& queue, const Gather& how, int bytes, const Indices& indices, const void* x, void* y);

// For every element of the index tensor a place in the data: where `axes` puts it, moved along the axis of `size` elements, `step` apart, by the
// index.
struct Along {
  Axes<1> axes;
  int64_t size = 1, step = 1;
};
void launch_gather_elements(const Queue& queue, const Along& how, int bytes, const Indices& indices, const void* x,
                            void* y);

// For every tuple of `length` indices a slice of the data: in batches of `per_batch` tuples and `batch_size` elements.
struct Tuples {
  int length = 0;
  int64_t dims[kMaxAxes];  // that the indices of a tuple are for
  int64_t count = 0, per_batch = 1, batch_size = 0, slice = 1;
};
void launch_gather_nd(const Queue& queue, const Tuples& how, int bytes, const Indices& indices, const void* x, void* y);

enum class Combination { kReplace, kAdd, kMul, kMax, kMin };
// y[place] = y[place] combined with the update. Of several updates of one place that replace, any stays.
using ScatterElementsLaunch = void (*)(const Queue& queue, const Along& how, const Indices& indices,
                                       const void* updates, void* y);
using ScatterNdLaunch = void (*)(const Queue& queue, const Tuples& how, const Indices& indices, const void* updates,
                                 void* y);
// Null where there is no kernel for this type.
ScatterElementsLaunch find_scatter_elements(Combination combination, base::DType type);
ScatterNdLaunch find_scatter_nd(Combination combination, base::DType type);

// y[outer, depth, inner]: on where the index of (outer, inner) is the depth, off elsewhere. values: off, on. Indices outside are nowhere.
void launch_one_hot(const Queue& queue, int64_t outer, int64_t depth, int64_t inner, int bytes, base::DType index_type,
                    const void* indices, const void* values, void* y);
bool has_one_hot(base::DType index_type);

}  // namespace onnxrun::cuda

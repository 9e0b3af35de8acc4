// Random numbers by counter, the same as the CPU provider's.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// A key and a stream of base::philox.
struct Generator {
  uint64_t key = 0, stream = 0;
};

// Whether random numbers can be written as, and probabilities read from, this type.
bool has_random(base::DType type);

// y[i] = offset + factor * a number in [0, 1), or one of the standard normal distribution.
void launch_random(const Queue& queue, Generator generator, bool normal, double offset, double factor, base::DType type,
                   void* y, int64_t count);

// y[i] = 1 with the probability x[i], else 0.
void launch_bernoulli(const Queue& queue, Generator generator, base::DType x_type, const void* x, base::DType y_type,
                      void* y, int64_t count);

// y[row, sample]: a class, drawn by the unnormalised logarithms of probabilities x[row, class].
struct Draw {
  int64_t rows = 0, classes = 0, samples = 0;
};
void launch_multinomial(const Queue& queue, Generator generator, const Draw& how, base::DType x_type, const void* x,
                        base::DType y_type, void* y);

// y[i] = x[i] * factor where kept[i] is not 0, else 0; computed in double for float64, else in float. Float types only.
void launch_drop(const Queue& queue, base::DType type, const uint8_t* kept, double factor, const void* x, void* y,
                 int64_t count);

}  // namespace onnxrun::cuda

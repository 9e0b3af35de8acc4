// Discrete Fourier transforms of many rows at once, for DFT and STFT.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// Where the elements of rows lie: element k of row r at ((r / per) * outer + r % per * inner + k * step) * parts. An element has `parts` numbers.
struct RowPlaces {
  int64_t per = 1, outer = 0, inner = 0, step = 1, parts = 1;
};

// Rows of `length` elements are transformed in `padded`: equal to the length where that is a product of primes up to 31, otherwise a power of 2 at
// least twice as long, for a transform by a convolution with a chirp (Bluestein, 1970).
struct FourierRows {
  int64_t rows = 0, length = 1, padded = 1;
  bool inverse = false;                      // then divided by the length
  bool wide = false;                         // computed in double
  base::DType type = base::DType::kFloat32;  // of what is read and written
  RowPlaces from;
  int64_t given = 0;    // elements a row has; those beyond are 0
  bool halved = false;  // what is given is half of a spectrum whose other half is its conjugate, and the result is real
  const void* window = nullptr;  // a factor for each element, or null
  RowPlaces to;
  int64_t kept = 0;  // elements written
};
int64_t padded_length(int64_t length);
// Of scratch memory, for rows up to this padded length.
int64_t fourier_bytes(int64_t rows, int64_t padded, bool wide);

void launch_fourier(const Queue& queue, const FourierRows& how, const void* x, void* y, void* scratch);

}  // namespace onnxrun::cuda

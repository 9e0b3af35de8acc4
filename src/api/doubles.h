// Elements of tensors as doubles.
#pragma once

#include <algorithm>
#include <span>

#include "base/tensor.h"

namespace onnxrun::api {

// Elements [first, first + count) of a tensor that holds no strings; two numbers for a complex one.
void read_doubles(const base::Tensor& tensor, int64_t first, int64_t count, double* out);

// Calls f(std::span<const double>) for the elements of a tensor of real numbers, piece by piece, so that they take no memory to speak of.
template <class F>
void each_double(const base::Tensor& tensor, F&& f) {
  constexpr int64_t kPiece = 4096;
  double numbers[kPiece];
  for (int64_t first = 0; first < tensor.count(); first += kPiece) {
    const int64_t count = std::min(kPiece, tensor.count() - first);
    read_doubles(tensor, first, count, numbers);
    f(std::span<const double>(numbers, static_cast<size_t>(count)));
  }
}

}  // namespace onnxrun::api

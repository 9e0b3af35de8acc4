// The elements of large tensors as doubles, piece by piece, so that looking at a result takes no memory to speak of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <onnxrun/onnxrun.hpp>
#include <span>
#include <vector>

namespace cli {

// Elements [first, first + count) as Tensor::doubles gives them; `first` is a multiple of 8, so that it begins a byte in packed types.
inline std::vector<double> some_doubles(const onnxrun::Tensor& tensor, int64_t first, int64_t count) {
  if (count == tensor.count()) return tensor.doubles();
  const auto bytes = tensor.bytes();
  const size_t bits = bytes.size() * 8 / static_cast<size_t>(tensor.count());
  const auto part = bytes.subspan(static_cast<size_t>(first) * bits / 8, (static_cast<size_t>(count) * bits + 7) / 8);
  onnxrun_value* made = nullptr;
  onnxrun::detail::check(onnxrun::api().value_wrap_tensor(
      tensor.dtype(), &count, 1, const_cast<std::byte*>(part.data()), part.size(), 0, nullptr, nullptr, &made));
  return onnxrun::Tensor(onnxrun::Value(made)).doubles();
}

// Calls f(number) for each, in order; two for a complex element.
template <class F>
void each_double(const onnxrun::Tensor& tensor, F&& f) {
  constexpr int64_t kPiece = int64_t{1} << 16;
  for (int64_t first = 0; first < tensor.count(); first += kPiece)
    for (const double number : some_doubles(tensor, first, std::min(kPiece, tensor.count() - first))) f(number);
}

}  // namespace cli

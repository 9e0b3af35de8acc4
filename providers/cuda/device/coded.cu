// Codes to values and back.
#include "cuda/device/coded.h"

#include "cuda/device/code.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

__global__ void decode(int bits, const float* table, const uint8_t* x, float* y, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step()) y[i] = table[code_at(x, bits, i)];
}

__device__ float odd(double value) {
  const float nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || value != value) return nearest;
  int word = __float_as_int(nearest);
  // Back towards 0 where the rounding went away from it, also from infinity.
  const double size = value < 0 ? -value : value;
  if ((nearest < 0 ? -static_cast<double>(nearest) : static_cast<double>(nearest)) > size) --word;
  return __int_as_float(word | 1);
}
// Through double, which is made odd itself where it is too narrow.
__device__ float odd(uint64_t size, bool negative) {
  const uint64_t kept = size >> 11 == 0 ? size : (size & ~uint64_t{0x7ff}) | ((size & 0x7ff) != 0 ? 0x800 : 0);
  const float result = odd(static_cast<double>(kept));
  return negative ? -result : result;
}

template <class T>
__global__ void make_odd(const T* x, float* y, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step()) {
    if constexpr (std::is_floating_point_v<T>) y[i] = odd(static_cast<double>(x[i]));
    else if constexpr (std::is_signed_v<T>)
      y[i] = odd(x[i] < 0 ? uint64_t{0} - static_cast<uint64_t>(x[i]) : static_cast<uint64_t>(x[i]), x[i] < 0);
    else y[i] = odd(static_cast<uint64_t>(x[i]), false);
  }
}
template <class T>
void launch_odd(const Queue& queue, const void* x, float* y, int64_t count) {
  if (count == 0) return;
  launch(queue, make_odd<T>, blocks_for(count), kThreads, static_cast<const T*>(x), y, count);
}

// Whole numbers in the order of the floats, -0 before 0.
__device__ int ordered(float value) {
  const int word = __float_as_int(value);
  return word < 0 ? static_cast<int>(0x80000000u - 1u - static_cast<unsigned>(word)) : word;
}

__global__ void encode(Encoding encoding, const float* x, uint8_t* y, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step()) {
    if (x[i] != x[i]) {
      y[i] = encoding.nan;
      continue;
    }
    const int value = ordered(x[i]);
    int first = 0, last = encoding.count - 1;  // the answer is in [first, last]
    while (first < last) {
      const int middle = (first + last + 1) / 2;
      if (ordered(encoding.lows[middle]) <= value) first = middle;
      else last = middle - 1;
    }
    y[i] = encoding.codes[first];
  }
}

// A thread a byte of the result.
__global__ void pack(int bits, const uint8_t* x, uint8_t* y, int64_t count, int64_t bytes) {
  for (int64_t at = first_item(); at < bytes; at += item_step()) {
    unsigned byte = 0;
    for (int bit = 0; bit < 8; ++bit) {
      const int64_t place = at * 8 + bit;
      const int64_t i = place / bits;
      if (i < count) byte |= (x[i] >> place % bits & 1u) << bit;
    }
    y[at] = static_cast<uint8_t>(byte);
  }
}

}  // namespace

void launch_decode(const Queue& queue, int bits, const float* table, const uint8_t* x, float* y, int64_t count) {
  if (count > 0) launch(queue, decode, blocks_for(count), kThreads, bits, table, x, y, count);
}

OddLaunch find_odd(DType type) {
  OddLaunch result = nullptr;
  with_element(Elements<double, int32_t, int64_t, uint32_t, uint64_t>{}, type,
               [&]<class T>(std::type_identity<T>) { result = launch_odd<T>; });
  return result;
}

void launch_encode(const Queue& queue, const Encoding& encoding, const float* x, uint8_t* y, int64_t count) {
  if (count > 0) launch(queue, encode, blocks_for(count), kThreads, encoding, x, y, count);
}

void launch_pack(const Queue& queue, int bits, const uint8_t* x, uint8_t* y, int64_t count) {
  const int64_t bytes = (count * bits + 7) / 8;
  if (count > 0) launch(queue, pack, blocks_for(bytes), kThreads, bits, x, y, count, bytes);
}

}  // namespace onnxrun::cuda

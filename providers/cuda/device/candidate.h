// Candidate: an element of a row as a number that orders it among the others, and sorting such numbers within a block.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda/device/element.h"

namespace onnxrun::cuda {

// An element as a number that is the greater the earlier the element comes: its key, then, of equal keys, its place.
template <class T>
using KeyOf = std::conditional_t<sizeof(WorkOf<T>) <= 4, uint32_t, uint64_t>;
template <class Key>
struct Candidate {
  static constexpr int kKeyDigits = sizeof(Key), kDigits = kKeyDigits + 4;  // of 8 bits
  Key key;
  uint32_t rest;  // the place's complement

  __device__ static int shift(int digit) {
    return 8 * (digit < kKeyDigits ? kKeyDigits - 1 - digit : kDigits - 1 - digit);
  }
  __device__ unsigned digit(int n) const {
    return static_cast<unsigned>((n < kKeyDigits ? key >> shift(n) : static_cast<Key>(rest >> shift(n))) & 255u);
  }
  __device__ void set_digit(int n, unsigned value) {
    if (n < kKeyDigits) key |= static_cast<Key>(value) << shift(n);
    else rest |= value << shift(n);
  }
  // By the first n digits, the others being none.
  __device__ bool is_below(const Candidate& other, int n) const {
    if (n <= kKeyDigits) return n > 0 && key >> shift(n - 1) < other.key >> shift(n - 1);
    return key < other.key || (key == other.key && rest >> shift(n - 1) < other.rest >> shift(n - 1));
  }
  __device__ bool has_same(const Candidate& other, int n) const {
    if (n <= kKeyDigits) return n == 0 || key >> shift(n - 1) == other.key >> shift(n - 1);
    return key == other.key && rest >> shift(n - 1) == other.rest >> shift(n - 1);
  }
};

template <class W>
__device__ auto key_of(W value, bool largest) {
  using Key = KeyOf<W>;
  constexpr Key kSign = Key(1) << (8 * sizeof(Key) - 1);
  Key key;
  if constexpr (std::is_floating_point_v<W>) {
    Key bits;
    if constexpr (sizeof(W) == 4) bits = static_cast<Key>(__float_as_int(value));
    else bits = static_cast<Key>(__double_as_longlong(value));
    key = value != value ? ~Key(0) : value == W(0) ? kSign : (bits & kSign) != 0 ? ~bits : bits | kSign;
  } else if constexpr (std::is_signed_v<W>) {
    key = static_cast<Key>(static_cast<std::make_signed_t<Key>>(value)) ^ kSign;
  } else {
    key = value;
  }
  return largest ? key : static_cast<Key>(~key);
}

// One step of a bitonic sort to descending numbers in runs of `size`: candidate i, at `at` of the whole, and the one `step` behind it.
template <class Key>
__device__ void order_pair(Candidate<Key>& a, Candidate<Key>& b, int64_t at, int64_t size) {
  const bool ascends = (at & size) != 0;
  if (!(ascends ? b.is_below(a, Candidate<Key>::kDigits) : a.is_below(b, Candidate<Key>::kDigits))) return;
  const Candidate<Key> first = a;
  a = b;
  b = first;
}

// The steps from `step` down of the runs of `size`, for n candidates, a power of two, that begin at `at` of the whole. All threads of the block must call.
template <class Key>
__device__ void merge_in_block(Candidate<Key>* all, unsigned n, int64_t at, int64_t size, unsigned step) {
  for (; step > 0; step /= 2) {
    for (unsigned t = threadIdx.x; t < n / 2; t += blockDim.x) {
      const unsigned i = t / step * step * 2 + t % step;
      order_pair(all[i], all[i + step], at + i, size);
    }
    __syncthreads();
  }
}

// Sorts n candidates, a power of two, that begin at `at` of the whole, by descending numbers; where `at` has n's bit, by ascending ones. All threads of
// the block must call.
template <class Key>
__device__ void sort_in_block(Candidate<Key>* all, unsigned n, int64_t at = 0) {
  for (unsigned size = 2; size <= n; size *= 2) merge_in_block(all, n, at, size, size / 2);
}

}  // namespace onnxrun::cuda

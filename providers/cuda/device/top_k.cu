// TopK, a block a row: a few elements are found one after the other, more of them by their digits and then sorted.
#include <type_traits>

#include "cuda/device/block.h"
#include "cuda/device/launch.h"
#include "cuda/device/row_order.h"
#include "cuda/device/select.h"

namespace onnxrun::cuda {
namespace {

// Finds the elements one after the other: each time the first of those that come after the last one found.
template <class T>
__global__ void find_in_turn(const T* x, T* values, int64_t* indices, Rows rows, int64_t k, bool largest) {
  for (int64_t row = blockIdx.x; row < rows.count; row += gridDim.x) {
    const T* from = x + first_of_row(rows, row, rows.size);
    const int64_t to = first_of_row(rows, row, k);
    int64_t last = -1;
    for (int64_t n = 0; n < k; ++n) {
      int64_t best = -1;
      for (int64_t i = threadIdx.x; i < rows.size; i += blockDim.x) {
        if (last >= 0 && !comes_before(from, rows.step, largest, last, i)) continue;
        if (best < 0 || comes_before(from, rows.step, largest, i, best)) best = i;
      }
      best = combine_block(best, int64_t{-1}, [=](int64_t i, int64_t j) {
        if (i < 0 || j < 0) return i < 0 ? j : i;
        return i != j && comes_before(from, rows.step, largest, j, i) ? j : i;
      });
      last = best;
      if (threadIdx.x != 0) continue;
      if (values != nullptr) values[to + n * rows.step] = from[best * rows.step];
      if (indices != nullptr) indices[to + n * rows.step] = best;
    }
  }
}

constexpr unsigned kMaxSorted = 2048;

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

// Sorts n candidates, a power of two, by descending numbers. All threads must call.
template <class Key>
__device__ void sort_block(Candidate<Key>* all, unsigned n) {
  for (unsigned size = 2; size <= n; size *= 2)
    for (unsigned step = size / 2; step > 0; step /= 2) {
      for (unsigned t = threadIdx.x; t < n / 2; t += blockDim.x) {
        const unsigned i = t / step * step * 2 + t % step, j = i + step;
        const Candidate<Key> a = all[i], b = all[j];
        const bool ascends = (i & size) != 0;
        if (ascends ? b.is_below(a, Candidate<Key>::kDigits) : a.is_below(b, Candidate<Key>::kDigits))
          all[i] = b, all[j] = a;
      }
      __syncthreads();
    }
}

// Finds the digits of the k-th element from the first on, as many as tell it from the next; then collects and sorts the k elements.
template <class T>
__global__ void __launch_bounds__(kMaxRowThreads)
    find_by_digits(const T* x, T* values, int64_t* indices, Rows rows, unsigned k, bool largest) {
  using Key = KeyOf<T>;
  using Element = Candidate<Key>;
  constexpr unsigned kBins = 256;
  __shared__ uint32_t bins[kBins];
  __shared__ struct {
    uint32_t digit, wanted, count;  // the digit, how many elements that have it are wanted, and how many there are
  } chosen;
  __shared__ uint32_t taken;
  __shared__ Element found[kMaxSorted];
  unsigned sorted = 1;
  while (sorted < k) sorted *= 2;
  for (int64_t row = blockIdx.x; row < rows.count; row += gridDim.x) {
    const T* from = x + first_of_row(rows, row, rows.size);
    const auto each = [&](auto f) {
      each_of_row(from, rows.step, rows.size, [&](WorkOf<T> value, int64_t i, int) {
        f(Element{key_of(value, largest), ~static_cast<uint32_t>(i)});
      });
    };
    Element last{0, 0};
    uint32_t wanted = k;
    int digits = 0;
    for (bool whole = false; !whole && digits < Element::kDigits; ++digits) {
      for (unsigned bin = threadIdx.x; bin < kBins; bin += blockDim.x) bins[bin] = 0;
      __syncthreads();
      each([&](const Element& e) {
        if (e.has_same(last, digits)) atomicAdd(&bins[e.digit(digits)], 1u);
      });
      __syncthreads();
      for (unsigned bin = threadIdx.x; bin < kBins; bin += blockDim.x) {
        uint32_t before = 0;
        for (unsigned b = kBins - 1; b > bin; --b) before += bins[b];
        if (before < wanted && wanted <= before + bins[bin]) chosen = {bin, wanted - before, bins[bin]};
      }
      __syncthreads();
      last.set_digit(digits, chosen.digit);
      wanted = chosen.wanted;
      whole = chosen.count == wanted;
    }
    if (threadIdx.x == 0) taken = 0;
    for (unsigned i = k + threadIdx.x; i < sorted; i += blockDim.x) found[i] = {0, 0};
    __syncthreads();
    each([&](const Element& e) {
      if (!e.is_below(last, digits)) found[atomicAdd(&taken, 1u)] = e;
    });
    __syncthreads();
    sort_block(found, sorted);
    const int64_t to = first_of_row(rows, row, k);
    for (unsigned n = threadIdx.x; n < k; n += blockDim.x) {
      const int64_t i = static_cast<uint32_t>(~found[n].rest);
      if (values != nullptr) values[to + n * rows.step] = from[i * rows.step];
      if (indices != nullptr) indices[to + n * rows.step] = i;
    }
    __syncthreads();  // before the next row's
  }
}

template <class T>
void launch_top_k(const Queue& queue, const Rows& rows, int64_t k, bool largest, const void* x, void* values,
                  int64_t* indices) {
  if (rows.count == 0 || k == 0) return;
  const auto* from = static_cast<const T*>(x);
  auto* to = static_cast<T*>(values);
  if (k > 8 && k <= kMaxSorted && rows.size < kNarrow)
    launch(queue, find_by_digits<T>, blocks_for_rows(rows.count), rows.size <= 1024 ? 128u : 512u, from, to, indices,
           rows, static_cast<unsigned>(k), largest);
  else
    launch(queue, find_in_turn<T>, blocks_for_rows(rows.count), threads_for_row(rows.size), from, to, indices, rows, k,
           largest);
}

}  // namespace

TopKLaunch find_top_k(DType type) {
  TopKLaunch result = nullptr;
  with_element(NumberElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_top_k<T>; });
  return result;
}

}  // namespace onnxrun::cuda

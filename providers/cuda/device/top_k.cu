// TopK, a block a row: a few elements are found one after the other, more of them by their digits and then sorted.
#include "cuda/device/block.h"
#include "cuda/device/candidate.h"
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

constexpr int64_t kFew = 8;  // that many are found in turn
constexpr auto kMaxSorted = static_cast<unsigned>(kMostInBlock);

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
    sort_in_block(found, sorted);
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
void launch_top_k(const Queue& queue, const Rows& rows, int64_t k, bool largest, const void* x, void* /*scratch*/,
                  void* values, int64_t* indices) {
  if (rows.count == 0 || k == 0) return;
  const auto* from = static_cast<const T*>(x);
  auto* to = static_cast<T*>(values);
  if (k > kFew && k <= kMaxSorted && rows.size < kNarrow)
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

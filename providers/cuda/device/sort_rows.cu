// TopK by sorting whole rows, a bitonic sort: tiles in shared memory, and steps that go beyond a tile in global memory.
#include <algorithm>

#include "cuda/device/candidate.h"
#include "cuda/device/launch.h"
#include "cuda/device/row_order.h"
#include "cuda/device/select.h"

namespace onnxrun::cuda {
namespace {

constexpr unsigned kTile = 2048;
constexpr unsigned kTileThreads = 512;
constexpr size_t kScratch = size_t{64} << 20;  // for more rows than fit in it, the sort runs several times

int64_t padded_size(int64_t size) {
  int64_t padded = kTile;
  while (padded < size) padded *= 2;
  return padded;
}

// Rows that are sorted at once.
int64_t rows_at_once(const Rows& rows, size_t candidate_bytes) {
  const auto fitting = static_cast<int64_t>(kScratch / candidate_bytes) / padded_size(rows.size);
  return std::clamp<int64_t>(fitting, 1, std::max<int64_t>(rows.count, 1));
}

// Candidates of `count` rows from row `first` on; those that pad a row come last.
template <class T>
__global__ void read_candidates(const T* x, Rows rows, int64_t first, int64_t count, int64_t padded, bool largest,
                                Candidate<KeyOf<T>>* all) {
  for (int64_t item = first_item(); item < count * padded; item += item_step()) {
    const int64_t i = item % padded;
    Candidate<KeyOf<T>> candidate{0, 0};
    if (i < rows.size) {
      const T* from = x + first_of_row(rows, first + item / padded, rows.size);
      candidate = {key_of(widen(from[i * rows.step]), largest), ~static_cast<uint32_t>(i)};
    }
    all[item] = candidate;
  }
}

// Sorts each tile (size 0), or finishes the steps of the runs of `size` within each.
template <class Key>
__global__ void __launch_bounds__(kTileThreads)
    order_tiles(Candidate<Key>* all, int64_t tiles, int64_t padded, int64_t size) {
  __shared__ Candidate<Key> tile[kTile];
  for (int64_t n = blockIdx.x; n < tiles; n += gridDim.x) {
    Candidate<Key>* const own = all + n * kTile;
    const int64_t at = n * kTile % padded;
    for (unsigned i = threadIdx.x; i < kTile; i += blockDim.x) tile[i] = own[i];
    __syncthreads();
    if (size == 0) sort_in_block(tile, kTile, at);
    else merge_in_block(tile, kTile, at, size, kTile / 2);
    for (unsigned i = threadIdx.x; i < kTile; i += blockDim.x) own[i] = tile[i];
    __syncthreads();  // before the next tile is read
  }
}

// One step of the runs of `size`, between elements of different tiles.
template <class Key>
__global__ void order_far(Candidate<Key>* all, int64_t pairs, int64_t padded, int64_t size, int64_t step) {
  for (int64_t t = first_item(); t < pairs; t += item_step()) {
    const int64_t i = t / step * step * 2 + t % step;
    order_pair(all[i], all[i + step], i % padded, size);
  }
}

template <class T>
__global__ void write_first(const T* x, Rows rows, int64_t first, int64_t count, int64_t padded, int64_t k,
                            const Candidate<KeyOf<T>>* all, T* values, int64_t* indices) {
  for (int64_t item = first_item(); item < count * k; item += item_step()) {
    const int64_t row = item / k, n = item % k;
    const int64_t i = static_cast<uint32_t>(~all[row * padded + n].rest);
    const int64_t to = first_of_row(rows, first + row, k) + n * rows.step;
    if (values != nullptr) values[to] = x[first_of_row(rows, first + row, rows.size) + i * rows.step];
    if (indices != nullptr) indices[to] = i;
  }
}

template <class T>
void launch_row_sort(const Queue& queue, const Rows& rows, int64_t k, bool largest, const void* x, void* scratch,
                     void* values, int64_t* indices) {
  using Key = KeyOf<T>;
  const auto* from = static_cast<const T*>(x);
  auto* const all = static_cast<Candidate<Key>*>(scratch);
  const int64_t padded = padded_size(rows.size), batch = rows_at_once(rows, sizeof(Candidate<Key>));
  for (int64_t first = 0; first < rows.count; first += batch) {
    const int64_t count = std::min(batch, rows.count - first), items = count * padded, tiles = items / kTile;
    const dim3 blocks(static_cast<unsigned>(std::min<int64_t>(tiles, 65536)));
    launch(queue, read_candidates<T>, blocks_for(items), kThreads, from, rows, first, count, padded, largest, all);
    launch(queue, order_tiles<Key>, blocks, kTileThreads, all, tiles, padded, 0);
    for (int64_t size = int64_t{kTile} * 2; size <= padded; size *= 2) {
      for (int64_t step = size / 2; step >= kTile; step /= 2)
        launch(queue, order_far<Key>, blocks_for(items / 2), kThreads, all, items / 2, padded, size, step);
      launch(queue, order_tiles<Key>, blocks, kTileThreads, all, tiles, padded, size);
    }
    launch(queue, write_first<T>, blocks_for(count * k), kThreads, from, rows, first, count, padded, k, all,
           static_cast<T*>(values), indices);
  }
}

}  // namespace

TopKLaunch find_row_sort(DType type) {
  TopKLaunch result = nullptr;
  with_element(NumberElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_row_sort<T>; });
  return result;
}

size_t sort_scratch(DType type, const Rows& rows) {
  size_t bytes = 0;
  with_element(NumberElements{}, type, [&]<class T>(std::type_identity<T>) {
    bytes = static_cast<size_t>(rows_at_once(rows, sizeof(Candidate<KeyOf<T>>)) * padded_size(rows.size)) *
            sizeof(Candidate<KeyOf<T>>);
  });
  return bytes;
}

}  // namespace onnxrun::cuda

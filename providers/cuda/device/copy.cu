// Strided copies, fills, and what ends a convolution.
#include "cuda/device/copy.h"

#include <cstring>

#include "cuda/device/bytes.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"
#include "cuda/device/pack.h"

namespace onnxrun::cuda {
namespace {

template <class T>
__global__ void copy_run(const T* __restrict__ from, T* __restrict__ to, int64_t count, int64_t from_step,
                         int64_t to_step) {
  for (int64_t i = first_item(); i < count; i += item_step()) to[i * to_step] = from[i * from_step];
}

template <class T>
__global__ void copy_strided(const T* __restrict__ from, T* __restrict__ to, Walk<2> walk) {
  for (int64_t i = first_item(); i < walk.count(); i += item_step()) {
    int64_t at[2];
    walk.offsets(i, at);
    to[at[1]] = from[at[0]];
  }
}

// Matrices whose rows are contiguous in `from`, written as columns.
struct Transposition {
  Walk<2> matrices;
  int64_t rows, columns;       // of what is written
  int64_t from_step, to_step;  // from column to column in `from`, from row to row in `to`
  int64_t tiles;
  Divisor down, along;  // tiles of a matrix
};
constexpr int kTile = 32, kTileLines = 8;

template <class T>
__global__ void transpose(const T* __restrict__ from, T* __restrict__ to, Transposition how) {
  __shared__ T tile[kTile][kTile + 1];
  for (int64_t t = blockIdx.x; t < how.tiles; t += gridDim.x) {
    int64_t row, column, at[2];
    how.matrices.offsets(how.down.divide(how.along.divide(t, column), row), at);
    row *= kTile, column *= kTile;
    for (int n = static_cast<int>(threadIdx.y); n < kTile; n += kTileLines)
      if (row + threadIdx.x < how.rows && column + n < how.columns)
        tile[n][threadIdx.x] = from[at[0] + (column + n) * how.from_step + row + threadIdx.x];
    __syncthreads();
    for (int n = static_cast<int>(threadIdx.y); n < kTile; n += kTileLines)
      if (row + n < how.rows && column + threadIdx.x < how.columns)
        to[at[1] + (row + n) * how.to_step + column + threadIdx.x] = tile[threadIdx.x][n];
    __syncthreads();
  }
}

template <class T>
__global__ void fill(T value, T* to, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step()) to[i] = value;
}

// Of the N elements from i on.
template <int N, class T>
__device__ void end_at(const ChannelEnd& end, const Divisor& plane, const Divisor& channels, T* y, int64_t i) {
  using W = WorkOf<T>;
  const T* bias = static_cast<const T*>(end.bias);
  const T* added = static_cast<const T*>(end.added);
  Pack<T, N> values = load_pack<N>(y + i), others = values;
  if (added != nullptr) others = load_pack<N>(added + i);
  int64_t place, c;
  channels.divide(plane.divide(i, place), c);
  W term = bias != nullptr ? static_cast<W>(widen(bias[c])) : W(0);
  for (int n = 0; n < N; ++n) {
    W value = widen(values.at[n]);
    if (bias != nullptr) value += term;
    if (added != nullptr) value += widen(others.at[n]);
    if (end.clamps) {
      if (value < static_cast<W>(end.low)) value = static_cast<W>(end.low);
      if (value > static_cast<W>(end.high)) value = static_cast<W>(end.high);
    }
    values.at[n] = narrow<T>(value);
    if (N == 1 || bias == nullptr || ++place < end.plane) continue;
    place = 0;
    c = c + 1 < end.channels ? c + 1 : 0;
    term = widen(bias[c]);
  }
  store_pack(y + i, values);
}

template <class T>
__global__ void channel_end(ChannelEnd end, Divisor plane, Divisor channels, int64_t packs, T* y) {
  constexpr int N = pack_size(sizeof(T));
  for (int64_t i = first_item(); i < packs; i += item_step()) end_at<N>(end, plane, channels, y, i * N);
  for (int64_t i = packs * N + first_item(); i < end.count; i += item_step()) end_at<1>(end, plane, channels, y, i);
}

// Takes elements in twos as long as all of them lie in such.
void widen_elements(Axes<2>& axes, int& bytes, const void* from, const void* to) {
  if (axes.rank == 0) return;
  const int last = axes.rank - 1;
  const auto addresses = reinterpret_cast<uintptr_t>(from) | reinterpret_cast<uintptr_t>(to);
  const auto in_twos = [&] {
    if (bytes * 2 > kPackBytes || axes.dims[last] % 2 != 0 || addresses % static_cast<uintptr_t>(bytes * 2) != 0)
      return false;
    for (const auto& steps : axes.steps) {
      if (steps[last] != 1) return false;
      for (int d = 0; d < last; ++d)
        if (steps[d] % 2 != 0) return false;
    }
    return true;
  };
  while (in_twos()) {
    bytes *= 2;
    axes.count /= 2;
    axes.dims[last] /= 2;
    for (auto& steps : axes.steps)
      for (int d = 0; d < last; ++d) steps[d] /= 2;
  }
}

// The axis that is contiguous in `from` where the last one is so in `to` alone, and both are long enough for tiles; -1 where there is none.
int transposed_axis(const Axes<2>& axes) {
  constexpr int64_t kLeast = 8;
  const int last = axes.rank - 1;
  if (axes.steps[1][last] != 1 || axes.steps[0][last] < kLeast || axes.dims[last] < kLeast) return -1;
  for (int d = 0; d < last; ++d)
    if (axes.steps[0][d] == 1 && axes.dims[d] >= kLeast) return d;
  return -1;
}

template <class T>
void launch_transposition(const Queue& queue, const Axes<2>& axes, int axis, const T* from, T* to) {
  const int last = axes.rank - 1;
  Axes<2> matrices;
  for (int d = 0; d < last; ++d) {
    if (d == axis) continue;
    matrices.dims[matrices.rank] = axes.dims[d];
    for (int k = 0; k < 2; ++k) matrices.steps[k][matrices.rank] = axes.steps[k][d];
    matrices.count *= axes.dims[d];
    ++matrices.rank;
  }
  const int64_t down = (axes.dims[axis] + kTile - 1) / kTile, along = (axes.dims[last] + kTile - 1) / kTile;
  const int64_t tiles = matrices.count * down * along;
  const Transposition how{Walk<2>(matrices),   axes.dims[axis], axes.dims[last],      axes.steps[0][last],
                          axes.steps[1][axis], tiles,           Divisor(down, tiles), Divisor(along, tiles)};
  launch(queue, transpose<T>, blocks_for(tiles, 1), dim3(kTile, kTileLines), from, to, how);
}

}  // namespace

void launch_copy(const Queue& queue, const Axes<2>& walked, int bytes, const void* from, void* to) {
  if (walked.count == 0) return;
  Axes<2> axes = walked;
  widen_elements(axes, bytes, from, to);
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    const auto* source = static_cast<const T*>(from);
    auto* target = static_cast<T*>(to);
    if (axes.rank <= 1) {
      const int64_t from_step = axes.rank == 0 ? 0 : axes.steps[0][0], to_step = axes.rank == 0 ? 0 : axes.steps[1][0];
      launch(queue, copy_run<T>, blocks_for(axes.count), kThreads, source, target, axes.count, from_step, to_step);
    } else if (const int axis = transposed_axis(axes); axis >= 0) {
      launch_transposition(queue, axes, axis, source, target);
    } else {
      launch(queue, copy_strided<T>, blocks_for(axes.count), kThreads, source, target, Walk<2>(axes));
    }
  });
}

void launch_fill(const Queue& queue, int bytes, const void* value, void* to, int64_t count) {
  if (count == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    T element;
    std::memcpy(&element, value, sizeof(T));
    launch(queue, fill<T>, blocks_for(count), kThreads, element, static_cast<T*>(to), count);
  });
}

void launch_channel_end(const Queue& queue, DType type, const ChannelEnd& end, void* y) {
  if (end.count == 0) return;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) {
    constexpr int kPack = pack_size(sizeof(T));
    auto* to = static_cast<T*>(y);
    const bool in_packs = takes_packs<kPack>(to) && takes_packs<kPack>(static_cast<const T*>(end.added));
    const int64_t packs = in_packs ? end.count / kPack : 0;
    launch(queue, channel_end<T>, blocks_for(packs > 0 ? packs : end.count), kThreads, end,
           Divisor(end.plane, end.count), Divisor(end.channels, end.count), packs, to);
  });
}

}  // namespace onnxrun::cuda

// Attention: a warp a query. Each lane scores one key of a tile of 32, the softmax runs along the tiles, and each lane then owns every 32nd element of
// the result.
#include "cuda/device/attention.h"

#include <cmath>
#include <limits>

#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

constexpr int kWarps = 4;  // of a block
constexpr int kOwned = 8;  // elements of a result that a lane holds at once
constexpr int kChunk = 32 * kOwned;

struct Seen {
  int64_t first, last;
};

// The keys that query i of batch entry b may see by padding, causality, window and the mask's length.
__device__ Seen seen_by(const AttentionWork& w, int64_t b, int64_t i) {
  int64_t valid = w.valid == nullptr ? w.total : w.valid[b];
  if (valid < 0 || valid > w.total) {
    set(w.report);
    valid = 0;
  }
  const int64_t position = i + (w.valid != nullptr ? valid - w.q_length : w.first);
  Seen seen{0, valid};
  const auto at_most = [&](int64_t last) { seen.last = last < seen.last ? last : seen.last; };
  if (w.mask_length > 0) at_most(w.mask_length);
  if (w.causal) at_most(position + 1);
  if (w.right >= 0 && w.right < w.total) at_most(position + w.right + 1);
  if (w.left >= 0 && w.left < w.total && position > w.left) seen.first = position - w.left;
  if (seen.last < 0) seen.last = 0;
  if (seen.first > seen.last) seen.first = seen.last;
  return seen;
}

template <class T>
__device__ const T* row_of(const HeadRows& rows, int64_t b, int64_t h, int64_t i) {
  return static_cast<const T*>(rows.data) + b * rows.batch + h * rows.head + i * rows.position;
}
template <class T>
__device__ const T* key_row(const AttentionWork& w, int64_t b, int64_t h, int64_t j) {
  return j < w.past ? row_of<T>(w.past_k, b, h, j) : row_of<T>(w.k, b, h, j - w.past);
}
template <class T>
__device__ const T* value_row(const AttentionWork& w, int64_t b, int64_t h, int64_t j) {
  return j < w.past ? row_of<T>(w.past_v, b, h, j) : row_of<T>(w.v, b, h, j - w.past);
}

template <class W>
__device__ W masked() {
  return -std::numeric_limits<W>::infinity();
}

// What the mask adds to the score of key j.
template <class W>
__device__ W bias_of(const AttentionWork& w, int64_t b, int64_t h, int64_t i, int64_t j) {
  if (w.mask == nullptr) return W(0);
  const int64_t at = b * w.mask_steps[0] + h * w.mask_steps[1] + i * w.mask_steps[2] + j * w.mask_steps[3];
  switch (w.mask_type) {
    case DType::kBool: return static_cast<const bool*>(w.mask)[at] ? W(0) : masked<W>();
    case DType::kFloat64: return static_cast<W>(static_cast<const double*>(w.mask)[at]);
    case DType::kFloat16: return static_cast<W>(__half2float(static_cast<const __half*>(w.mask)[at]));
    case DType::kBfloat16: return static_cast<W>(__bfloat162float(static_cast<const __nv_bfloat16*>(w.mask)[at]));
    default: return static_cast<W>(static_cast<const float*>(w.mask)[at]);
  }
}

// The score of a key up to a stage; see ScoresLaunch. `shown`: whether the query may see it.
template <class T, class W>
__device__ W score(const AttentionWork& w, const T* q, int64_t b, int64_t h, int64_t i, int64_t j, bool shown,
                   int stage) {
  const T* k = key_row<T>(w, b, h / (w.q_heads / w.kv_heads), j);
  W sum = 0;
  for (int64_t e = 0; e < w.head; ++e) sum += static_cast<W>(widen(q[e])) * static_cast<W>(widen(k[e]));
  sum *= static_cast<W>(w.scale);
  if (stage >= 1 && w.softcap > 0) sum = static_cast<W>(w.softcap) * tanh(sum / static_cast<W>(w.softcap));
  if (stage < 2) return sum;
  if (!shown) return masked<W>();
  const W bias = bias_of<W>(w, b, h, i, j);
  return bias == masked<W>() ? bias : sum + bias;
}

template <class T>
__global__ void attend(AttentionWork w) {
  using W = WorkOf<T>;
  __shared__ W shares[kWarps][32];
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  const int64_t rows = w.batch * w.q_heads * w.q_length;
  for (int64_t row = static_cast<int64_t>(blockIdx.x) * kWarps + warp; row < rows;
       row += static_cast<int64_t>(gridDim.x) * kWarps) {
    const int64_t i = row % w.q_length, h = row / w.q_length % w.q_heads, b = row / w.q_length / w.q_heads;
    const int64_t kv = h / (w.q_heads / w.kv_heads);
    const T* q = row_of<T>(w.q, b, h, i);
    T* y = static_cast<T*>(w.y) + b * w.y_batch + h * w.y_head + i * w.y_position;
    const Seen seen = seen_by(w, b, i);
    for (int64_t chunk = 0; chunk < w.v_head; chunk += kChunk) {
      W result[kOwned] = {};
      W most = masked<W>(), total = 0;
      if (w.sink) {
        most = w.sinks == nullptr ? W(0) : static_cast<W>(widen(static_cast<const T*>(w.sinks)[h]));
        total = 1;
      }
      for (int64_t tile = seen.first; tile < seen.last; tile += 32) {
        const int64_t j = tile + lane;
        const W own = j < seen.last ? score<T, W>(w, q, b, h, i, j, true, 2) : masked<W>();
        W largest = own;
        for (int lanes = 16; lanes > 0; lanes /= 2) {
          const W other = __shfl_xor_sync(0xffffffffu, largest, lanes);
          largest = largest > other || largest != largest ? largest : other;
        }
        // A NaN goes to all of the row.
        largest = most > largest || most != most ? most : largest;
        if (largest == masked<W>()) continue;  // the same in all lanes
        const W share = own == masked<W>() ? W(0) : exp(own - largest);
        const W shrink = most == masked<W>() ? W(0) : exp(most - largest);
        W sum = share;
        for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
        total = total * shrink + sum;
        most = largest;
        shares[warp][lane] = share;
        __syncwarp();
        for (int k = 0; k < kOwned; ++k) result[k] *= shrink;
        const int64_t keys = seen.last - tile < 32 ? seen.last - tile : 32;
        for (int64_t n = 0; n < keys; ++n) {
          const W weight = shares[warp][n];
          if (weight == W(0)) continue;
          const T* v = value_row<T>(w, b, kv, tile + n) + chunk;
          for (int k = 0; k < kOwned; ++k)
            if (const int64_t e = k * 32 + lane; chunk + e < w.v_head)
              result[k] += weight * static_cast<W>(widen(v[e]));
        }
        __syncwarp();  // before the next tile writes its shares
      }
      for (int k = 0; k < kOwned; ++k)
        if (const int64_t e = chunk + k * 32 + lane; e < w.v_head)
          y[e] = narrow<T>(total == W(0) ? W(0) : result[k] / total);
    }
  }
}

template <class T>
__global__ void write_scores(AttentionWork w, int stage, T* scores) {
  using W = WorkOf<T>;
  const int64_t count = w.batch * w.q_heads * w.q_length * w.total;
  for (int64_t item = first_item(); item < count; item += item_step()) {
    const int64_t j = item % w.total, row = item / w.total;
    const int64_t i = row % w.q_length, h = row / w.q_length % w.q_heads, b = row / w.q_length / w.q_heads;
    const Seen seen = seen_by(w, b, i);
    scores[item] =
        narrow<T>(score<T, W>(w, row_of<T>(w.q, b, h, i), b, h, i, j, j >= seen.first && j < seen.last, stage));
  }
}

// Scores to probabilities, a thread a row; a row without a key stays 0.
template <class T>
__global__ void normalize_scores(int64_t rows, int64_t size, T* scores) {
  using W = WorkOf<T>;
  for (int64_t row = first_item(); row < rows; row += item_step()) {
    T* x = scores + row * size;
    W most = masked<W>(), total = 0;
    for (int64_t j = 0; j < size; ++j) {
      const W value = widen(x[j]);
      most = value > most || value != value ? value : most;
    }
    for (int64_t j = 0; j < size; ++j)
      if (static_cast<W>(widen(x[j])) != masked<W>()) total += exp(static_cast<W>(widen(x[j])) - most);
    for (int64_t j = 0; j < size; ++j) {
      const W value = widen(x[j]);
      x[j] = narrow<T>(value == masked<W>() || total == W(0) ? W(0) : exp(value - most) / total);
    }
  }
}

template <class T>
void launch_attention(const Queue& queue, const AttentionWork& work) {
  const int64_t rows = work.batch * work.q_heads * work.q_length;
  if (rows * work.v_head == 0) return;
  launch(queue, attend<T>, blocks_for(rows, kWarps), kWarps * 32, work);
}

template <class T>
void launch_scores(const Queue& queue, const AttentionWork& work, int stage, void* scores) {
  const int64_t rows = work.batch * work.q_heads * work.q_length;
  if (rows * work.total == 0) return;
  auto* to = static_cast<T*>(scores);
  launch(queue, write_scores<T>, blocks_for(rows * work.total), kThreads, work, stage < 2 ? stage : 2, to);
  if (stage == 3) launch(queue, normalize_scores<T>, blocks_for(rows), kThreads, rows, work.total, to);
}

}  // namespace

AttentionLaunch find_attention(DType type) {
  AttentionLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_attention<T>; });
  return result;
}
ScoresLaunch find_scores(DType type) {
  ScoresLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_scores<T>; });
  return result;
}

}  // namespace onnxrun::cuda

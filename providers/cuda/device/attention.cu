// Attention: a warp a query, or a block a query where there are few. Each lane scores one key of a tile of 32, the softmax runs along the tiles, and each
// lane then owns every 32nd element of the result. Where products make the scores, a block a query makes shares of them.
#include "cuda/device/attention.h"

#include <cmath>
#include <limits>

#include "cuda/device/block.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

constexpr int kWarps = 8;  // of a block
constexpr int kOwned = 8;  // elements of a result that a lane holds at once
constexpr int kChunk = 32 * kOwned;
static_assert(kChunk == kWarps * 32, "a thread of the block joins an element");
constexpr int64_t kManyRows = 4096;  // queries that fill a device with a warp for each

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

// 16 bytes of elements, read at once.
template <class T>
struct alignas(16) Pack {
  static constexpr int kSize = 16 / sizeof(T);
  T elements[kSize];
};

// The product of a query and a key. kWide: both lie at multiples of 16 bytes and are whole packs.
template <class T, bool kWide>
__device__ WorkOf<T> dot(const T* q, const T* k, int64_t size) {
  using W = WorkOf<T>;
  W sum = 0;
  if constexpr (kWide) {
    const auto* left = reinterpret_cast<const Pack<T>*>(q);
    const auto* right = reinterpret_cast<const Pack<T>*>(k);
    const int packs = static_cast<int>(size) / Pack<T>::kSize;
    for (int p = 0; p < packs; ++p) {
      const Pack<T> a = left[p], b = right[p];
      for (int e = 0; e < Pack<T>::kSize; ++e)
        sum += static_cast<W>(widen(a.elements[e])) * static_cast<W>(widen(b.elements[e]));
    }
  } else {
    for (int64_t e = 0; e < size; ++e) sum += static_cast<W>(widen(q[e])) * static_cast<W>(widen(k[e]));
  }
  return sum;
}

// A product as a score up to a stage; see ScoresLaunch. `shown`: whether the query may see the key.
template <class W>
__device__ W score_of(const AttentionWork& w, W sum, int64_t b, int64_t h, int64_t i, int64_t j, bool shown,
                      int stage) {
  if (stage >= 1 && w.softcap > 0) sum = static_cast<W>(w.softcap) * tanh(sum / static_cast<W>(w.softcap));
  if (stage < 2) return sum;
  if (!shown) return masked<W>();
  const W bias = bias_of<W>(w, b, h, i, j);
  return bias == masked<W>() ? bias : sum + bias;
}

template <class T, bool kWide>
__device__ WorkOf<T> score(const AttentionWork& w, const T* q, int64_t b, int64_t h, int64_t i, int64_t j, bool shown,
                           int stage) {
  using W = WorkOf<T>;
  const W sum = dot<T, kWide>(q, key_row<T>(w, b, h / (w.q_heads / w.kv_heads), j), w.head);
  return score_of<W>(w, sum * static_cast<W>(w.scale), b, h, i, j, shown, stage);
}

template <class W>
__device__ W larger(W a, W b) {  // a NaN is kept
  return a > b || a != a ? a : b;
}

// `split` warps share the keys of a query: 1, or all of the block.
template <class T, bool kWide>
__global__ void attend(AttentionWork w, int split) {
  using W = WorkOf<T>;
  __shared__ W shares[kWarps][32], parts[kWarps][kChunk], mosts[kWarps], totals[kWarps];
  const int lane = static_cast<int>(threadIdx.x % 32), warp = static_cast<int>(threadIdx.x / 32);
  const int64_t rows = w.batch * w.q_heads * w.q_length, at_once = kWarps / split;
  for (int64_t row = blockIdx.x * at_once + warp / split; row < rows; row += gridDim.x * at_once) {
    const int64_t i = row % w.q_length, h = row / w.q_length % w.q_heads, b = row / w.q_length / w.q_heads;
    const int64_t kv = h / (w.q_heads / w.kv_heads);
    const T* q = row_of<T>(w.q, b, h, i);
    T* y = static_cast<T*>(w.y) + b * w.y_batch + h * w.y_head + i * w.y_position;
    const Seen seen = seen_by(w, b, i);
    for (int64_t chunk = 0; chunk < w.v_head; chunk += kChunk) {
      W result[kOwned] = {};
      W most = masked<W>(), total = 0;
      if (w.sink && warp % split == 0) {
        most = w.sinks == nullptr ? W(0) : static_cast<W>(widen(static_cast<const T*>(w.sinks)[h]));
        total = 1;
      }
      for (int64_t tile = seen.first + warp % split * 32; tile < seen.last; tile += split * 32) {
        const int64_t j = tile + lane;
        const W own = j < seen.last ? score<T, kWide>(w, q, b, h, i, j, true, 2) : masked<W>();
        W largest = own;
        for (int lanes = 16; lanes > 0; lanes /= 2)
          largest = larger(largest, __shfl_xor_sync(0xffffffffu, largest, lanes));
        largest = larger(most, largest);
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
        const int keys = static_cast<int>(seen.last - tile < 32 ? seen.last - tile : 32);
        for (int n = 0; n < keys; ++n) {
          const W weight = shares[warp][n];
          const T* v = value_row<T>(w, b, kv, tile + n) + chunk;
          for (int k = 0; k < kOwned; ++k)
            if (const int64_t e = k * 32 + lane; chunk + e < w.v_head) {
              const W value = static_cast<W>(widen(v[e]));
              result[k] += weight == W(0) ? W(0) : weight * value;
            }
        }
        __syncwarp();  // before the next tile writes its shares
      }
      if (split > 1) {
        if (lane == 0) mosts[warp] = most, totals[warp] = total;
        for (int k = 0; k < kOwned; ++k) parts[warp][k * 32 + lane] = result[k];
        __syncthreads();
        most = masked<W>(), total = 0;
        for (int part = 0; part < kWarps; ++part) most = larger(most, mosts[part]);
        W joined = 0;
        for (int part = 0; part < kWarps; ++part) {
          const W shrink = mosts[part] == masked<W>() ? W(0) : exp(mosts[part] - most);
          total += totals[part] * shrink;
          joined += parts[part][threadIdx.x] * shrink;
        }
        if (const int64_t e = chunk + threadIdx.x; e < w.v_head)
          y[e] = narrow<T>(total == W(0) ? W(0) : joined / total);
        __syncthreads();  // before the next chunk or row writes to `parts`
      } else {
        for (int k = 0; k < kOwned; ++k)
          if (const int64_t e = chunk + k * 32 + lane; e < w.v_head)
            y[e] = narrow<T>(total == W(0) ? W(0) : result[k] / total);
      }
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
    const bool shown = j >= seen.first && j < seen.last;
    scores[item] = narrow<T>(W(score<T, false>(w, row_of<T>(w.q, b, h, i), b, h, i, j, shown, stage)));
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

// Products of queries and keys, scaled, to each key's share; both may be the same memory. A block a query, which reads the products once where they are at most
// kHeld a thread.
template <class T>
__global__ void share_scores(AttentionWork w, int64_t first_head, int64_t heads, WorkOf<T>* scores, T* shares) {
  using W = WorkOf<T>;
  constexpr int kHeld = 8;
  const int64_t rows = heads * w.q_length;
  const int total = static_cast<int>(w.total), step = static_cast<int>(blockDim.x), own = static_cast<int>(threadIdx.x);
  const bool held = total <= kHeld * step;
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const int64_t i = row % w.q_length, head = first_head + row / w.q_length, h = head % w.q_heads,
                  b = head / w.q_heads;
    const Seen seen = seen_by(w, b, i);
    W* x = scores + row * w.total;
    T* y = shares + row * w.total;
    W kept[kHeld];
    W most = masked<W>();
    const auto scored = [&](int j) { return score_of<W>(w, x[j], b, h, i, j, j >= seen.first && j < seen.last, 2); };
    if (held) {
#pragma unroll
      for (int k = 0; k < kHeld; ++k) {
        const int j = own + k * step;
        kept[k] = j < total ? scored(j) : masked<W>();
        most = larger(most, kept[k]);
      }
    } else {
      for (int j = own; j < total; j += step) most = larger(most, x[j] = scored(j));
    }
    most = max_block(most, masked<W>());
    W sink = 0;
    if (w.sink) {
      const W score = w.sinks == nullptr ? W(0) : static_cast<W>(widen(static_cast<const T*>(w.sinks)[h]));
      most = larger(most, score);
      sink = exp(score - most);
    }
    W sum = 0;
    if (held) {
#pragma unroll
      for (int k = 0; k < kHeld; ++k) {
        kept[k] = kept[k] == masked<W>() ? W(0) : exp(kept[k] - most);
        sum += kept[k];
      }
    } else {
      for (int j = own; j < total; j += step) sum += x[j] = x[j] == masked<W>() ? W(0) : exp(x[j] - most);
    }
    sum = sum_block(sum) + sink;
    const W factor = sum == W(0) ? W(0) : W(1) / sum;
    if (held) {
#pragma unroll
      for (int k = 0; k < kHeld; ++k)
        if (const int j = own + k * step; j < total) y[j] = narrow<T>(kept[k] * factor);
    } else {
      for (int j = own; j < total; j += step) y[j] = narrow<T>(x[j] * factor);
    }
  }
}

bool wide_rows(const HeadRows& rows, int64_t unit) {
  return reinterpret_cast<uintptr_t>(rows.data) % 16 == 0 && rows.batch * unit % 16 == 0 &&
         rows.head * unit % 16 == 0 && rows.position * unit % 16 == 0;
}

template <class T>
void launch_attention(const Queue& queue, const AttentionWork& work) {
  const int64_t rows = work.batch * work.q_heads * work.q_length, unit = sizeof(T);
  if (rows * work.v_head == 0) return;
  const bool wide = work.head * unit % 16 == 0 && wide_rows(work.q, unit) && wide_rows(work.k, unit) &&
                    (work.past == 0 || wide_rows(work.past_k, unit));
  const int split = rows < kManyRows && work.total > 32 ? kWarps : 1;
  launch(queue, wide ? attend<T, true> : attend<T, false>, blocks_for(rows, kWarps / split), kWarps * 32, work, split);
}

template <class T>
void launch_scores(const Queue& queue, const AttentionWork& work, int stage, void* scores) {
  const int64_t rows = work.batch * work.q_heads * work.q_length;
  if (rows * work.total == 0) return;
  auto* to = static_cast<T*>(scores);
  launch(queue, write_scores<T>, blocks_for(rows * work.total), kThreads, work, stage < 2 ? stage : 2, to);
  if (stage == 3) launch(queue, normalize_scores<T>, blocks_for(rows), kThreads, rows, work.total, to);
}

template <class T>
void launch_shares(const Queue& queue, const AttentionWork& work, int64_t first_head, int64_t heads, void* scores,
                   void* shares) {
  const unsigned threads = work.total <= 256 ? 32 : work.total <= 1024 ? 128 : 256;
  launch(queue, share_scores<T>, blocks_for_rows(heads * work.q_length), threads, work, first_head, heads,
         static_cast<WorkOf<T>*>(scores), static_cast<T*>(shares));
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
SharesLaunch find_shares(DType type) {
  SharesLaunch result = nullptr;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) { result = launch_shares<T>; });
  return result;
}

}  // namespace onnxrun::cuda

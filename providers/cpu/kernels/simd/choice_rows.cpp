// The rows of Where and ArgMax at one instruction set level.
#include "cpu/loops/choice_rows.h"

#include "fold_halves.h"
#include "vector.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
RowKernel choice_row(int64_t bytes);
const ExtremeRows<float>& float_extreme_rows();
const ExtremeRows<double>& double_extreme_rows();
const ExtremeRows<int64_t>& signed_extreme_rows();
const ExtremeRows<uint64_t>& unsigned_extreme_rows();

namespace {

template <class T, bool kStepX, bool kStepY>
void choose_each(const uint8_t* condition, const T* x, const T* y, T* out, int64_t count) {
  const T first_x = *x, first_y = *y;
#pragma GCC ivdep
  for (int64_t i = 0; i < count; ++i) {
    const T from_x = kStepX ? x[i] : first_x, from_y = kStepY ? y[i] : first_y;
    out[i] = condition[i] != 0 ? from_x : from_y;
  }
}

template <class T>
void choose(const Row& row) {
  if (row.count <= 0) return;
  const auto* condition = static_cast<const uint8_t*>(row.in[0]);
  const auto* x = static_cast<const T*>(row.in[1]);
  const auto* y = static_cast<const T*>(row.in[2]);
  auto* out = static_cast<T*>(row.out);
  const bool step_x = row.stride[1] != 0, step_y = row.stride[2] != 0;
  if (row.stride[0] == 0) {
    const T* from = *condition != 0 ? x : y;
    if (*condition != 0 ? step_x : step_y) {
      if (from != out) std::memcpy(out, from, static_cast<size_t>(row.count) * sizeof(T));
    } else {
      const T value = *from;
      for (int64_t i = 0; i < row.count; ++i) out[i] = value;
    }
    return;
  }
  if (step_x && step_y) choose_each<T, true, true>(condition, x, y, out, row.count);
  else if (step_x) choose_each<T, true, false>(condition, x, y, out, row.count);
  else if (step_y) choose_each<T, false, true>(condition, x, y, out, row.count);
  else choose_each<T, false, false>(condition, x, y, out, row.count);
}

constexpr int64_t kBlock = 2048;  // elements among which the winner is looked up at the end

template <bool kLargest, class T>
bool beats(T a, T b) {
  return kLargest ? a > b : a < b;
}

// The most extreme of n > 0 numbers; `unordered` is set when one is NaN, and the result then means nothing.
template <class T, bool kLargest>
T extreme_of(const T* x, int64_t n, bool* unordered) {
  typedef T Lanes __attribute__((vector_size(kVectorBytes)));
  constexpr int64_t kLanes = kVectorBytes / static_cast<int64_t>(sizeof(T)), kParts = 4;
  const auto load = [x](int64_t at) {
    Lanes value;
    std::memcpy(&value, x + at, sizeof value);
    return value;
  };
  const auto further = [](Lanes best, Lanes value) { return (kLargest ? value > best : value < best) ? value : best; };
  T best = x[0];
  bool bad = false;
  int64_t i = 0;
  if (n >= kLanes) {
    const Lanes first = load(0);
    Lanes parts[kParts] = {first, first, first, first};
    auto nan = first != first;
    for (i = kLanes; i + kParts * kLanes <= n; i += kParts * kLanes)
#pragma GCC unroll 4
      for (int64_t p = 0; p < kParts; ++p) {
        const Lanes value = load(i + p * kLanes);
        nan |= value != value;
        parts[p] = further(parts[p], value);
      }
    for (; i + kLanes <= n; i += kLanes) {
      const Lanes value = load(i);
      nan |= value != value;
      parts[0] = further(parts[0], value);
    }
    parts[0] = further(further(parts[0], parts[1]), further(parts[2], parts[3]));
    T lanes[kLanes];
    std::memcpy(lanes, &parts[0], sizeof lanes);
    best = fold_halves<kLanes>(lanes,
                               [](auto low, auto high) { return (kLargest ? high > low : high < low) ? high : low; });
    uint64_t any[kVectorBytes / 8], found = 0;
    std::memcpy(any, &nan, sizeof any);
    for (const uint64_t part : any) found |= part;
    bad = found != 0;
  }
  for (; i < n; ++i) {
    bad = bad || x[i] != x[i];
    if (beats<kLargest, T>(x[i], best)) best = x[i];
  }
  *unordered = bad;
  return best;
}

template <class F>
int64_t find(int64_t n, bool last, F&& is) {
  if (last) {
    for (int64_t i = n; i-- > 0;)
      if (is(i)) return i;
    return 0;
  }
  constexpr int64_t kTogether = 32;
  int64_t i = 0;
  for (; i + kTogether <= n; i += kTogether) {
    uint32_t found = 0;
    for (int64_t j = i; j < i + kTogether; ++j) found |= is(j) ? 1u : 0u;
    if (found != 0) break;
  }
  for (; i < n; ++i)
    if (is(i)) return i;
  return 0;
}

template <class T, bool kLargest>
int64_t extreme_row(const T* x, int64_t n, bool last) {
  T best = x[0];
  int64_t block = 0;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t size = n - begin < kBlock ? n - begin : kBlock;
    bool unordered = false;
    const T value = extreme_of<T, kLargest>(x + begin, size, &unordered);
    if (unordered) return find(n, last, [=](int64_t i) { return x[i] != x[i]; });
    if (beats<kLargest, T>(value, best) || (last && value == best)) {
      best = value;
      block = begin;
    }
  }
  const int64_t size = n - block < kBlock ? n - block : kBlock;
  return block + find(size, last, [=](int64_t i) { return x[block + i] == best; });
}

template <class T, bool kLargest, bool kLast>
void extreme_columns(const void* from, int64_t row, int64_t columns, void* best, int64_t* index) {
  const T* x = static_cast<const T*>(from);
  T* leader = static_cast<T*>(best);
  if (row == 0) {
    std::memcpy(leader, x, static_cast<size_t>(columns) * sizeof(T));
    std::memset(index, 0, static_cast<size_t>(columns) * sizeof *index);
    return;
  }
#pragma GCC ivdep
  for (int64_t j = 0; j < columns; ++j) {
    const T a = leader[j], b = x[j];
    const bool ahead = kLast ? !beats<kLargest, T>(a, b) : beats<kLargest, T>(b, a);
    const bool wins = a != a ? (kLast && b != b) : (ahead | (b != b));
    leader[j] = wins ? b : a;
    index[j] = wins ? row : index[j];
  }
}

template <class T>
constexpr ExtremeRows<T> kExtremeRows{extreme_row<T, true>,
                                      extreme_row<T, false>,
                                      {extreme_columns<T, true, false>, extreme_columns<T, true, true>},
                                      {extreme_columns<T, false, false>, extreme_columns<T, false, true>}};

}  // namespace

RowKernel choice_row(int64_t bytes) {
  switch (bytes) {
    case 1: return choose<uint8_t>;
    case 2: return choose<uint16_t>;
    case 4: return choose<uint32_t>;
    case 8: return choose<uint64_t>;
    default: return nullptr;
  }
}
const ExtremeRows<float>& float_extreme_rows() { return kExtremeRows<float>; }
const ExtremeRows<double>& double_extreme_rows() { return kExtremeRows<double>; }
const ExtremeRows<int64_t>& signed_extreme_rows() { return kExtremeRows<int64_t>; }
const ExtremeRows<uint64_t>& unsigned_extreme_rows() { return kExtremeRows<uint64_t>; }

}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

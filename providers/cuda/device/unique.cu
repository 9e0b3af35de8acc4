// Unique: a bitonic sort of slice numbers, then one block that numbers the groups of equal slices.
#include "cuda/device/unique.h"

#include "cuda/device/bytes.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

constexpr int kPieces = 256;

// Below 0, 0 or above 0. Elements are `kParts` numbers, compared in turn.
template <class T, int kParts>
__device__ int compare(const Slices& how, int64_t a, int64_t b) {
  const auto* x = static_cast<const T*>(how.x);
  const int64_t run = how.inner * kParts;
  for (int64_t o = 0; o < how.outer; ++o)
    for (int64_t i = 0; i < run; ++i) {
      const auto left = widen(x[(o * how.size + a) * run + i]), right = widen(x[(o * how.size + b) * run + i]);
      if (left < right) return -1;
      if (right < left) return 1;
      if ((left != left) != (right != right)) return left != left ? 1 : -1;
    }
  return 0;
}

__global__ void number_slices(int64_t* order, int64_t padded) {
  for (int64_t i = first_item(); i < padded; i += item_step()) order[i] = i;
}

// One step of the sort: pairs `apart` apart, in runs of `run` that ascend and descend in turn. Numbers beyond the slices come last.
template <class T, int kParts>
__global__ void sort_step(Slices how, int64_t* order, int64_t padded, int64_t run, int64_t apart) {
  for (int64_t i = first_item(); i < padded; i += item_step()) {
    const int64_t other = i ^ apart;
    if (other < i) continue;
    const int64_t a = order[i], b = order[other];
    int after = 0;
    if (a < how.size && b < how.size) after = compare<T, kParts>(how, a, b);
    if (after == 0) after = a > b ? 1 : -1;
    if ((after > 0) != ((i & run) == 0)) continue;
    order[i] = b;
    order[other] = a;
  }
}

__device__ int64_t piece_start(int64_t count, int64_t p) {
  const int64_t size = (count + kPieces - 1) / kPieces;
  return p * size < count ? p * size : count;
}

// Calls number(i, how many of those before i are set) for all set items of [0, count), and returns how many are set. All threads of one block of
// kPieces call.
template <class IsSet, class Number>
__device__ int64_t number_set(int64_t count, IsSet is_set, Number number) {
  __shared__ int64_t counts[kPieces + 1];
  const int64_t p = threadIdx.x;
  int64_t found = 0;
  for (int64_t i = piece_start(count, p); i < piece_start(count, p + 1); ++i) found += is_set(i) ? 1 : 0;
  counts[p] = found;
  __syncthreads();
  if (p == 0) {
    int64_t before = 0;
    for (int n = 0; n < kPieces; ++n) {
      const int64_t own = counts[n];
      counts[n] = before;
      before += own;
    }
    counts[kPieces] = before;
  }
  __syncthreads();
  int64_t before = counts[p];
  const int64_t all = counts[kPieces];
  for (int64_t i = piece_start(count, p); i < piece_start(count, p + 1); ++i) {
    const bool set = is_set(i);
    number(i, before, set);
    if (set) ++before;
  }
  __syncthreads();  // before the next call writes to `counts`, and for what `number` has written
  return all;
}

template <class T, int kParts>
__global__ void find_groups(Slices how, UniqueLists lists, bool ascending) {
  const auto begins = [&](int64_t i) {
    return i == 0 || compare<T, kParts>(how, lists.order[i - 1], lists.order[i]) != 0;
  };
  const int64_t groups = number_set(how.size, begins, [&](int64_t i, int64_t before, bool set) {
    const int64_t g = set ? before : before - 1;
    lists.group[lists.order[i]] = g;
    if (set) lists.first[g] = lists.order[i], lists.begin[g] = i;
  });
  if (threadIdx.x == 0) *lists.groups = groups;
  const auto leads = [&](int64_t slice) { return lists.first[lists.group[slice]] == slice; };
  number_set(how.size, leads, [&](int64_t slice, int64_t before, bool set) {
    const int64_t g = lists.group[slice];
    if (set) lists.rank[g] = ascending ? g : before;
  });
}

template <class T, int kParts>
void launch_unique(const Queue& queue, const Slices& how, const UniqueLists& lists, bool ascending) {
  const int64_t padded = padded_slices(how.size);
  launch(queue, number_slices, blocks_for(padded), kThreads, lists.order, padded);
  for (int64_t run = 2; run <= padded; run *= 2)
    for (int64_t apart = run / 2; apart > 0; apart /= 2)
      launch(queue, sort_step<T, kParts>, blocks_for(padded), kThreads, how, lists.order, padded, run, apart);
  launch(queue, find_groups<T, kParts>, 1, kPieces, how, lists, ascending);
}

template <class T>
__global__ void take_values(Slices how, UniqueLists lists, int64_t groups, T* y) {
  const auto* x = static_cast<const T*>(how.x);
  for (int64_t i = first_item(); i < how.outer * groups * how.inner; i += item_step()) {
    const int64_t g = i / how.inner % groups, o = i / how.inner / groups, e = i % how.inner;
    y[(o * groups + lists.rank[g]) * how.inner + e] = x[(o * how.size + lists.first[g]) * how.inner + e];
  }
}

__global__ void take_lists(int64_t size, UniqueLists lists, int64_t groups, UniqueResults results) {
  for (int64_t i = first_item(); i < size; i += item_step()) {
    if (results.inverse != nullptr) results.inverse[i] = lists.rank[lists.group[i]];
    if (i >= groups) continue;
    if (results.first != nullptr) results.first[lists.rank[i]] = lists.first[i];
    const int64_t end = i + 1 < groups ? lists.begin[i + 1] : size;
    if (results.counts != nullptr) results.counts[lists.rank[i]] = end - lists.begin[i];
  }
}

}  // namespace

int64_t padded_slices(int64_t size) {
  int64_t padded = 1;
  while (padded < size) padded *= 2;
  return padded;
}

UniqueLaunch find_unique(DType type) {
  if (type == DType::kComplex64) return launch_unique<float, 2>;
  if (type == DType::kComplex128) return launch_unique<double, 2>;
  UniqueLaunch result = nullptr;
  with_element(JoinElements<NumberElements, Elements<bool>>{}, type,
               [&]<class T>(std::type_identity<T>) { result = launch_unique<T, 1>; });
  return result;
}

void launch_unique_results(const Queue& queue, const Slices& how, const UniqueLists& lists, int64_t groups, int bytes,
                           const UniqueResults& results) {
  const int64_t count = how.outer * groups * how.inner;
  if (results.values != nullptr && count > 0)
    with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
      launch(queue, take_values<T>, blocks_for(count), kThreads, how, lists, groups, static_cast<T*>(results.values));
    });
  if (how.size > 0) launch(queue, take_lists, blocks_for(how.size), kThreads, how.size, lists, groups, results);
}

}  // namespace onnxrun::cuda

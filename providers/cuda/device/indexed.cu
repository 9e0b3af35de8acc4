// Elements read and written at places that other tensors name: a thread an element.
#include "cuda/device/indexed.h"

#include "cuda/device/bytes.h"
#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

// The place that index i names in an axis of `size` elements; -1 outside.
__device__ int64_t place(const Indices& indices, int64_t i, int64_t size) {
  int64_t at =
      indices.wide ? static_cast<const int64_t*>(indices.data)[i] : static_cast<const int32_t*>(indices.data)[i];
  if (at < 0) at += size;
  if (at >= 0 && at < size) return at;
  set(indices.report);
  return -1;
}

template <class T>
__global__ void gather(const T* x, T* y, Gather how, Indices indices) {
  for (int64_t i = first_item(); i < how.outer * how.picks * how.inner; i += item_step()) {
    const int64_t inner = i % how.inner, pick = i / how.inner % how.picks, outer = i / how.inner / how.picks;
    const int64_t at = place(indices, pick, how.size);
    y[i] = at < 0 ? T{} : x[(outer * how.size + at) * how.inner + inner];
  }
}

__device__ int64_t place_along(const Along& how, const Indices& indices, int64_t i) {
  int64_t offset[1];
  how.axes.offsets(i, offset);
  const int64_t at = place(indices, i, how.size);
  return at < 0 ? -1 : offset[0] + at * how.step;
}

template <class T>
__global__ void gather_elements(const T* x, T* y, Along how, Indices indices) {
  for (int64_t i = first_item(); i < how.axes.count; i += item_step()) {
    const int64_t at = place_along(how, indices, i);
    y[i] = at < 0 ? T{} : x[at];
  }
}

// The first element of the slice that tuple t names; -1 outside.
__device__ int64_t place_of_tuple(const Tuples& how, const Indices& indices, int64_t t) {
  int64_t at = 0;
  for (int k = 0; k < how.length; ++k) {
    const int64_t index = place(indices, t * how.length + k, how.dims[k]);
    if (index < 0) return -1;
    at = at * how.dims[k] + index;
  }
  return t / how.per_batch * how.batch_size + at * how.slice;
}

template <class T>
__global__ void gather_nd(const T* x, T* y, Tuples how, Indices indices) {
  for (int64_t i = first_item(); i < how.count * how.slice; i += item_step()) {
    const int64_t at = place_of_tuple(how, indices, i / how.slice);
    y[i] = at < 0 ? T{} : x[at + i % how.slice];
  }
}

template <Combination kCombination, class W>
__device__ W combined(W a, W b) {
  if constexpr (kCombination == Combination::kAdd) return static_cast<W>(a + b);
  else if constexpr (kCombination == Combination::kMul) return static_cast<W>(a * b);
  else if constexpr (kCombination == Combination::kMax) return a > b || a != a ? a : b;
  else return a < b || a != a ? a : b;
}

// Combines at one place, whatever other threads do there: elements of 4 or 8 bytes.
template <Combination kCombination, class T>
__device__ void combine(T* to, T value) {
  if constexpr (kCombination == Combination::kReplace) {
    *to = value;
  } else {
    using Word = std::conditional_t<sizeof(T) == 4, unsigned, unsigned long long>;
    union Bits {
      T value;
      Word word;
    };
    auto* at = reinterpret_cast<Word*>(to);
    Bits old, next;
    old.value = *to;
    for (;;) {
      next.value = combined<kCombination>(old.value, value);
      const Word seen = atomicCAS(at, old.word, next.word);
      if (seen == old.word) return;
      old.word = seen;
    }
  }
}

template <class T, Combination kCombination>
__global__ void scatter_elements(const T* updates, T* y, Along how, Indices indices) {
  for (int64_t i = first_item(); i < how.axes.count; i += item_step())
    if (const int64_t at = place_along(how, indices, i); at >= 0) combine<kCombination>(y + at, updates[i]);
}

template <class T, Combination kCombination>
__global__ void scatter_nd(const T* updates, T* y, Tuples how, Indices indices) {
  for (int64_t i = first_item(); i < how.count * how.slice; i += item_step())
    if (const int64_t at = place_of_tuple(how, indices, i / how.slice); at >= 0)
      combine<kCombination>(y + at + i % how.slice, updates[i]);
}

template <class T, Combination kCombination>
void launch_scatter_elements(const Queue& queue, const Along& how, const Indices& indices, const void* updates,
                             void* y) {
  if (how.axes.count == 0) return;
  launch(queue, scatter_elements<T, kCombination>, blocks_for(how.axes.count), kThreads, static_cast<const T*>(updates),
         static_cast<T*>(y), how, indices);
}
template <class T, Combination kCombination>
void launch_scatter_nd(const Queue& queue, const Tuples& how, const Indices& indices, const void* updates, void* y) {
  if (how.count * how.slice == 0) return;
  launch(queue, scatter_nd<T, kCombination>, blocks_for(how.count * how.slice), kThreads,
         static_cast<const T*>(updates), static_cast<T*>(y), how, indices);
}

// Calls f with the type and the combination.
template <class F>
void with_combination(Combination combination, DType type, F&& f) {
  if (combination == Combination::kReplace) {
    if (!base::is_sub_byte(type) && type != DType::kString)
      with_bytes(base::dtype_bits(type) / 8,
                 [&]<class T>(std::type_identity<T>) { f.template operator()<T, Combination::kReplace>(); });
    return;
  }
  with_element(Elements<float, double, int32_t, int64_t, uint32_t, uint64_t>{}, type,
               [&]<class T>(std::type_identity<T>) {
                 if (combination == Combination::kAdd) f.template operator()<T, Combination::kAdd>();
                 if (combination == Combination::kMul) f.template operator()<T, Combination::kMul>();
                 if (combination == Combination::kMax) f.template operator()<T, Combination::kMax>();
                 if (combination == Combination::kMin) f.template operator()<T, Combination::kMin>();
               });
}

template <class T, class I>
__global__ void one_hot(const I* indices, const T* values, T* y, int64_t outer, int64_t depth, int64_t inner) {
  for (int64_t i = first_item(); i < outer * depth * inner; i += item_step()) {
    const int64_t at = i / inner % depth;
    const auto wanted = widen(indices[i / inner / depth * inner + i % inner]);
    // Fractions are cut off.
    const bool on = wanted == wanted && wanted > -9e18 && wanted < 9e18 &&
                    (static_cast<int64_t>(wanted) == at || static_cast<int64_t>(wanted) + depth == at);
    y[i] = values[on ? 1 : 0];
  }
}

using OneHotIndices = Elements<float, double, int32_t, int64_t, uint8_t, int8_t, uint64_t>;

}  // namespace

void launch_gather(const Queue& queue, const Gather& how, int bytes, const Indices& indices, const void* x, void* y) {
  const int64_t count = how.outer * how.picks * how.inner;
  if (count == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    launch(queue, gather<T>, blocks_for(count), kThreads, static_cast<const T*>(x), static_cast<T*>(y), how, indices);
  });
}

void launch_gather_elements(const Queue& queue, const Along& how, int bytes, const Indices& indices, const void* x,
                            void* y) {
  if (how.axes.count == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    launch(queue, gather_elements<T>, blocks_for(how.axes.count), kThreads, static_cast<const T*>(x),
           static_cast<T*>(y), how, indices);
  });
}

void launch_gather_nd(const Queue& queue, const Tuples& how, int bytes, const Indices& indices, const void* x,
                      void* y) {
  if (how.count * how.slice == 0) return;
  with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
    launch(queue, gather_nd<T>, blocks_for(how.count * how.slice), kThreads, static_cast<const T*>(x),
           static_cast<T*>(y), how, indices);
  });
}

ScatterElementsLaunch find_scatter_elements(Combination combination, DType type) {
  ScatterElementsLaunch result = nullptr;
  with_combination(combination, type,
                   [&]<class T, Combination kCombination>() { result = launch_scatter_elements<T, kCombination>; });
  return result;
}

ScatterNdLaunch find_scatter_nd(Combination combination, DType type) {
  ScatterNdLaunch result = nullptr;
  with_combination(combination, type,
                   [&]<class T, Combination kCombination>() { result = launch_scatter_nd<T, kCombination>; });
  return result;
}

bool has_one_hot(DType index_type) { return has_element(OneHotIndices{}, index_type); }

void launch_one_hot(const Queue& queue, int64_t outer, int64_t depth, int64_t inner, int bytes, DType index_type,
                    const void* indices, const void* values, void* y) {
  const int64_t count = outer * depth * inner;
  if (count == 0) return;
  with_element(OneHotIndices{}, index_type, [&]<class I>(std::type_identity<I>) {
    with_bytes(bytes, [&]<class T>(std::type_identity<T>) {
      launch(queue, one_hot<T, I>, blocks_for(count), kThreads, static_cast<const I*>(indices),
             static_cast<const T*>(values), static_cast<T*>(y), outer, depth, inner);
    });
  });
}

}  // namespace onnxrun::cuda

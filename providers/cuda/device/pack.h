// Several neighbouring elements as one access to memory.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace onnxrun::cuda {

constexpr int kPackBytes = 16;  // the widest access

template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T at[N];
};

// Elements of a pack where the largest ones take `bytes`: at most 8, each of which a thread computes.
constexpr int pack_size(size_t bytes) { return bytes <= 2 ? 8 : kPackBytes / static_cast<int>(bytes); }

template <int N, class T>
__device__ inline Pack<T, N> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, N>*>(from);
}
template <class T, int N>
__device__ inline void store_pack(T* to, const Pack<T, N>& pack) {
  *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

// Whether packs of N elements may start at `data`.
template <int N, class T>
bool takes_packs(const T* data) {
  return reinterpret_cast<uintptr_t>(data) % sizeof(Pack<T, N>) == 0;
}

}  // namespace onnxrun::cuda

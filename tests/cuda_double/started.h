// Streams, memory and launches on the double, for tests of the double itself.
#pragma once

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <type_traits>

namespace started {

inline cudaStream_t stream() {
  cudaStream_t result = nullptr;
  EXPECT_EQ(cudaStreamCreateWithFlags(&result, cudaStreamNonBlocking), cudaSuccess);
  return result;
}

inline cudaMemPool_t pool() {
  static cudaMemPool_t result = [] {
    cudaMemPoolProps properties{};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location.type = cudaMemLocationTypeDevice;
    cudaMemPool_t made = nullptr;
    cudaMemPoolCreate(&made, &properties);
    return made;
  }();
  return result;
}

template <class T>
T* allocate(size_t count, cudaStream_t on) {
  void* memory = nullptr;
  EXPECT_EQ(cudaMallocFromPoolAsync(&memory, count * sizeof(T), pool(), on), cudaSuccess);
  return static_cast<T*>(memory);
}

template <class... P>
cudaError_t start(cudaStream_t on, void (*kernel)(P...), dim3 grid, dim3 block, std::type_identity_t<P>... arguments) {
  void* pointers[] = {static_cast<void*>(&arguments)...};
  return cudaLaunchKernel(kernel, grid, block, pointers, 0, on);
}

// What breaks the device breaks it for the rest of the process, as on hardware: in a process of its own.
inline void expect_broken(const char* reason, void (*work)(cudaStream_t)) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";  // a child of this process has no device
  EXPECT_EXIT(
      {
        const cudaStream_t s = stream();
        work(s);
        std::exit(cudaStreamSynchronize(s) == cudaErrorIllegalAddress ? 3 : 0);
      },
      testing::ExitedWithCode(3), reason);
}

}  // namespace started

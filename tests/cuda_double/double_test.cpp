// The double itself: what it must notice.
#include "started.h"

#include <csignal>
#include <vector>

namespace {

using namespace started;

__global__ void set_all(int* to, int value, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < count) to[i] = value;
}

TEST(CudaDouble, KeepsTheHostOutOfDeviceMemory) {
  int* memory = allocate<int>(4, stream());
  // Without the handler of a sanitizer, which would report it as a fault.
  EXPECT_EXIT((std::signal(SIGSEGV, SIG_DFL), memory[0] = 1), testing::KilledBySignal(SIGSEGV), "");
}

TEST(CudaDouble, DoesNothingBeforeItIsWaitedFor) {
  const cudaStream_t s = stream();
  int* device = allocate<int>(3, s);
  std::vector<int> host(3, -1);
  ASSERT_EQ(start(s, set_all, 1, 32, device, 7, 3), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(host.data(), device, 3 * sizeof(int), cudaMemcpyDeviceToHost, s), cudaSuccess);
  EXPECT_EQ(host, (std::vector<int>{-1, -1, -1}));
  ASSERT_EQ(cudaStreamSynchronize(s), cudaSuccess);
  EXPECT_EQ(host, (std::vector<int>{7, 7, 7}));
}

TEST(CudaDouble, OrdersStreamsByEventsOnly) {
  for (const bool event : {false, true}) {
    const cudaStream_t first = stream(), second = stream();
    int* device = allocate<int>(1, first);
    int host = -1;
    cudaEvent_t done = nullptr;
    ASSERT_EQ(cudaEventCreateWithFlags(&done, cudaEventDisableTiming), cudaSuccess);
    ASSERT_EQ(start(first, set_all, 1, 1, device, 7, 1), cudaSuccess);
    ASSERT_EQ(cudaEventRecord(done, first), cudaSuccess);
    if (event) {
      ASSERT_EQ(cudaStreamWaitEvent(second, done, 0), cudaSuccess);
    }
    ASSERT_EQ(cudaMemcpyAsync(&host, device, sizeof(int), cudaMemcpyDeviceToHost, second), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(second), cudaSuccess);
    EXPECT_EQ(host == 7, event);
  }
}

TEST(CudaDouble, RefusesTheDefaultStreamAndWrongMemory) {
  const cudaStream_t s = stream();
  int* device = allocate<int>(1, s);
  int host = 0;
  EXPECT_EQ(start(nullptr, set_all, 1, 1, device, 7, 1), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaMemcpyAsync(&host, &host, sizeof(int), cudaMemcpyDeviceToHost, s), cudaErrorInvalidValue);
  EXPECT_EQ(start(s, set_all, 1, 2048, device, 7, 1), cudaErrorInvalidConfiguration);
  cudaGetLastError();
}

__global__ void add_up(const int* from, int* to) {
  __shared__ int parts[128];
  const unsigned t = threadIdx.x;
  parts[t] = from[blockIdx.x * 128 + t];
  __syncthreads();
  for (unsigned half = 64; half > 0; half /= 2) {
    if (t < half) parts[t] += parts[t + half];
    __syncthreads();
  }
  if (t == 0) to[blockIdx.x] = parts[0];
}

__global__ void add_up_by_warp(const int* from, int* to) {
  int sum = from[threadIdx.x];
  for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
  to[threadIdx.x] = sum;
}

TEST(CudaDouble, RunsBarriersAndShuffles) {
  const cudaStream_t s = stream();
  std::vector<int> host(256), sums(2), lanes(64);
  for (int i = 0; i < 256; ++i) host[static_cast<size_t>(i)] = i;
  int* from = allocate<int>(256, s);
  int* to = allocate<int>(64, s);
  ASSERT_EQ(cudaMemcpyAsync(from, host.data(), 256 * sizeof(int), cudaMemcpyHostToDevice, s), cudaSuccess);
  ASSERT_EQ(start(s, add_up, 2, 128, from, to), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(sums.data(), to, 2 * sizeof(int), cudaMemcpyDeviceToHost, s), cudaSuccess);
  ASSERT_EQ(start(s, add_up_by_warp, 1, 64, from, to), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(lanes.data(), to, 64 * sizeof(int), cudaMemcpyDeviceToHost, s), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(s), cudaSuccess);
  EXPECT_EQ(sums, (std::vector<int>{8128, 24512}));
  for (int i = 0; i < 64; ++i) EXPECT_EQ(lanes[static_cast<size_t>(i)], i < 32 ? 496 : 1520);
}

// Without its barrier, as no kernel may be.
__global__ void exchange_without_barrier(int* to) {
  __shared__ int parts[32];
  parts[threadIdx.x] = static_cast<int>(threadIdx.x) + 100;
  to[threadIdx.x] = parts[31 - threadIdx.x];
}

TEST(CudaDouble, ShowsMissingBarriers) {
  const auto right = [] {
    const cudaStream_t s = stream();
    std::vector<int> host(32);
    int* device = allocate<int>(32, s);
    start(s, exchange_without_barrier, 1, 32, device);
    cudaMemcpyAsync(host.data(), device, sizeof(int) * 32, cudaMemcpyDeviceToHost, s);
    cudaStreamSynchronize(s);
    for (int i = 0; i < 32; ++i)
      if (host[static_cast<size_t>(i)] != 131 - i) return false;
    return true;
  };
  EXPECT_FALSE(right());
}

TEST(CudaDouble, NoticesCopiesBeyondAnAllocation) {
  expect_broken("goes beyond a device allocation", [](cudaStream_t s) {
    static int host[8];
    cudaMemcpyAsync(allocate<int>(4, s), host, 5 * sizeof(int), cudaMemcpyHostToDevice, s);
  });
}

TEST(CudaDouble, NoticesKernelsThatWriteBeyondAnAllocation) {
#if defined(ONNXRUN_ADDRESS_SANITIZER)
  GTEST_SKIP() << "the address sanitizer notices it first";
#endif
  expect_broken("was written at byte 16", [](cudaStream_t s) {
    int* memory = allocate<int>(4, s);
    start(s, set_all, 1, 32, memory, 7, 5);
    cudaFreeAsync(memory, s);
  });
}

__global__ void wait_in_different_places(int* to) {
  if (threadIdx.x == 0) __syncthreads();
  else to[threadIdx.x] = __shfl_xor_sync(0xffffffffu, 1, 1);
}

TEST(CudaDouble, NoticesDivergentBarriers) {
  expect_broken("different barriers",
                [](cudaStream_t s) { start(s, wait_in_different_places, 1, 32, allocate<int>(32, s)); });
}

}  // namespace

// Races for shared memory: the double finds them whatever order the threads happen to run in, and finds none where barriers stand.
#include "started.h"

#include <vector>

namespace {

using namespace started;

#ifdef CUDA_DOUBLE_NO_RACES
#define SKIP_WITHOUT_RACES() GTEST_SKIP() << "another sanitizer has the place of the search for races"
#else
#define SKIP_WITHOUT_RACES() static_cast<void>(0)
#endif

// Right by chance where threads run in their order.
__global__ void read_the_one_before(int* to) {
  __shared__ int parts[64];
  parts[threadIdx.x] = static_cast<int>(threadIdx.x);
  to[threadIdx.x] = threadIdx.x > 0 ? parts[threadIdx.x - 1] : 0;
}

__global__ void read_behind_a_barrier(int* to) {
  __shared__ int parts[64];
  for (int round = 0; round < 2; ++round) {
    parts[threadIdx.x] = static_cast<int>(threadIdx.x);
    __syncthreads();
    to[threadIdx.x] = parts[63 - threadIdx.x];
    __syncthreads();
  }
}

// The second round writes what others may not have read yet.
__global__ void forget_the_second_barrier(int* to) {
  __shared__ int parts[64];
  for (int round = 0; round < 2; ++round) {
    parts[threadIdx.x] = static_cast<int>(threadIdx.x);
    __syncthreads();
    to[threadIdx.x] = parts[63 - threadIdx.x];
  }
}

// A barrier of the warp orders its threads, and only them.
__global__ void meet_in_the_warp(int* to, int distance) {
  __shared__ int parts[64];
  parts[threadIdx.x] = static_cast<int>(threadIdx.x);
  __syncwarp();
  to[threadIdx.x] = parts[threadIdx.x ^ static_cast<unsigned>(distance)];
}

__global__ void count_together(int* to) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  atomicAdd(&sum, 1);
  __syncthreads();
  to[threadIdx.x] = sum;
}

__global__ void count_without_atomics(int* to) {
  __shared__ int sum;
  if (threadIdx.x == 0) sum = 0;
  __syncthreads();
  sum = sum + 1;
  __syncthreads();
  to[threadIdx.x] = sum;
}

// The bytes of a word are not each other's.
__global__ void write_bytes_side_by_side(int* to) {
  __shared__ unsigned char bytes[64];
  bytes[threadIdx.x] = static_cast<unsigned char>(threadIdx.x);
  __syncthreads();
  to[threadIdx.x] = bytes[63 - threadIdx.x];
}

void expect_race(const char* reason, void (*kernel)(int*)) {
  static void (*running)(int*);
  running = kernel;
  expect_broken(reason, [](cudaStream_t s) { start(s, running, 1, 64, allocate<int>(64, s)); });
}

TEST(CudaDoubleRaces, AreFoundAndNamed) {
  SKIP_WITHOUT_RACES();
  expect_race(
      "race for shared memory.*writes it in .*read_the_one_before.*reads it in .*read_the_one_before.*races_test.cpp",
      read_the_one_before);
  expect_race("race for shared memory.*forget_the_second_barrier", forget_the_second_barrier);
  expect_race("race for shared memory", count_without_atomics);
  expect_broken("race for shared memory",
                [](cudaStream_t s) { start(s, meet_in_the_warp, 1, 64, allocate<int>(64, s), 32); });
}

TEST(CudaDoubleRaces, AreNotFoundWhereBarriersStand) {
  const cudaStream_t s = stream();
  int* device = allocate<int>(64, s);
  std::vector<int> host(64);
  ASSERT_EQ(start(s, read_behind_a_barrier, 3, 64, device), cudaSuccess);
  ASSERT_EQ(start(s, meet_in_the_warp, 2, 64, device, 1), cudaSuccess);
  ASSERT_EQ(start(s, write_bytes_side_by_side, 1, 64, device), cudaSuccess);
  ASSERT_EQ(start(s, count_together, 1, 64, device), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(host.data(), device, 64 * sizeof(int), cudaMemcpyDeviceToHost, s), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(s), cudaSuccess);
  EXPECT_EQ(host, std::vector<int>(64, 64));
}

}  // namespace

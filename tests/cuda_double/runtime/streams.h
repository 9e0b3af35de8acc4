// Streams and events of the double: work waits in queues until the host waits for it.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cuda_runtime.h"
#include "memory.h"

struct CudaDoubleStream {
  struct Work {
    std::function<void()> run;
  };
  std::deque<Work> queue;
  uint64_t enqueued = 0, done = 0;
  CudaDoubleGraph* capture = nullptr;
};

struct CudaDoubleEvent {
  cudaStream_t stream = nullptr;
  uint64_t at = 0;  // how much of the stream's work it stands behind
};

namespace cuda_double {

// All state; every call holds the lock, and so does the execution of work.
struct World {
  std::recursive_mutex mutex;
  Memory memory;
  std::set<cudaStream_t> streams;
  std::set<cudaEvent_t> events;
  std::set<void*> pinned;
  cudaError_t last = cudaSuccess;
  cudaError_t broken = cudaSuccess;  // sticky, as after a device fault
  std::string why;
  int64_t launches = 0, calls = 0, copies = 0;

  static World& get();
  // Runs the stream's work up to number `until`.
  void run(cudaStream_t stream, uint64_t until);
  cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);
  cudaError_t fail(cudaError_t error) { return last = error; }
};

}  // namespace cuda_double

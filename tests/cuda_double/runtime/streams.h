// Streams and events of the double: work waits in queues until the host waits for it.
#pragma once

#include <unistd.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cuda_runtime.h"
#include "memory.h"

struct CudaDoubleStream {
  struct Work {
    std::function<void()> run;
    char kind = 0;
  };
  std::deque<Work> queue;
  uint64_t enqueued = 0, done = 0;
  bool eager = false;  // works as soon as it may, instead of as late as it may
  CudaDoubleGraph* capture = nullptr;
};

struct CudaDoubleEvent {
  cudaStream_t stream = nullptr;
  uint64_t at = 0;                             // how much of the stream's work it stands behind
  const CudaDoubleGraph* recording = nullptr;  // that it was placed in
};

namespace cuda_double {

// What a stream that records is given, and what makes its recording worthless.
void record(CudaDoubleGraph& graph, CudaDoubleStream::Work work);
void spoil(CudaDoubleGraph& graph);

// All state; every call holds the lock, and so does the execution of work.
struct World {
  std::recursive_mutex mutex;
  Memory memory;
  std::set<cudaStream_t> streams;
  std::set<cudaEvent_t> events;
  std::map<const char*, size_t> pinned;  // bytes by address
  cudaError_t last = cudaSuccess;
  cudaError_t broken = cudaSuccess;  // sticky, as after a device fault
  std::string why;
  int64_t compiled_launches = 0, launches = 0, calls = 0, copies = 0, graphs = 0, graph_updates = 0;
  uint64_t streams_made = 0;
  std::string
      history;  // kinds of what was done: 'k' kernel, 'l' library, 'u', 'd' and 'm' copies to, from and on the device, 'g' before what a graph does

  CudaDoubleStream legacy;  // the default stream, for those who call it by its name

  const pid_t process = getpid();  // whose driver this is: in a child of it nothing works, as on hardware

  World() { streams.insert(&legacy); }
  bool forked() const { return getpid() != process; }
  static World& get();
  cudaStream_t named(cudaStream_t stream) { return stream == cudaStreamLegacy ? &legacy : stream; }
  // Runs the stream's work up to number `until`.
  void run(cudaStream_t stream, uint64_t until);
  cudaError_t enqueue(cudaStream_t stream, std::function<void()> work, char kind = 0);
  cudaError_t fail(cudaError_t error) { return last = error; }
};

}  // namespace cuda_double

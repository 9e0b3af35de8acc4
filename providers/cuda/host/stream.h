// A stream of a device, for kernels or for copies: copies through pinned memory, a cuDNN handle, and what kernels report of bad data.
#pragma once

#include <cuda_runtime.h>
#include <cudnn.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "cuda/device/report.h"
#include "cuda/host/device.h"
#include "cuda/host/graph.h"

namespace onnxrun::cuda {

// Calls on one stream never overlap.
class Stream {
 public:
  explicit Stream(Device& device);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  Device& device() const { return device_; }
  cudaStream_t raw() const { return stream_; }
  cudnnHandle_t convolutions();  // made on first use

  // Kernels launched and library calls made so far; each launch counts itself.
  uint64_t work() const { return work_; }
  void count_work() { ++work_; }

  // Host memory given to `upload` may change after `synchronize`; that given to `download` is filled by then.
  void upload(const void* from, void* to, size_t bytes);
  void download(const void* from, void* to, size_t bytes);
  void move(const void* from, void* to, size_t bytes);
  // A few bytes that a kernel is to read, copied now: `from` may change at once.
  void send(const void* from, void* to, size_t bytes);

  // For a kernel that may find bad data: it sets the code to `code` unless another was set before. `message` is what `synchronize` then
  // throws.
  Report expect(std::string message);

  // Lets what comes wait for what the device's default stream was given.
  void await_default();

  // Waits for all work; throws its first error.
  void synchronize();

  // Records what comes instead of doing it. Until `end_capture` nothing can wait for the stream.
  void begin_capture();
  // Ends a recording in any case. Gives it to `graph`, or makes one where that is null; throws what could not be recorded.
  void end_capture(Graph*& graph);
  void launch(Graph& graph);

  // Gives back the pinned memory that is kept for the next copies. Nothing is under way.
  void trim() noexcept;

 private:
  static constexpr int kFirstRecorded = 1 << 20;

  void make_report();

  struct Landing {
    void* pinned;
    void* to;
    size_t bytes;
    cudaEvent_t arrived;  // of large ones, else null
  };

  char* stage(size_t bytes);
  void drop_idle_blocks(size_t used);
  cudaEvent_t arrival(size_t bytes);
  cudaError_t land();

  Device& device_;
  cudaStream_t stream_ = nullptr;
  cudnnHandle_t convolutions_ = nullptr;
  cudaEvent_t default_ = nullptr;  // where the device's default stream was when it was last waited for
  uint64_t work_ = 0;
  // Pinned blocks, used from the front; all free after a synchronisation.
  struct PinnedBlock {
    char* data;
    size_t bytes;
  };
  std::deque<PinnedBlock> pinned_;
  size_t block_ = 0, block_used_ = 0;
  std::vector<cudaEvent_t> arrivals_;  // the first of them in use
  size_t arrivals_used_ = 0;
  int idle_waits_ = 0;  // since all blocks were in use
  std::vector<Landing> landings_;
  int* report_ = nullptr;               // on the device
  std::vector<std::string> messages_;   // by number from 1 on, of this run
  int next_recorded_ = kFirstRecorded;  // number of the next message that a graph keeps
  std::vector<Graph*> launched_;        // graphs with messages, of this run
  std::unique_ptr<Graph> recording_;
};

}  // namespace onnxrun::cuda

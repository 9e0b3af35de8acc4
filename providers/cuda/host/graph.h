// Recorded work of a stream: a CUDA graph with what its nodes read from the host.
#pragma once

#include <cuda_runtime.h>

#include <map>
#include <string>
#include <vector>

namespace onnxrun::cuda {

class Stream;

// Belongs to the stream on which it was recorded, and does not outlive it.
class Graph {
 public:
  explicit Graph(Stream& stream) : stream_(stream) {}
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Pinned memory that stays as it is while the graph lives.
  char* stage(size_t bytes);
  // Kernels that may find bad data report these numbers.
  std::map<int, std::string>& messages() { return messages_; }

  // Makes what was recorded ready to run, in place of what it was before.
  void take(cudaGraph_t recorded);
  void launch(cudaStream_t on);

  // Takes over what belongs to a newer recording of the same steps, which has become the graph's.
  void adopt(Graph& newer);

 private:
  struct Pinned {
    char* data;
    size_t bytes, used;
  };
  Stream& stream_;
  cudaGraphExec_t exec_ = nullptr;
  std::vector<Pinned> pinned_;
  std::map<int, std::string> messages_;
};

}  // namespace onnxrun::cuda

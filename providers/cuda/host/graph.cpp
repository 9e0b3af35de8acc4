// CUDA graphs: made of a recording, made anew or updated, launched.
#include "cuda/host/graph.h"

#include <algorithm>

#include "cuda/host/check.h"
#include "cuda/host/stream.h"

namespace onnxrun::cuda {

namespace {

constexpr size_t kPinnedBlock = size_t{64} << 10;

}  // namespace

Graph::~Graph() {
  stream_.device().use();
  if (exec_ != nullptr) cudaGraphExecDestroy(exec_);
  for (const Pinned& block : pinned_) cudaFreeHost(block.data);
}

char* Graph::stage(size_t bytes) {
  bytes = (bytes + 63) / 64 * 64;
  if (pinned_.empty() || pinned_.back().used + bytes > pinned_.back().bytes) {
    void* memory = nullptr;
    const size_t size = std::max(bytes, kPinnedBlock);
    check(cudaHostAlloc(&memory, size, cudaHostAllocDefault), "allocating pinned memory");
    pinned_.push_back({static_cast<char*>(memory), size, 0});
  }
  char* result = pinned_.back().data + pinned_.back().used;
  pinned_.back().used += bytes;
  return result;
}

void Graph::take(cudaGraph_t recorded) {
  if (exec_ != nullptr) {
    cudaGraphExecUpdateResultInfo info{};
    if (cudaGraphExecUpdate(exec_, recorded, &info) == cudaSuccess) return;
    cudaGetLastError();  // of another form: made anew
    cudaGraphExecDestroy(exec_);
    exec_ = nullptr;
  }
  check(cudaGraphInstantiate(&exec_, recorded, 0), "making a graph");
}

void Graph::launch(cudaStream_t on) { check(cudaGraphLaunch(exec_, on), "launching a graph"); }

void Graph::adopt(Graph& newer) {
  std::swap(pinned_, newer.pinned_);
  std::swap(messages_, newer.messages_);
}

}  // namespace onnxrun::cuda

// Graphs of the double: what a stream was given while it recorded, done as one piece of work when they are launched.
#include "streams.h"

using cuda_double::World;

#define ENTER                  \
  World& world = World::get(); \
  const std::lock_guard lock(world.mutex)

struct CudaDoubleGraph {
  std::vector<CudaDoubleStream::Work> nodes;
  bool invalid = false;
};

// Shared with launches that are still to be done.
struct CudaDoubleGraphExec {
  std::shared_ptr<const std::vector<CudaDoubleStream::Work>> nodes;
};

namespace cuda_double {

void record(CudaDoubleGraph& graph, CudaDoubleStream::Work work) { graph.nodes.push_back(std::move(work)); }

void spoil(CudaDoubleGraph& graph) { graph.invalid = true; }

}  // namespace cuda_double

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  ENTER;
  if (world.streams.count(stream) == 0) return world.fail(cudaErrorInvalidResourceHandle);
  if (stream->capture != nullptr) return world.fail(cudaErrorStreamCaptureUnsupported);
  stream->capture = new CudaDoubleGraph;
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  ENTER;
  *graph = nullptr;
  if (world.streams.count(stream) == 0 || stream->capture == nullptr) return world.fail(cudaErrorInvalidResourceHandle);
  CudaDoubleGraph* recorded = stream->capture;
  stream->capture = nullptr;
  if (recorded->invalid) {
    delete recorded;
    return world.fail(cudaErrorStreamCaptureInvalidated);
  }
  *graph = recorded;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags) {
  ENTER;
  if (graph == nullptr || flags != 0) return world.fail(cudaErrorInvalidValue);
  *exec = new CudaDoubleGraphExec{std::make_shared<std::vector<CudaDoubleStream::Work>>(graph->nodes)};
  ++world.graphs;
  return cudaSuccess;
}

// As CUDA does, only where the nodes are of the same kinds in the same order.
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph, cudaGraphExecUpdateResultInfo* info) {
  ENTER;
  if (exec == nullptr || graph == nullptr || info == nullptr) return world.fail(cudaErrorInvalidValue);
  bool same = exec->nodes->size() == graph->nodes.size();
  for (size_t i = 0; same && i < graph->nodes.size(); ++i) same = (*exec->nodes)[i].kind == graph->nodes[i].kind;
  if (!same) return world.fail(cudaErrorGraphExecUpdateFailure);
  exec->nodes = std::make_shared<std::vector<CudaDoubleStream::Work>>(graph->nodes);
  ++world.graph_updates;
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  ENTER;
  if (exec == nullptr) return world.fail(cudaErrorInvalidValue);
  return world.enqueue(
      stream,
      [&world, nodes = exec->nodes] {
        for (const CudaDoubleStream::Work& node : *nodes) {
          if (node.kind != 0) world.history += node.kind;
          node.run();
        }
      },
      'g');
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

// Graphs made and updated since the process began.
CUDA_DOUBLE_API void cuda_double_graphs(int64_t* made, int64_t* updated) {
  ENTER;
  *made = world.graphs;
  *updated = world.graph_updates;
}

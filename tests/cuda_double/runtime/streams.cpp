// Streams and events of the double. Nothing runs before the host waits for it, and then no more than it waits for. Of the streams that the
// number CUDA_DOUBLE_EAGER in the environment names by its bits (the n-th that is made by bit n modulo 16) the opposite is true: they run ahead of others.
#include "streams.h"

#include <cstdio>
#include <cstdlib>

#include "grid.h"

namespace cuda_double {

World& World::get() {
  static World* world = new World;
  return *world;
}

void World::run(cudaStream_t stream, uint64_t until) {
  memory.open();
  while (stream->done < until && !stream->queue.empty()) {
    CudaDoubleStream::Work work = std::move(stream->queue.front());
    stream->queue.pop_front();
    ++stream->done;
    if (broken != cudaSuccess) continue;
    if (work.kind != 0) history += work.kind;
    try {
      work.run();
    } catch (const std::string& reason) {
      broken = cudaErrorIllegalAddress;
      why = reason;
      std::fprintf(stderr, "cuda double: %s\n", reason.c_str());
    }
  }
  memory.close();
}

cudaError_t World::enqueue(cudaStream_t stream, std::function<void()> work, char kind) {
  stream = named(stream);
  // The legacy default stream waits for all others and so hides a missing event.
  if (streams.count(stream) == 0) return fail(cudaErrorInvalidResourceHandle);
  if (broken != cudaSuccess) return fail(broken);
  if (stream->capture != nullptr) {
    record(*stream->capture, {std::move(work), kind});
    return cudaSuccess;
  }
  stream->queue.push_back({std::move(work), kind});
  ++stream->enqueued;
  if (stream->eager) run(stream, stream->enqueued);
  return cudaSuccess;
}

CUDA_DOUBLE_API cudaError_t cuda_double_launch(const std::function<void()>& thread, dim3 grid, dim3 block, size_t,
                                               cudaStream_t stream) {
  World& world = World::get();
  const std::lock_guard lock(world.mutex);
  const size_t threads = size_t{block.x} * block.y * block.z;
  if (threads == 0 || threads > 1024 || block.z > 64 || grid.x == 0 || grid.y == 0 || grid.z == 0 ||
      grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535)
    return world.fail(cudaErrorInvalidConfiguration);
  ++world.launches;
  return world.enqueue(
      stream, [thread, grid, block] { run_grid(thread, grid, block); }, 'k');
}

CUDA_DOUBLE_API cudaError_t cuda_double_enqueue(const std::function<void()>& work, cudaStream_t stream) {
  World& world = World::get();
  const std::lock_guard lock(world.mutex);
  ++world.calls;
  return world.enqueue(stream, work, 'l');
}

CUDA_DOUBLE_API bool cuda_double_is_device(const void* memory, size_t bytes) {
  World& world = World::get();
  const std::lock_guard lock(world.mutex);
  return world.memory.holds(memory, bytes);
}

}  // namespace cuda_double

using cuda_double::World;

#define ENTER                  \
  World& world = World::get(); \
  const std::lock_guard lock(world.mutex)

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  ENTER;
  if (flags != cudaStreamNonBlocking) return world.fail(cudaErrorInvalidValue);
  *stream = new CudaDoubleStream;
  const char* eager = std::getenv("CUDA_DOUBLE_EAGER");
  (*stream)->eager = eager != nullptr && (std::strtoull(eager, nullptr, 0) >> world.streams_made % 16 & 1) != 0;
  ++world.streams_made;
  world.streams.insert(*stream);
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  ENTER;
  if (world.streams.count(stream) == 0) return world.fail(cudaErrorInvalidResourceHandle);
  world.run(stream, stream->enqueued);
  world.streams.erase(stream);
  for (cudaEvent_t event : world.events)
    if (event->stream == stream) event->stream = nullptr;
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  ENTER;
  stream = world.named(stream);
  if (world.streams.count(stream) == 0) return world.fail(cudaErrorInvalidResourceHandle);
  if (stream->capture != nullptr) {
    cuda_double::spoil(*stream->capture);
    return world.fail(cudaErrorStreamCaptureUnsupported);
  }
  world.run(stream, stream->enqueued);
  return world.broken == cudaSuccess ? cudaSuccess : world.fail(world.broken);
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  ENTER;
  *event = new CudaDoubleEvent;
  world.events.insert(*event);
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  ENTER;
  stream = world.named(stream);
  if (world.events.count(event) == 0 || world.streams.count(stream) == 0)
    return world.fail(cudaErrorInvalidResourceHandle);
  event->stream = stream;
  event->at = stream->enqueued;
  event->recording = stream->capture;
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  ENTER;
  if (world.events.count(event) == 0) return world.fail(cudaErrorInvalidResourceHandle);
  const cudaStream_t other = event->stream;
  const uint64_t at = event->at;
  stream = world.named(stream);
  // The provider records one stream at a time: what it waits for has to be done before, and nobody can wait for a part of it.
  if (world.streams.count(stream) != 0 && (stream->capture != nullptr || event->recording != nullptr)) {
    if (stream->capture != nullptr) cuda_double::spoil(*stream->capture);
    return world.fail(cudaErrorStreamCaptureIsolation);
  }
  return world.enqueue(stream, [&world, other, at] {
    if (world.streams.count(other) != 0) world.run(other, at);
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  ENTER;
  if (world.events.count(event) == 0) return world.fail(cudaErrorInvalidResourceHandle);
  if (event->stream != nullptr) world.run(event->stream, event->at);
  return world.broken == cudaSuccess ? cudaSuccess : world.fail(world.broken);
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  ENTER;
  if (world.events.erase(event) == 0) return world.fail(cudaErrorInvalidResourceHandle);
  delete event;
  return cudaSuccess;
}

// Devices, memory, copies and errors of the double. The environment variable CUDA_DOUBLE chooses what machine it plays:
// "no-driver", "old-driver", "no-device", "old-device", or "memory=BYTES" for a device of that much memory.
#include <cstdlib>
#include <iterator>
#include <string>

#include "streams.h"

using cuda_double::World;

#define ENTER                  \
  World& world = World::get(); \
  const std::lock_guard lock(world.mutex)

// Of a function of CUDA's.
#define ENTER_CUDA \
  ENTER;           \
  if (world.forked()) return world.fail(cudaErrorInitializationError)

namespace {

std::string machine() {
  const char* value = std::getenv("CUDA_DOUBLE");
  return value != nullptr ? value : "";
}

thread_local int current_device = -1;

}  // namespace

struct CudaDoublePool {
  size_t limit = 0, used = 0;
};

cudaError_t cudaDriverGetVersion(int* version) {
  *version = machine() == "no-driver" ? 0 : machine() == "old-driver" ? 12040 : 13000;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  ENTER_CUDA;
  *count = 0;
  if (machine() == "no-driver" || machine() == "old-driver") return world.fail(cudaErrorInsufficientDriver);
  if (machine() == "no-device") return world.fail(cudaErrorNoDevice);
  if (machine().rfind("memory=", 0) == 0) world.memory.set_limit(std::strtoull(machine().c_str() + 7, nullptr, 10));
  *count = 2;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  ENTER_CUDA;
  if (device < 0 || device > 1) return world.fail(cudaErrorInvalidDevice);
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_device < 0 ? 0 : current_device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  ENTER_CUDA;
  if (device < 0 || device > 1) return world.fail(cudaErrorInvalidDevice);
  *properties = {};
  std::strcpy(properties->name, "CUDA double");
  properties->totalGlobalMem = world.memory.limit();
  properties->major = machine() == "old-device" ? 6 : 8;
  properties->minor = machine() == "old-device" ? 1 : 0;
  properties->multiProcessorCount = 2;
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
  ENTER_CUDA;
  if (device < 0 || device > 1) return world.fail(cudaErrorInvalidDevice);
  switch (attribute) {
    case cudaDevAttrMultiProcessorCount: *value = 2; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor: *value = 8; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor: *value = 0; return cudaSuccess;
    case cudaDevAttrMemoryPoolsSupported: *value = 1; return cudaSuccess;
  }
  return world.fail(cudaErrorInvalidValue);
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorInitializationError: return "cudaErrorInitializationError";
    case cudaErrorMemoryAllocation: return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration: return "cudaErrorInvalidConfiguration";
    case cudaErrorInsufficientDriver: return "cudaErrorInsufficientDriver";
    case cudaErrorNoDevice: return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice: return "cudaErrorInvalidDevice";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    case cudaErrorNotReady: return "cudaErrorNotReady";
    case cudaErrorIllegalAddress: return "cudaErrorIllegalAddress";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported: return "cudaErrorStreamCaptureUnsupported";
    case cudaErrorStreamCaptureInvalidated: return "cudaErrorStreamCaptureInvalidated";
    case cudaErrorStreamCaptureIsolation: return "cudaErrorStreamCaptureIsolation";
    case cudaErrorGraphExecUpdateFailure: return "cudaErrorGraphExecUpdateFailure";
  }
  return "unknown";
}

const char* cudaGetErrorString(cudaError_t error) {
  ENTER;
  return error == world.broken && !world.why.empty() ? world.why.c_str() : cudaGetErrorName(error);
}

cudaError_t cudaGetLastError() {
  ENTER;
  const cudaError_t last = world.last;
  world.last = world.broken;
  return last;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  ENTER_CUDA;
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  if (world.memory.in_region(from) != from_device || world.memory.in_region(to) != to_device)
    return world.fail(cudaErrorInvalidValue);
  ++world.copies;
  return world.enqueue(
      stream,
      [&world, to, from, bytes, from_device, to_device] {
        if ((from_device && !world.memory.holds(from, bytes)) || (to_device && !world.memory.holds(to, bytes)))
          throw std::string("a copy of ") + std::to_string(bytes) + " bytes goes beyond a device allocation";
        std::memmove(to, from, bytes);
      },
      !from_device ? 'u'
      : to_device  ? 'm'
                   : 'd');
}

cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  ENTER_CUDA;
  if (!world.memory.in_region(to)) return world.fail(cudaErrorInvalidValue);
  return world.enqueue(stream, [&world, to, value, bytes] {
    if (!world.memory.holds(to, bytes)) throw std::string("a memset goes beyond a device allocation");
    std::memset(to, value, bytes);
  });
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
  ENTER_CUDA;
  if (properties->allocType != cudaMemAllocationTypePinned || properties->location.type != cudaMemLocationTypeDevice)
    return world.fail(cudaErrorInvalidValue);
  *pool = new CudaDoublePool{properties->maxSize, 0};
  return cudaSuccess;
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
  delete pool;
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }

cudaError_t cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t, cudaStream_t stream) {
  ENTER_CUDA;
  if (world.streams.count(stream) == 0) return world.fail(cudaErrorInvalidResourceHandle);
  *memory = world.memory.allocate(bytes);
  return *memory == nullptr ? world.fail(cudaErrorMemoryAllocation) : cudaSuccess;
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  ENTER_CUDA;
  return world.enqueue(stream, [&world, memory] { world.memory.release(memory); });
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  ENTER_CUDA;
  *memory = std::malloc(bytes);
  world.pinned[static_cast<char*>(*memory)] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeHost(void* memory) {
  ENTER_CUDA;
  if (world.pinned.erase(static_cast<char*>(memory)) == 0) return world.fail(cudaErrorInvalidValue);
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
  ENTER_CUDA;
  const char* at = static_cast<const char*>(memory);
  const auto next = world.pinned.upper_bound(at);
  const bool pinned = next != world.pinned.begin() && at < std::prev(next)->first + std::prev(next)->second;
  attributes->type = cuda_double::cuda_double_is_device(memory, 1) ? cudaMemoryTypeDevice
                     : pinned                                      ? cudaMemoryTypeHost
                                                                   : cudaMemoryTypeUnregistered;
  return cudaSuccess;
}

// What was asked of the device so far: kernels, library calls, copies.
CUDA_DOUBLE_API void cuda_double_counts(int64_t* launches, int64_t* calls, int64_t* copies) {
  ENTER;
  *launches = world.launches;
  *calls = world.calls;
  *copies = world.copies;
}

// What was done since cuda_double_start, a letter each; see World::history. Valid until the next call.
CUDA_DOUBLE_API const char* cuda_double_history() {
  ENTER;
  static std::string copy;
  copy = world.history;
  return copy.c_str();
}

// Forgets what was done, and numbers the streams made from now on from 0.
CUDA_DOUBLE_API void cuda_double_start() {
  ENTER;
  world.history.clear();
  world.streams_made = 0;
}

// Bytes of device memory and blocks of pinned memory that are in use.
CUDA_DOUBLE_API void cuda_double_held(int64_t* device, int64_t* pinned) {
  ENTER;
  *device = static_cast<int64_t>(world.memory.used());
  *pinned = static_cast<int64_t>(world.pinned.size());
}

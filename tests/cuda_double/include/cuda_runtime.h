// The part of CUDA's runtime API and of its C++ language extensions that the CUDA provider uses, for the double: kernels are ordinary
// functions that run on the CPU, device memory is a region that only they may touch. Names and meanings are those of CUDA.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>
#include <type_traits>
#include <utility>

#define CUDA_DOUBLE_API extern "C" __attribute__((visibility("default")))

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct uint3 {
  unsigned x, y, z;
};

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInitializationError = 3,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorInvalidResourceHandle = 400,
  cudaErrorNotReady = 600,
  cudaErrorIllegalAddress = 700,
  cudaErrorLaunchFailure = 719,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901,
  cudaErrorStreamCaptureIsolation = 905,
  cudaErrorGraphExecUpdateFailure = 910
};
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76,
  cudaDevAttrMemoryPoolsSupported = 115
};
enum cudaMemAllocationType { cudaMemAllocationTypeInvalid, cudaMemAllocationTypePinned };
enum cudaMemAllocationHandleType { cudaMemHandleTypeNone };
enum cudaMemLocationType { cudaMemLocationTypeInvalid, cudaMemLocationTypeDevice };
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold = 4 };
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocDefault = 0 };
enum cudaStreamCaptureMode {
  cudaStreamCaptureModeGlobal,
  cudaStreamCaptureModeThreadLocal,
  cudaStreamCaptureModeRelaxed
};

struct cudaGraphExecUpdateResultInfo {
  int result;
};
struct cudaMemLocation {
  cudaMemLocationType type;
  int id;
};
struct cudaMemPoolProps {
  cudaMemAllocationType allocType;
  cudaMemAllocationHandleType handleTypes;
  cudaMemLocation location;
  void* win32SecurityAttributes;
  size_t maxSize;
};
struct cudaDeviceProp {
  char name[256];
  size_t totalGlobalMem;
  int major, minor;
  int multiProcessorCount;
};
using cudaStream_t = struct CudaDoubleStream*;
// The default stream by its name. Streams made with cudaStreamNonBlocking, and others are not made here, do not wait for it.
#define cudaStreamLegacy (reinterpret_cast<cudaStream_t>(1))
using cudaEvent_t = struct CudaDoubleEvent*;
using cudaMemPool_t = struct CudaDoublePool*;
using cudaLibrary_t = struct CudaDoubleLibrary*;
using cudaKernel_t = struct CudaDoubleKernel*;
using cudaGraph_t = struct CudaDoubleGraph*;
using cudaGraphExec_t = struct CudaDoubleGraphExec*;

CUDA_DOUBLE_API cudaError_t cudaDriverGetVersion(int* version);
CUDA_DOUBLE_API cudaError_t cudaGetDeviceCount(int* count);
CUDA_DOUBLE_API cudaError_t cudaSetDevice(int device);
CUDA_DOUBLE_API cudaError_t cudaGetDevice(int* device);
CUDA_DOUBLE_API cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
CUDA_DOUBLE_API cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device);
CUDA_DOUBLE_API const char* cudaGetErrorName(cudaError_t error);
CUDA_DOUBLE_API const char* cudaGetErrorString(cudaError_t error);
CUDA_DOUBLE_API cudaError_t cudaGetLastError();
CUDA_DOUBLE_API cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
CUDA_DOUBLE_API cudaError_t cudaStreamDestroy(cudaStream_t stream);
CUDA_DOUBLE_API cudaError_t cudaStreamSynchronize(cudaStream_t stream);
CUDA_DOUBLE_API cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
CUDA_DOUBLE_API cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
CUDA_DOUBLE_API cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
CUDA_DOUBLE_API cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags);
CUDA_DOUBLE_API cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                                cudaGraphExecUpdateResultInfo* info);
CUDA_DOUBLE_API cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
CUDA_DOUBLE_API cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);
CUDA_DOUBLE_API cudaError_t cudaGraphDestroy(cudaGraph_t graph);
CUDA_DOUBLE_API cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* code, void* jit_options,
                                                void* jit_values, unsigned jit_count, void* options, void* values,
                                                unsigned count);
CUDA_DOUBLE_API cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name);
CUDA_DOUBLE_API cudaError_t cudaLibraryUnload(cudaLibrary_t library);
// Of a kernel that was loaded; it has one argument.
CUDA_DOUBLE_API cudaError_t cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments, size_t shared,
                                             cudaStream_t stream);
CUDA_DOUBLE_API cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
CUDA_DOUBLE_API cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
CUDA_DOUBLE_API cudaError_t cudaEventSynchronize(cudaEvent_t event);
CUDA_DOUBLE_API cudaError_t cudaEventDestroy(cudaEvent_t event);
CUDA_DOUBLE_API cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                                            cudaStream_t stream);
CUDA_DOUBLE_API cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream);
CUDA_DOUBLE_API cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties);
CUDA_DOUBLE_API cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool);
CUDA_DOUBLE_API cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value);
CUDA_DOUBLE_API cudaError_t cudaMallocFromPoolAsync(void** memory, size_t bytes, cudaMemPool_t pool,
                                                    cudaStream_t stream);
CUDA_DOUBLE_API cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream);
enum cudaMemoryType { cudaMemoryTypeUnregistered = 0, cudaMemoryTypeHost = 1, cudaMemoryTypeDevice = 2 };
struct cudaPointerAttributes {
  cudaMemoryType type;
};
CUDA_DOUBLE_API cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned flags);
CUDA_DOUBLE_API cudaError_t cudaFreeHost(void* memory);
CUDA_DOUBLE_API cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory);

namespace cuda_double {

// Where the running thread of a kernel stands.
struct Position {
  uint3 thread, block;
  dim3 block_size, grid;
};
extern "C" __attribute__((visibility("default"))) Position* cuda_double_position;

// Enqueues a kernel: `thread` runs one of its threads.
CUDA_DOUBLE_API cudaError_t cuda_double_launch(const std::function<void()>& thread, dim3 grid, dim3 block,
                                               size_t shared, cudaStream_t stream);
// Enqueues what a library call computes.
CUDA_DOUBLE_API cudaError_t cuda_double_enqueue(const std::function<void()>& work, cudaStream_t stream);
// Whether all of [memory, memory + bytes) lies in one live device allocation.
CUDA_DOUBLE_API bool cuda_double_is_device(const void* memory, size_t bytes);

CUDA_DOUBLE_API void cuda_double_block_barrier();
// All lanes of the warp put in `in` (of `bytes` bytes, at most 8) and get what lane `from` has put in.
CUDA_DOUBLE_API void cuda_double_exchange(const void* in, void* out, size_t bytes, int from);
CUDA_DOUBLE_API unsigned cuda_double_ballot(int predicate);
CUDA_DOUBLE_API void cuda_double_warp_barrier();

template <class... P, size_t... I>
std::function<void()> bound(void (*kernel)(P...), void** arguments, std::index_sequence<I...>) {
  std::tuple<std::remove_cv_t<P>...> values(*static_cast<std::remove_cv_t<P>*>(arguments[I])...);
  return [kernel, values] { std::apply(kernel, values); };
}

}  // namespace cuda_double

template <class... P>
cudaError_t cudaLaunchKernel(void (*kernel)(P...), dim3 grid, dim3 block, void** arguments, size_t shared,
                             cudaStream_t stream) {
  return cuda_double::cuda_double_launch(cuda_double::bound(kernel, arguments, std::index_sequence_for<P...>()), grid,
                                         block, shared, stream);
}

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__
#define __launch_bounds__(...)
// One block runs at a time.
#define __shared__ static
#define threadIdx (cuda_double::cuda_double_position->thread)
#define blockIdx (cuda_double::cuda_double_position->block)
#define blockDim (cuda_double::cuda_double_position->block_size)
#define gridDim (cuda_double::cuda_double_position->grid)
constexpr int warpSize = 32;

inline void __syncthreads() { cuda_double::cuda_double_block_barrier(); }
inline void __syncwarp(unsigned = 0xffffffffu) { cuda_double::cuda_double_warp_barrier(); }

template <class T>
T __shfl_sync(unsigned, T value, int lane) {
  T result;
  cuda_double::cuda_double_exchange(&value, &result, sizeof(T), lane & 31);
  return result;
}
namespace cuda_double {
inline int lane() {
  const Position& at = *cuda_double_position;
  return static_cast<int>((at.thread.x + at.block_size.x * (at.thread.y + at.block_size.y * at.thread.z)) & 31u);
}
}  // namespace cuda_double
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
  return __shfl_sync(mask, value, cuda_double::lane() ^ lanes);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, int lanes) {
  const int lane = cuda_double::lane();
  return __shfl_sync(mask, value, lane + lanes < 32 ? lane + lanes : lane);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, int lanes) {
  const int lane = cuda_double::lane();
  return __shfl_sync(mask, value, lane >= lanes ? lane - lanes : lane);
}
inline unsigned __ballot_sync(unsigned, int predicate) { return cuda_double::cuda_double_ballot(predicate); }

// Tells the search for races that the running thread changes these bytes atomically.
CUDA_DOUBLE_API void cuda_double_atomic(const void* address, size_t bytes);

// Threads take turns, so plain reads and writes are atomic; the compiler is not to report them as plain.
#define CUDA_DOUBLE_ATOMIC __attribute__((noinline, no_sanitize("thread")))
template <class T>
CUDA_DOUBLE_ATOMIC T atomicAdd(T* to, T value) {
  cuda_double_atomic(to, sizeof(T));
  const T old = *to;
  *to = static_cast<T>(old + value);
  return old;
}
template <class T>
CUDA_DOUBLE_ATOMIC T atomicMax(T* to, T value) {
  cuda_double_atomic(to, sizeof(T));
  const T old = *to;
  if (value > old) *to = value;
  return old;
}
template <class T>
CUDA_DOUBLE_ATOMIC T atomicMin(T* to, T value) {
  cuda_double_atomic(to, sizeof(T));
  const T old = *to;
  if (value < old) *to = value;
  return old;
}
template <class T>
CUDA_DOUBLE_ATOMIC T atomicCAS(T* to, T expected, T value) {
  cuda_double_atomic(to, sizeof(T));
  const T old = *to;
  if (old == expected) *to = value;
  return old;
}
// Rounded for themselves, never joined with a sum.
inline float __fmul_rn(float a, float b) { return a * b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline int __popc(unsigned value) { return __builtin_popcount(value); }

inline float __int_as_float(int bits) {
  float result;
  std::memcpy(&result, &bits, 4);
  return result;
}
inline int __float_as_int(float value) {
  int result;
  std::memcpy(&result, &value, 4);
  return result;
}
inline double __longlong_as_double(long long bits) {
  double result;
  std::memcpy(&result, &bits, 8);
  return result;
}
inline long long __double_as_longlong(double value) {
  long long result;
  std::memcpy(&result, &value, 8);
  return result;
}

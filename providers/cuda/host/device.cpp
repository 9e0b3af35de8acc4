// One GPU: discovery and its stream-ordered memory pool.
#include "cuda/host/device.h"

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "cuda/host/check.h"
#include "cuda/host/libraries.h"

namespace onnxrun::cuda {

using base::Code;
using base::fail;

namespace {

constexpr int kLeastMajor = 7, kLeastMinor = 5;

int device_count() {
  int driver = 0;
  cudaDriverGetVersion(&driver);
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) cudaGetLastError();
  if (driver == 0) fail(Code::kUnsupported, "the CUDA provider needs NVIDIA's driver, and this machine has none");
  if (error == cudaErrorInsufficientDriver)
    fail(Code::kUnsupported, "NVIDIA's driver serves CUDA {}.{}; the CUDA provider needs a newer one", driver / 1000,
         driver % 1000 / 10);
  if (error == cudaErrorNoDevice || count == 0) fail(Code::kUnsupported, "there is no CUDA device");
  check(error, "looking for devices");
  return count;
}

}  // namespace

Device::Device(DeviceOptions options) : index_(options.index) {
  const int count = device_count();
  if (index_ < 0 || index_ >= count)
    fail(Code::kUnsupported, "there is no CUDA device {}: this machine has {}", index_, count);
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index_), "reading a device's properties");
  name_ = properties.name;
  if (properties.major < kLeastMajor || (properties.major == kLeastMajor && properties.minor < kLeastMinor))
    fail(Code::kUnsupported, "CUDA device {} ({}) has compute capability {}.{}; the CUDA provider needs {}.{}", index_,
         name_, properties.major, properties.minor, kLeastMajor, kLeastMinor);
  algorithms_ = std::make_unique<Algorithms>(options.algorithms, fmt::format("{}, cuDNN {}", name_, cudnn().version()));
  limit_ = options.memory_limit != 0 ? options.memory_limit : properties.totalGlobalMem;
  use();
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
  cudaMemPoolProps pool{};
  pool.allocType = cudaMemAllocationTypePinned;
  pool.handleTypes = cudaMemHandleTypeNone;
  pool.location.type = cudaMemLocationTypeDevice;
  pool.location.id = index_;
  check(cudaMemPoolCreate(&pool_, &pool), "creating a memory pool");
  uint64_t keep = 0;  // what is free goes back to the driver when the stream is waited for
  check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep), "setting up a memory pool");
  check(cublas_lt().create(&products_), "creating a handle");
  if (options.compile && Compiler::available())
    compiler_ = std::make_unique<Compiler>(fmt::format("sm_{}{}", properties.major, properties.minor));
}

Device::~Device() {
  use();
  compiler_.reset();
  if (products_ != nullptr) cublas_lt().destroy(products_);
  if (stream_ != nullptr) cudaStreamSynchronize(stream_);
  if (pool_ != nullptr) cudaMemPoolDestroy(pool_);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

void Device::use() const { cudaSetDevice(index_); }

void* Device::allocate(size_t bytes) {
  use();
  const std::lock_guard lock(mutex_);
  if (bytes > limit_ || used_ > limit_ - bytes)
    fail(Code::kLimitExceeded,
         "CUDA device {} ({}): {} bytes are wanted and {} in use, which would pass the limit of {} bytes (option "
         "memory_limit)",
         index_, name_, bytes, used_, limit_);
  void* memory = nullptr;
  cudaError_t error = cudaMallocFromPoolAsync(&memory, bytes, pool_, stream_);
  // Other streams may use it at once.
  if (error == cudaSuccess) error = cudaStreamSynchronize(stream_);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    fail(Code::kLimitExceeded, "CUDA device {} ({}) has no {} bytes left; this process has {} bytes of it", index_,
         name_, bytes, used_);
  }
  check(error, "allocating memory");
  used_ += bytes;
  sizes_[memory] = bytes;
  return memory;
}

void Device::deallocate(void* memory) noexcept {
  use();
  const std::lock_guard lock(mutex_);
  const auto found = sizes_.find(memory);
  if (found == sizes_.end()) return;
  used_ -= found->second;
  sizes_.erase(found);
  cudaFreeAsync(memory, stream_);
  cudaStreamSynchronize(stream_);
}

size_t Device::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace onnxrun::cuda

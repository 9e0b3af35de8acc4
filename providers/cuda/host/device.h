// One GPU: its memory, and what streams on it share.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "cuda/host/algorithms.h"
#include "cuda/host/compiler.h"

namespace onnxrun::cuda {

struct DeviceOptions {
  int index = 0;
  size_t memory_limit = 0;  // bytes that allocations may take together; 0: what the device has
  bool compile = true;      // whether kernels are compiled for chains where NVRTC is at hand
  bool graphs = true;       // whether runs of known shapes are recorded and launched as one
  std::string algorithms;   // file in which what was chosen is kept; empty: none
};

class Device {
 public:
  // Throws kUnsupported without a driver, without such a device, or when that is older than compute capability 7.5.
  explicit Device(DeviceOptions options);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  // Makes it the calling thread's device; every call into CUDA is preceded by this.
  void use() const;

  // Memory for any stream. Throws kLimitExceeded naming the sizes.
  void* allocate(size_t bytes);
  // No work that uses it is pending. The driver gets it back.
  void deallocate(void* memory) noexcept;
  size_t used() const;

  const std::string& name() const { return name_; }
  cublasLtHandle_t products() const { return products_; }
  // Null: kernels are not to be, or cannot be, compiled at run time.
  Compiler* compiler() const { return compiler_.get(); }
  Algorithms& algorithms() const { return *algorithms_; }

 private:
  int index_;
  size_t limit_ = 0;
  std::string name_;
  cudaMemPool_t pool_ = nullptr;
  cudaStream_t stream_ = nullptr;  // on which memory is allocated and freed
  cublasLtHandle_t products_ = nullptr;
  std::unique_ptr<Compiler> compiler_;
  std::unique_ptr<Algorithms> algorithms_;
  mutable std::mutex mutex_;
  size_t used_ = 0;
  std::unordered_map<void*, size_t> sizes_;
};

}  // namespace onnxrun::cuda

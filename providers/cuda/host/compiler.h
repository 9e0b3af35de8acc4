// Kernels compiled at run time by NVRTC, where the system or the folder of libraries has it.
#pragma once

#include <cuda_runtime.h>

#include <mutex>
#include <string>
#include <unordered_map>

namespace onnxrun::cuda {

// Of one device. Thread-safe.
class Compiler {
 public:
  // `architecture` as "sm_80".
  explicit Compiler(std::string architecture) : architecture_(std::move(architecture)) {}
  ~Compiler();
  Compiler(const Compiler&) = delete;
  Compiler& operator=(const Compiler&) = delete;

  static bool available();
  // The kernel `name` of a source, compiled when it is first asked for; the device is the calling thread's. Throws kRunFailed with what the compiler says.
  cudaKernel_t kernel(const std::string& source, const char* name);

 private:
  struct Made {
    cudaLibrary_t library = nullptr;
    cudaKernel_t kernel = nullptr;
  };
  const std::string architecture_;
  std::mutex mutex_;
  std::unordered_map<std::string, Made> made_;  // by source
};

}  // namespace onnxrun::cuda

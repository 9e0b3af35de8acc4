// Code that is loaded while the process runs: what the double of NVRTC made.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "grid.h"
#include "streams.h"

using cuda_double::World;

// `code` is the image of a shared library; how long it is stands in its own headers, which the loader reads.
struct CudaDoubleLibrary {
  void* handle = nullptr;
  std::vector<std::unique_ptr<CudaDoubleKernel>> kernels;
};

struct CudaDoubleKernel {
  void (*run)(const void* arguments) = nullptr;
  unsigned long bytes = 0;
};

namespace {

// The length of an ELF image: where its section headers end.
size_t image_bytes(const void* code) {
  const auto* bytes = static_cast<const unsigned char*>(code);
  if (std::memcmp(bytes, "\177ELF", 4) != 0) return 0;
  uint64_t sections = 0;
  uint16_t size = 0, count = 0;
  std::memcpy(&sections, bytes + 40, 8);
  std::memcpy(&size, bytes + 58, 2);
  std::memcpy(&count, bytes + 60, 2);
  return sections + static_cast<size_t>(size) * count;
}

}  // namespace

cudaError_t cudaLibraryLoadData(cudaLibrary_t* library, const void* code, void*, void*, unsigned, void*, void*,
                                unsigned) {
  char path[] = "/tmp/cuda_double_code_XXXXXX";
  const size_t bytes = image_bytes(code);
  const int file = bytes == 0 ? -1 : mkstemp(path);
  if (file < 0) return World::get().fail(cudaErrorInvalidValue);
  const bool written = write(file, code, bytes) == static_cast<ssize_t>(bytes);
  close(file);
  void* handle = written ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
  if (handle == nullptr) std::fprintf(stderr, "cuda double: %s\n", dlerror());
  unlink(path);
  if (handle == nullptr) return World::get().fail(cudaErrorInvalidValue);
  *library = new CudaDoubleLibrary{handle, {}};
  return cudaSuccess;
}

cudaError_t cudaLibraryGetKernel(cudaKernel_t* kernel, cudaLibrary_t library, const char* name) {
  auto made = std::make_unique<CudaDoubleKernel>();
  made->run =
      reinterpret_cast<void (*)(const void*)>(dlsym(library->handle, (std::string("cuda_double_run_") + name).c_str()));
  const void* bytes = dlsym(library->handle, (std::string("cuda_double_bytes_") + name).c_str());
  if (made->run == nullptr || bytes == nullptr) return World::get().fail(cudaErrorInvalidValue);
  std::memcpy(&made->bytes, bytes, sizeof(made->bytes));
  *kernel = made.get();
  library->kernels.push_back(std::move(made));
  return cudaSuccess;
}

// As CUDA does, it does not wait for launches: nothing of the library may be under way.
cudaError_t cudaLibraryUnload(cudaLibrary_t library) {
  dlclose(library->handle);
  delete library;
  return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* kernel, dim3 grid, dim3 block, void** arguments, size_t shared,
                             cudaStream_t stream) {
  const auto& loaded = *static_cast<const CudaDoubleKernel*>(kernel);
  const auto* first = static_cast<const char*>(arguments[0]);
  const auto copy = std::make_shared<std::vector<char>>(first, first + loaded.bytes);
  const auto run = loaded.run;
  World& world = World::get();
  const std::lock_guard lock(world.mutex);
  ++world.compiled_launches;
  return cuda_double::cuda_double_launch([copy, run] { run(copy->data()); }, grid, block, shared, stream);
}

// Launches of kernels that were loaded at run time.
CUDA_DOUBLE_API int64_t cuda_double_compiled_launches() { return World::get().compiled_launches; }

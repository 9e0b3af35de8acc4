// Compiling and loading.
#include "cuda/host/compiler.h"

#include "base/error.h"
#include "cuda/host/check.h"
#include "cuda/host/libraries.h"

namespace onnxrun::cuda {

namespace {

// A program of NVRTC's.
class Program {
 public:
  Program(const Nvrtc& nvrtc, const std::string& source) : nvrtc_(nvrtc) {
    check(nvrtc_.create(&program_, source.c_str(), "chain.cu", 0, nullptr, nullptr), "taking a source");
  }
  ~Program() { nvrtc_.destroy(&program_); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  std::string compiled(const std::string& architecture) {
    const std::string target = "--gpu-architecture=" + architecture;
    // Steps are rounded one by one, as by kernels of their own.
    const char* options[] = {target.c_str(), "--fmad=false"};
    if (nvrtc_.compile(program_, 2, options) != 0)
      base::fail(base::Code::kRunFailed,
                 "cuda: NVRTC does not compile a kernel for {} (the option compile=0 does without): {}", architecture,
                 log());
    size_t bytes = 0;
    check(nvrtc_.cubin_size(program_, &bytes), "asking for code");
    std::string code(bytes, '\0');
    check(nvrtc_.cubin(program_, code.data()), "taking code");
    return code;
  }

 private:
  void check(int status, const char* what) const {
    if (status != 0) base::fail(base::Code::kRunFailed, "cuda: NVRTC: {}: {}", what, nvrtc_.error_string(status));
  }
  std::string log() const {
    size_t bytes = 0;
    if (nvrtc_.log_size(program_, &bytes) != 0 || bytes == 0) return "it says nothing";
    std::string text(bytes, '\0');
    if (nvrtc_.log(program_, text.data()) != 0) return "it says nothing";
    while (!text.empty() && (text.back() == '\0' || text.back() == '\n')) text.pop_back();
    return text;
  }

  const Nvrtc& nvrtc_;
  void* program_ = nullptr;
};

}  // namespace

bool Compiler::available() { return nvrtc() != nullptr; }

Compiler::~Compiler() {
  for (const auto& [source, made] : made_)
    if (made.library != nullptr) cudaLibraryUnload(made.library);
}

cudaKernel_t Compiler::kernel(const std::string& source, const char* name) {
  const std::lock_guard lock(mutex_);
  const auto found = made_.find(source);
  if (found != made_.end()) return found->second.kernel;
  const std::string code = Program(*nvrtc(), source).compiled(architecture_);
  Made made;
  check(cudaLibraryLoadData(&made.library, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
        "loading a compiled kernel");
  if (const cudaError_t error = cudaLibraryGetKernel(&made.kernel, made.library, name); error != cudaSuccess) {
    cudaLibraryUnload(made.library);
    check(error, "finding a compiled kernel");
  }
  made_[source] = made;
  return made.kernel;
}

}  // namespace onnxrun::cuda

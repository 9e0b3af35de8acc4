// cuBLASLt and cuDNN, found with dlopen.
#include "cuda/host/libraries.h"

#include <dlfcn.h>

#include <mutex>
#include <type_traits>

#include "base/error.h"
#include "cuda/host/check.h"

namespace onnxrun::cuda {

using base::Code;
using base::fail;

namespace {

CublasLt cublas_lt_functions;
Cudnn cudnn_functions;
Nvrtc nvrtc_functions;
bool nvrtc_open = false;

class Library {
 public:
  Library(const std::string& folder, const char* name) : name_(name) {
    std::string why;
    if (!folder.empty() && open(folder + "/" + name, why)) return;
    if (folder.empty() && open(name, why)) return;
    fail(Code::kUnsupported,
         "the CUDA provider needs {}, which cannot be loaded: {}. Install CUDA 13's libraries and cuDNN 9, or name "
         "their "
         "folder with the option libraries=FOLDER",
         name, why);
  }

  template <class F>
  void find(F& function, const char* symbol) const {
    function = reinterpret_cast<F>(dlsym(handle_, symbol));
    if (function == nullptr)
      fail(Code::kUnsupported, "{} has no function {}: another version than the CUDA provider was built for", name_,
           symbol);
  }

 private:
  bool open(const std::string& path, std::string& why) {
    handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ != nullptr) return true;
    const char* reason = dlerror();
    why = reason != nullptr ? reason : "no reason given";
    return false;
  }
  const char* name_;
  void* handle_ = nullptr;
};

void open_cublas_lt(const std::string& folder) {
  const Library library(folder, "libcublasLt.so.13");
  CublasLt& f = cublas_lt_functions;
  library.find(f.create, "cublasLtCreate");
  library.find(f.destroy, "cublasLtDestroy");
  library.find(f.status_string, "cublasLtGetStatusString");
  library.find(f.matmul_create, "cublasLtMatmulDescCreate");
  library.find(f.matmul_destroy, "cublasLtMatmulDescDestroy");
  library.find(f.matmul_set, "cublasLtMatmulDescSetAttribute");
  library.find(f.layout_create, "cublasLtMatrixLayoutCreate");
  library.find(f.layout_destroy, "cublasLtMatrixLayoutDestroy");
  library.find(f.layout_set, "cublasLtMatrixLayoutSetAttribute");
  library.find(f.preference_create, "cublasLtMatmulPreferenceCreate");
  library.find(f.preference_destroy, "cublasLtMatmulPreferenceDestroy");
  library.find(f.preference_set, "cublasLtMatmulPreferenceSetAttribute");
  library.find(f.heuristic, "cublasLtMatmulAlgoGetHeuristic");
  library.find(f.matmul, "cublasLtMatmul");
}

void open_cudnn(const std::string& folder) {
  const Library library(folder, "libcudnn.so.9");
  Cudnn& f = cudnn_functions;
  library.find(f.version, "cudnnGetVersion");
  library.find(f.error_string, "cudnnGetErrorString");
  library.find(f.create, "cudnnCreate");
  library.find(f.destroy, "cudnnDestroy");
  library.find(f.set_stream, "cudnnSetStream");
  library.find(f.tensor_create, "cudnnCreateTensorDescriptor");
  library.find(f.tensor_destroy, "cudnnDestroyTensorDescriptor");
  library.find(f.tensor_set, "cudnnSetTensorNdDescriptor");
  library.find(f.filter_create, "cudnnCreateFilterDescriptor");
  library.find(f.filter_destroy, "cudnnDestroyFilterDescriptor");
  library.find(f.filter_set, "cudnnSetFilterNdDescriptor");
  library.find(f.convolution_create, "cudnnCreateConvolutionDescriptor");
  library.find(f.convolution_destroy, "cudnnDestroyConvolutionDescriptor");
  library.find(f.convolution_set, "cudnnSetConvolutionNdDescriptor");
  library.find(f.convolution_groups, "cudnnSetConvolutionGroupCount");
  library.find(f.convolution_math, "cudnnSetConvolutionMathType");
  library.find(f.forward_algorithms, "cudnnGetConvolutionForwardAlgorithm_v7");
  library.find(f.backward_algorithms, "cudnnGetConvolutionBackwardDataAlgorithm_v7");
  library.find(f.activation_create, "cudnnCreateActivationDescriptor");
  library.find(f.activation_destroy, "cudnnDestroyActivationDescriptor");
  library.find(f.activation_set, "cudnnSetActivationDescriptor");
  library.find(f.forward_activated, "cudnnConvolutionBiasActivationForward");
  library.find(f.forward, "cudnnConvolutionForward");
  library.find(f.backward, "cudnnConvolutionBackwardData");
  library.find(f.recurrence_create, "cudnnCreateRNNDescriptor");
  library.find(f.recurrence_destroy, "cudnnDestroyRNNDescriptor");
  library.find(f.recurrence_set, "cudnnSetRNNDescriptor_v8");
  library.find(f.recurrence_data_create, "cudnnCreateRNNDataDescriptor");
  library.find(f.recurrence_data_destroy, "cudnnDestroyRNNDataDescriptor");
  library.find(f.recurrence_data_set, "cudnnSetRNNDataDescriptor");
  library.find(f.recurrence_weight_bytes, "cudnnGetRNNWeightSpaceSize");
  library.find(f.recurrence_temporary_bytes, "cudnnGetRNNTempSpaceSizes");
  library.find(f.recurrence_weights, "cudnnGetRNNWeightParams");
  library.find(f.recurrence_forward, "cudnnRNNForward");
}

void open_nvrtc(const std::string& folder) {
  constexpr const char* kName = "libnvrtc.so.13";
  void* handle = folder.empty() ? nullptr : dlopen((folder + "/" + kName).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) handle = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return;
  Nvrtc& f = nvrtc_functions;
  const auto find = [&](auto& function, const char* symbol) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(handle, symbol));
    return function != nullptr;
  };
  nvrtc_open = find(f.create, "nvrtcCreateProgram") && find(f.compile, "nvrtcCompileProgram") &&
               find(f.cubin_size, "nvrtcGetCUBINSize") && find(f.cubin, "nvrtcGetCUBIN") &&
               find(f.log_size, "nvrtcGetProgramLogSize") && find(f.log, "nvrtcGetProgramLog") &&
               find(f.destroy, "nvrtcDestroyProgram") && find(f.error_string, "nvrtcGetErrorString");
}

}  // namespace

void open_libraries(const std::string& folder) {
  static std::mutex mutex;
  static bool open = false;
  const std::lock_guard lock(mutex);
  if (open) return;
  open_cublas_lt(folder);
  open_cudnn(folder);
  open_nvrtc(folder);
  open = true;
}

const CublasLt& cublas_lt() { return cublas_lt_functions; }
const Cudnn& cudnn() { return cudnn_functions; }
const Nvrtc* nvrtc() { return nvrtc_open ? &nvrtc_functions : nullptr; }

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  cudaGetLastError();  // else the next call would report it again
  const Code code = error == cudaErrorMemoryAllocation ? Code::kLimitExceeded : Code::kRunFailed;
  fail(code, "cuda: {}: {} ({})", what, cudaGetErrorString(error), cudaGetErrorName(error));
}

void check(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail(Code::kRunFailed, "cuda: {}: cuBLASLt: {}", what, cublas_lt().status_string(status));
}

void check(cudnnStatus_t status, const char* what) {
  if (status != CUDNN_STATUS_SUCCESS) fail(Code::kRunFailed, "cuda: {}: cuDNN: {}", what, cudnn().error_string(status));
}

}  // namespace onnxrun::cuda

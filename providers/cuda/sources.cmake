# onnxrun_cuda_sources(OUT BINARY_DIR): the provider's sources, for nvcc or for the double, with the generated table of kernels.
set(ONNXRUN_CUDA_DIR "${CMAKE_CURRENT_LIST_DIR}")
function(onnxrun_cuda_sources out binary_dir)
  onnxrun_table(OUT kernel_table
    FILE "${binary_dir}/cuda_kernel_table.cpp"
    FUNCTION register_all ARGUMENT provider::KernelTable NAMESPACE onnxrun::cuda
    FORWARD "namespace onnxrun::provider { class KernelTable; }"
    PREFIX kernels ROOT "${ONNXRUN_CUDA_DIR}/kernels" DIRS onnx microsoft onnxrun)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${ONNXRUN_CUDA_DIR}/*.cpp" "${ONNXRUN_CUDA_DIR}/*.cu")
  set(${out} ${sources} "${kernel_table}" PARENT_SCOPE)
endfunction()

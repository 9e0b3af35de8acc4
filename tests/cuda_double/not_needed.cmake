# Fails when LIBRARY, which was built for the CPU, needs or names one of CUDA's libraries.
file(STRINGS "${LIBRARY}" named REGEX "lib(cuda|cudart|cublas|cublasLt|cudnn|nvrtc|nvidia-ml)[^a-z]*\\.so")
if(named)
  message(FATAL_ERROR "${LIBRARY} names libraries of CUDA: ${named}")
endif()

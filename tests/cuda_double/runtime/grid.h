// Runs the threads of a kernel on the CPU, block by block.
#pragma once

#include <functional>

#include "cuda_runtime.h"

namespace cuda_double {

// Throws std::string where threads of a block wait at different barriers.
void run_grid(const std::function<void()>& thread, dim3 grid, dim3 block);

}  // namespace cuda_double

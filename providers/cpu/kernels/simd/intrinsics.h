// The compiler's intrinsics, at levels that have any beyond the architecture's first.
#pragma once

#if ONNXRUN_SIMD_LEVEL >= 2
// g++ 12 warns of the values that its own intrinsics leave undefined on purpose.
#pragma GCC diagnostic push
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

// Which instruction set level the kernels of kernels/simd/ run at on this machine.
#pragma once

#include <string_view>

namespace onnxrun::cpu {

// In order: each has all that those before it have. kVnni is kV4 with 8-bit dot products, kBf16 that with bfloat16 ones (cmake/Simd.cmake says what
// is compiled for them). kGeneric is all there is on other architectures than x86-64.
enum class SimdLevel : int { kGeneric, kV2, kV3, kV4, kVnni, kBf16, kSpr };

// The best level that the CPU and the operating system support (for kSpr: use of the tile registers was granted to this
// process, and a product that was tried on them is right).
SimdLevel detected_simd_level();

// The level in use: the detected one, or kVnni where that is kBf16 on a processor of Intel's, whose products of bfloat16 are slow without tiles; or a lower one, or kBf16, that the environment variable ONNXRUN_SIMD_LEVEL (v2, v3, v4, vnni, bf16, spr)
// or limit_simd_level() asked for. Kernels choose when they are bound.
SimdLevel simd_level();

// Lowers the level from now on, or restores it (tests run every level a machine has). Levels above the detected one are
// ignored.
void limit_simd_level(SimdLevel level);

std::string_view simd_level_name(SimdLevel level);

}  // namespace onnxrun::cpu

// Which instruction set level the kernels of kernels/simd/ run at on this machine.
#pragma once

#include <string_view>

namespace onnxrun::cpu {

// The numbers are those of ONNXRUN_SIMD_LEVEL. kGeneric is all there is on other architectures than x86-64.
enum class SimdLevel : int { kGeneric = 0, kV2 = 2, kV3 = 3, kV4 = 4, kSpr = 5 };

// The best level that the CPU and the operating system support (for kSpr: use of the tile registers was granted to this
// process).
SimdLevel detected_simd_level();

// The level in use: the detected one, or a lower one that the environment variable ONNXRUN_SIMD_LEVEL (v2, v3, v4, vnni, spr)
// or limit_simd_level() asked for. Kernels choose when they are bound.
SimdLevel simd_level();

// Whether integer products at kV4 may use the 8-bit dot products that many machines below kSpr have: the level "vnni", which the
// variable's "v4" turns off.
bool simd_vnni();
// Turns them off from now on, or back on where the machine has them.
void limit_simd_vnni(bool allowed);

// Lowers the level from now on, or restores it (tests run every level a machine has). Levels above the detected one are
// ignored.
void limit_simd_level(SimdLevel level);

std::string_view simd_level_name(SimdLevel level);

}  // namespace onnxrun::cpu

// Detecting the instruction set level by CPUID, the enabled register state, and the kernel's permission for tiles.
#include "cpu/simd_level.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

#include "base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace onnxrun::cpu {

#if defined(__x86_64__)
namespace simd::spr {
bool tiles_are_right();
}
#endif

namespace {

#if defined(__x86_64__)

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
  return r;
}

constexpr bool all(uint32_t word, std::initializer_list<int> bits) {
  for (const int bit : bits)
    if ((word >> bit & 1u) == 0) return false;
  return true;
}

// Register state that the operating system saves (XCR0).
uint64_t enabled_state() {
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t{high} << 32) | low;
}

bool tiles_granted() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

// The level without tiles, for which permission would have to be asked.
SimdLevel detect_without_tiles() {
  const Registers basic = cpuid(1), extended = cpuid(7), more = cpuid(7, 1), amd = cpuid(0x80000001u);
  const bool saves_state = all(basic.c, {27});
  const uint64_t state = saves_state ? enabled_state() : 0;
  // FMA, MOVBE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT; the upper halves of ymm registers.
  const bool v3 =
      all(basic.c, {12, 22, 28, 29}) && all(extended.b, {3, 5, 8}) && all(amd.c, {5}) && (state & 0x6) == 0x6;
  if (!v3) return SimdLevel::kV2;
  // AVX-512 F, DQ, CD, BW, VL; the mask and zmm registers.
  const bool v4 = all(extended.b, {16, 17, 28, 30, 31}) && (state & 0xe6) == 0xe6;
  if (!v4) return SimdLevel::kV3;
  if (!all(extended.c, {11})) return SimdLevel::kV4;
  return all(more.a, {5}) ? SimdLevel::kBf16 : SimdLevel::kVnni;
}

// AMX-BF16, FP16, AMX-TILE, AMX-INT8; the tile registers, and that they work.
bool has_tiles() {
  return all(cpuid(7).d, {22, 23, 24, 25}) && (enabled_state() & 0x60000) == 0x60000 && tiles_granted() &&
         simd::spr::tiles_are_right();
}

// Intel's processors multiply pairs of bfloat16 in vectors at half the speed of float32.
bool has_slow_pairs() {
  const Registers vendor = cpuid(0);
  return vendor.b == 0x756e6547 && vendor.d == 0x49656e69 && vendor.c == 0x6c65746e;  // "GenuineIntel"
}

#else

SimdLevel detect_without_tiles() { return SimdLevel::kGeneric; }
bool has_tiles() { return false; }
bool has_slow_pairs() { return false; }

#endif

// `level`, or the best one that the machine has; it is only asked for tiles where `level` has them.
SimdLevel at_most(SimdLevel level) {
  static const SimdLevel without_tiles = detect_without_tiles();
  if (level < SimdLevel::kSpr || without_tiles < SimdLevel::kBf16) return std::min(level, without_tiles);
  static const bool tiles = has_tiles();
  return tiles ? SimdLevel::kSpr : without_tiles;
}

// The level to use where none is asked for.
SimdLevel fastest() {
  const SimdLevel level = at_most(SimdLevel::kSpr);
  return level == SimdLevel::kBf16 && has_slow_pairs() ? SimdLevel::kVnni : level;
}

SimdLevel initial() {
  const char* wanted = std::getenv("ONNXRUN_SIMD_LEVEL");
  if (wanted == nullptr || simd_level_name(SimdLevel::kSpr) == wanted) return fastest();
  for (int level = static_cast<int>(SimdLevel::kV2); level < static_cast<int>(SimdLevel::kSpr); ++level)
    if (simd_level_name(static_cast<SimdLevel>(level)) == wanted) return at_most(static_cast<SimdLevel>(level));
  base::fail(base::Code::kInvalidArgument, "ONNXRUN_SIMD_LEVEL is '{}'; there are v2, v3, v4, vnni, bf16 and spr",
             wanted);
}

std::atomic<SimdLevel>& current() {
  static std::atomic<SimdLevel> level{initial()};
  return level;
}

}  // namespace

SimdLevel detected_simd_level() { return at_most(SimdLevel::kSpr); }

SimdLevel simd_level() { return current().load(std::memory_order_relaxed); }

void limit_simd_level(SimdLevel level) { current().store(at_most(level), std::memory_order_relaxed); }

std::string_view simd_level_name(SimdLevel level) {
  switch (level) {
    case SimdLevel::kV2: return "v2";
    case SimdLevel::kV3: return "v3";
    case SimdLevel::kV4: return "v4";
    case SimdLevel::kVnni: return "vnni";
    case SimdLevel::kBf16: return "bf16";
    case SimdLevel::kSpr: return "spr";
    default: return "generic";
  }
}

}  // namespace onnxrun::cpu

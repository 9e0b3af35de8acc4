// The processor's tiles, for TileProduct.
#pragma once

#if ONNXRUN_SIMD_LEVEL >= 5

#include <cstdint>

#include "cpu/loops/tile_product.h"

namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE {
namespace {

// What tiles hold beside 32-bit sums.
enum class TileElements { kBfloat16, kBytes };  // kBytes: unsigned ones of A with signed ones of B

// By assembly, since the intrinsics of g++ 12 take tile numbers as text.
template <TileElements kElements>
class AmxTiles {
 public:
  AmxTiles(int rows, int more_rows) {
    // Intel's Software Developer's Manual, volume 1, "Tile Configuration".
    struct alignas(64) {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t bytes[16] = {};
      uint8_t rows[16] = {};
    } config;
    static_assert(sizeof config == 64);
    const int other = more_rows == 0 ? rows : more_rows;
    const int of[8] = {rows, rows, other, other, rows, other, kTileRows, kTileRows};
    for (int t = 0; t < 8; ++t) {
      config.rows[t] = static_cast<uint8_t>(of[t]);
      config.bytes[t] = kTileBytes;
    }
    asm volatile("ldtilecfg %0" ::"m"(config) : "memory");
  }
  ~AmxTiles() { asm volatile("tilerelease" ::: "memory"); }
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;

  template <int T>
  [[gnu::always_inline]] void load(const char* from, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(T) : "memory");
  }
  template <int T>
  [[gnu::always_inline]] void store(char* to, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(T) : "memory");
  }
  template <int T>
  [[gnu::always_inline]] void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(T));
  }
  template <int Sums, int A, int B>
  [[gnu::always_inline]] void multiply() {
    if constexpr (kElements == TileElements::kBfloat16)
      asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sums), "i"(A), "i"(B));
    else asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sums), "i"(A), "i"(B));
  }
};

}  // namespace
}  // namespace onnxrun::cpu::simd::ONNXRUN_SIMD_NAMESPACE

#endif

// This thread's floating-point control register: rounding, exception masks and the treatment of denormals.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <xmmintrin.h>
#endif

namespace onnxrun::base {

#if defined(__x86_64__) || defined(__i386__)

inline constexpr uint64_t kFlushBits = 0x8040;  // MXCSR: flush to zero, denormals are zero
inline uint64_t float_control() { return _mm_getcsr(); }
inline void set_float_control(uint64_t bits) { _mm_setcsr(static_cast<unsigned>(bits)); }

#elif defined(__aarch64__)

inline constexpr uint64_t kFlushBits = uint64_t{1} << 24;  // FPCR.FZ
inline uint64_t float_control() {
  uint64_t bits;
  asm volatile("mrs %0, fpcr" : "=r"(bits)::"memory");
  return bits;
}
inline void set_float_control(uint64_t bits) { asm volatile("msr fpcr, %0" ::"r"(bits) : "memory"); }

#else

inline constexpr uint64_t kFlushBits = 0;
inline uint64_t float_control() { return 0; }
inline void set_float_control(uint64_t) {}

#endif

}  // namespace onnxrun::base

// What this machine can do at most on one thread: multiply-adds in registers by type, and reading by the size of what is read. roofline.py compares kernels with it.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "base/buffer.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

void count(benchmark::State& state, double operations) {
  state.counters["GFLOP/s"] = benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

#if defined(__x86_64__)

constexpr int kChains = 12;   // independent sums, as many as latency times units, that registers hold
constexpr int kSteps = 4096;  // of each in an iteration

#define ONNXRUN_EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)

// NAME: chains of STEP(sum, a, b) on vectors, compiled for TARGET.
#define ONNXRUN_BEGIN(i) Vector sum##i = zero;
#define ONNXRUN_HOLD(i) __asm__ volatile("" : "+x"(sum##i));
#define ONNXRUN_KEEP(i) static_cast<volatile Vector*>(out)[i % 2] = sum##i;
#define ONNXRUN_MULTIPLY_ADDS(NAME, TARGET, VECTOR, ZERO, STEPS)              \
  __attribute__((target(TARGET), noinline)) void NAME(int steps, void* out) { \
    using Vector = VECTOR;                                                    \
    const Vector zero = ZERO();                                               \
    Vector a = zero, b = zero;                                                \
    __asm__ volatile("" : "+x"(a), "+x"(b));                                  \
    ONNXRUN_EACH(ONNXRUN_BEGIN)                                               \
    for (int i = 0; i < steps; ++i) {                                         \
      ONNXRUN_EACH(STEPS)                                                     \
      ONNXRUN_EACH(ONNXRUN_HOLD)                                              \
    }                                                                         \
    ONNXRUN_EACH(ONNXRUN_KEEP)                                                \
  }

#define ONNXRUN_FMA_256(i) sum##i = _mm256_fmadd_ps(a, b, sum##i);
#define ONNXRUN_FMA_512(i) sum##i = _mm512_fmadd_ps(a, b, sum##i);
#define ONNXRUN_BF16_512(i) sum##i = _mm512_dpbf16_ps(sum##i, (__m512bh)a, (__m512bh)b);
#define ONNXRUN_INT8_512(i) sum##i = _mm512_dpbusd_epi32(sum##i, a, b);
ONNXRUN_MULTIPLY_ADDS(fma_256, "avx2,fma", __m256, _mm256_setzero_ps, ONNXRUN_FMA_256)
ONNXRUN_MULTIPLY_ADDS(fma_512, "avx512f", __m512, _mm512_setzero_ps, ONNXRUN_FMA_512)
ONNXRUN_MULTIPLY_ADDS(bf16_512, "avx512f,avx512bf16", __m512, _mm512_setzero_ps, ONNXRUN_BF16_512)
ONNXRUN_MULTIPLY_ADDS(int8_512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512, ONNXRUN_INT8_512)
#undef ONNXRUN_MULTIPLY_ADDS

// NAME: the bytes of [from, from + bytes), a multiple of 8 vectors, each loaded once.
#define ONNXRUN_READ(NAME, TARGET, VECTOR, LOAD)                                         \
  __attribute__((target(TARGET), noinline)) void NAME(const char* from, int64_t bytes) { \
    for (int64_t at = 0; at < bytes; at += 8 * static_cast<int64_t>(sizeof(VECTOR))) {   \
      _Pragma("GCC unroll 8") for (int v = 0; v < 8; ++v) {                              \
        VECTOR value = LOAD(reinterpret_cast<const VECTOR*>(from + at) + v);             \
        __asm__ volatile("" : "+x"(value));                                              \
      }                                                                                  \
    }                                                                                    \
  }
ONNXRUN_READ(read_128, "sse2", __m128i, _mm_load_si128)
ONNXRUN_READ(read_256, "avx2", __m256i, _mm256_load_si256)
ONNXRUN_READ(read_512, "avx512f", __m512i, _mm512_load_si512)
#undef ONNXRUN_READ

void multiply_adds(benchmark::State& state, void (*loop)(int, void*), int a_vector) {
  alignas(64) char out[128];
  for (auto _ : state) loop(kSteps, out);
  count(state, 2.0 * kChains * kSteps * a_vector);
}

// Reads `bytes` over and over.
void read_bytes(benchmark::State& state, int64_t bytes) {
  const auto data = onnxrun::base::Buffer::allocate(static_cast<size_t>(bytes));
  std::memset(data->data(), 1, static_cast<size_t>(bytes));
  const auto read = __builtin_cpu_supports("avx512f") ? read_512 : __builtin_cpu_supports("avx2") ? read_256 : read_128;
  for (auto _ : state) read(static_cast<const char*>(data->data()), bytes);
  state.counters["GB/s"] =
      benchmark::Counter(static_cast<double>(bytes) * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

#endif

const bool kRegistered = [] {
#if defined(__x86_64__)
  const auto add = [](const char* name, bool has, void (*loop)(int, void*), int a_vector) {
    if (has)
      benchmark::RegisterBenchmark(name,
                                   [loop, a_vector](benchmark::State& state) { multiply_adds(state, loop, a_vector); });
  };
  const bool wide = __builtin_cpu_supports("avx512f");
  if (wide) add("peak/float32", true, fma_512, 16);
  else add("peak/float32", __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"), fma_256, 8);
  add("peak/bfloat16", wide && __builtin_cpu_supports("avx512bf16"), bf16_512, 32);
  add("peak/int8", wide && __builtin_cpu_supports("avx512vnni"), int8_512, 64);
  for (const auto& [name, bytes] : std::vector<std::pair<const char*, int64_t>>{{"read/first_level", 24 << 10},
                                                                                {"read/second_level", 512 << 10},
                                                                                {"read/third_level", 6 << 20},
                                                                                {"read/memory", 512 << 20}})
    benchmark::RegisterBenchmark(name, [bytes = bytes](benchmark::State& state) { read_bytes(state, bytes); });
#endif
  return true;
}();

}  // namespace

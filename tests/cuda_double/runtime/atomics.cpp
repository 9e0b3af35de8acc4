// The atomic operations of code that is compiled as for the thread sanitizer: what a compiler would have put in place of each call.
#include <cstdint>

#define API extern "C" __attribute__((visibility("default")))

#define UPDATE(bits, name)                                                                         \
  API uint##bits##_t tsan##bits##_##name(volatile uint##bits##_t* at, uint##bits##_t value,        \
                                         int) __asm__("__tsan_atomic" #bits "_" #name);            \
  API uint##bits##_t tsan##bits##_##name(volatile uint##bits##_t* at, uint##bits##_t value, int) { \
    return __atomic_##name(at, value, __ATOMIC_SEQ_CST);                                           \
  }

#define COMPARE(bits, name, weak)                                                                                      \
  API int tsan##bits##_##name(volatile uint##bits##_t* at, uint##bits##_t* expected, uint##bits##_t value, int,        \
                              int) __asm__("__tsan_atomic" #bits "_compare_exchange_" #name);                          \
  API int tsan##bits##_##name(volatile uint##bits##_t* at, uint##bits##_t* expected, uint##bits##_t value, int, int) { \
    return __atomic_compare_exchange_n(at, expected, value, weak, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);                 \
  }

#define OF_SIZE(bits)                                                                                                  \
  API uint##bits##_t tsan##bits##_load(const volatile uint##bits##_t* at, int) __asm__("__tsan_atomic" #bits "_load"); \
  API uint##bits##_t tsan##bits##_load(const volatile uint##bits##_t* at, int) {                                       \
    return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                                                      \
  }                                                                                                                    \
  API void tsan##bits##_store(volatile uint##bits##_t* at, uint##bits##_t value,                                       \
                              int) __asm__("__tsan_atomic" #bits "_store");                                            \
  API void tsan##bits##_store(volatile uint##bits##_t* at, uint##bits##_t value, int) {                                \
    __atomic_store_n(at, value, __ATOMIC_SEQ_CST);                                                                     \
  }                                                                                                                    \
  API uint##bits##_t tsan##bits##_exchange(volatile uint##bits##_t* at, uint##bits##_t value,                          \
                                           int) __asm__("__tsan_atomic" #bits "_exchange");                            \
  API uint##bits##_t tsan##bits##_exchange(volatile uint##bits##_t* at, uint##bits##_t value, int) {                   \
    return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST);                                                           \
  }                                                                                                                    \
  UPDATE(bits, fetch_add)                                                                                              \
  UPDATE(bits, fetch_sub)                                                                                              \
  UPDATE(bits, fetch_and)                                                                                              \
  UPDATE(bits, fetch_or)                                                                                               \
  UPDATE(bits, fetch_xor)                                                                                              \
  COMPARE(bits, strong, false)                                                                                         \
  COMPARE(bits, weak, true)

OF_SIZE(8)
OF_SIZE(16)
OF_SIZE(32)
OF_SIZE(64)

API void tsan_thread_fence(int) __asm__("__tsan_atomic_thread_fence");
API void tsan_thread_fence(int) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
API void tsan_signal_fence(int) __asm__("__tsan_atomic_signal_fence");
API void tsan_signal_fence(int) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

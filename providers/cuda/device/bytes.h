// Elements by their size alone.
#pragma once

#include <cstdint>
#include <type_traits>

namespace onnxrun::cuda {

struct alignas(16) Bytes16 {
  uint64_t low, high;
};

// Calls f(std::type_identity<T>{}) for a T of 1, 2, 4, 8 or 16 bytes.
template <class F>
void with_bytes(int bytes, F&& f) {
  switch (bytes) {
    case 1: return f(std::type_identity<uint8_t>{});
    case 2: return f(std::type_identity<uint16_t>{});
    case 4: return f(std::type_identity<uint32_t>{});
    case 8: return f(std::type_identity<uint64_t>{});
    default: return f(std::type_identity<Bytes16>{});
  }
}

}  // namespace onnxrun::cuda

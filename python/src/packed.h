// Elements of fewer than 8 bits: ONNX packs them, ml_dtypes keeps each in a byte.
#pragma once

#include <cstddef>
#include <cstdint>

namespace onnxrun::python {

// `count` elements of `bits` (2, 4 or 6), little end first, each from the low bits of a byte.
void pack(const uint8_t* from, size_t count, int bits, uint8_t* to);

// The reverse; the bits above are 0, for negative numbers, too.
void unpack(const uint8_t* from, size_t count, int bits, uint8_t* to);

}  // namespace onnxrun::python

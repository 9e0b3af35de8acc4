// Transposes of a matrix of 1-, 2-, 4-, 8- or 16-byte elements through tiles that stay in the first-level cache.
#pragma once

#include <cstdint>

namespace onnxrun::cpu {

// Element (a, b), a < rows, b < columns, is read at from + a * bytes + b * from_stride and written at to + a * to_stride +
// b * bytes. Strides are in bytes.
void transpose_tiles(int64_t bytes, const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t rows,
                     int64_t columns);

}  // namespace onnxrun::cpu

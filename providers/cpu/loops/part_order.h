// Which products of parts (parts.h) are taken of two numbers, and in which order.
#pragma once

#include <array>
#include <cstddef>

namespace onnxrun::cpu {

// Of numbers in one part, which are as they are, in two, or in three.
constexpr int products_of_parts(int parts) { return parts == 3 ? 6 : parts == 2 ? 3 : 1; }

// The parts that product p is of. The least ones come first as far as tiles that are there already are made use of.
constexpr int part_of_a(int parts, int p) {
  return parts == 3   ? std::array{2, 1, 1, 0, 0, 0}[static_cast<size_t>(p)]
         : parts == 2 ? std::array{1, 0, 0}[static_cast<size_t>(p)]
                      : 0;
}
constexpr int part_of_b(int parts, int p) {
  return parts == 3   ? std::array{0, 0, 1, 1, 2, 0}[static_cast<size_t>(p)]
         : parts == 2 ? std::array{0, 0, 1}[static_cast<size_t>(p)]
                      : 0;
}

// Whether product p is of a part that the one before it was not of.
constexpr bool takes_part_of_a(int parts, int p) { return p == 0 || part_of_a(parts, p) != part_of_a(parts, p - 1); }
constexpr bool takes_part_of_b(int parts, int p) { return p == 0 || part_of_b(parts, p) != part_of_b(parts, p - 1); }

}  // namespace onnxrun::cpu

// Small models written byte by byte, so that the tests of the public interface need nothing but it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace model_bytes {

inline std::string varint(unsigned long long value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7f) | 0x80);
  return out + static_cast<char>(value);
}
inline std::string number(int field, unsigned long long value) {
  return varint(static_cast<unsigned>(field) << 3) + varint(value);
}
inline std::string bytes(int field, std::string_view value) {
  return varint(static_cast<unsigned>(field) << 3 | 2) + varint(value.size()) + std::string(value);
}

// A ValueInfoProto of a tensor; dims are numbers or names.
inline std::string value_info(std::string_view name, int dtype, const std::vector<std::string>& dims) {
  std::string shape;
  for (const std::string& dim : dims) {
    const bool digits = !dim.empty() && dim.find_first_not_of("0123456789") == std::string::npos;
    shape += bytes(1, digits ? number(1, std::stoull(dim)) : bytes(2, dim));
  }
  return bytes(1, name) + bytes(2, bytes(1, number(1, static_cast<unsigned>(dtype)) + bytes(2, shape)));
}

inline std::string node(std::string_view op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, std::string_view name) {
  std::string out;
  for (const std::string& input : inputs) out += bytes(1, input);
  for (const std::string& output : outputs) out += bytes(2, output);
  return out + bytes(3, name) + bytes(4, op);
}

inline std::string model(const std::string& graph) {
  return number(1, 8) + bytes(2, "tests") + bytes(8, bytes(1, "") + number(2, 17)) + bytes(7, graph) +
         bytes(14, bytes(1, "key") + bytes(2, "text"));
}

// t = x + y, z = t + x over float32 [n, 3].
inline std::string sums() {
  return model(bytes(1, node("Add", {"x", "y"}, {"t"}, "first")) + bytes(1, node("Add", {"t", "x"}, {"z"}, "second")) +
               bytes(2, "sums") + bytes(11, value_info("x", 1, {"n", "3"})) +
               bytes(11, value_info("y", 1, {"n", "3"})) + bytes(12, value_info("z", 1, {"n", "3"})));
}

}  // namespace model_bytes

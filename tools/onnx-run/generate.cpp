// The counter-based generator.
#include "generate.h"

#include "dtype_names.h"
#include "outcome.h"

namespace cli {

uint64_t random_bits(uint64_t seed, const std::string& name, uint64_t index) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  uint64_t z = (seed ^ hash) + (index + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

onnxrun::Tensor generate(onnxrun_dtype dtype, const onnxrun::Shape& shape, uint64_t seed, const std::string& name,
                         Room& room) {
  constexpr int64_t kMost = int64_t{1} << 28;
  int64_t elements = 1;
  for (const int64_t dim : shape)
    if (__builtin_mul_overflow(elements, dim, &elements) || elements > kMost)
      throw Failure("input '" + name + "' would have more than " + std::to_string(kMost) +
                    " elements; give a smaller --shape or --dim, or the input itself");
  const auto count = static_cast<size_t>(elements);
  const std::string what = "input '" + name + "', made up,";
  if (dtype == ONNXRUN_DTYPE_STRING) {
    room.take(bytes_of_strings(count), what);
    const Taken copies(room, bytes_of_strings(count), what);
    std::vector<std::string> letters(count);
    for (size_t i = 0; i < count; ++i) letters[i] = static_cast<char>('a' + random_bits(seed, name, i) % 26);
    return onnxrun::Tensor::strings(shape, letters);
  }
  const bool complex = dtype == ONNXRUN_DTYPE_COMPLEX64 || dtype == ONNXRUN_DTYPE_COMPLEX128;
  const size_t parts = complex ? 2 * count : count;
  const Taken doubles(room, parts * sizeof(double), what);
  onnxrun::Tensor tensor(dtype, shape);
  room.take(tensor.bytes().size(), what);
  std::vector<double> values(parts);
  for (size_t i = 0; i < values.size(); ++i) {
    const uint64_t bits = random_bits(seed, name, i);
    values[i] = is_float(dtype) ? static_cast<double>(bits >> 40) * 0x1p-24 : static_cast<double>(bits >> 63);
  }
  tensor.set(values);
  return tensor;
}

}  // namespace cli

// Elements of constants in the text form.
#include <charconv>
#include <cmath>
#include <complex>

#include "base/packed.h"
#include "ir/text_reader.h"

namespace onnxrun::ir {

template <class T>
T TextReader::parse(std::string_view text) {
  T value{};
  const bool signs = text.starts_with('+');
  const auto [end, error] = std::from_chars(text.data() + signs, text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    const bool range = error == std::errc::result_out_of_range;
    fail_at(at_ - text.size(),
            fmt::format("'{}' is no {}", text, range ? "number that fits the type" : "number of the type"));
  }
  return value;
}

void TextReader::element(Tensor& tensor, int64_t i) {
  const DType dtype = tensor.dtype();
  const auto integers = [&]<class T>(T) { tensor.mutable_data<T>()[i] = parse<T>(number()); };
  // Floats may be given by their bits, as 0x7fc00001.
  const auto bits_of = [&](std::string_view text) { return text.starts_with("0x"); };
  const auto bits = [&](std::string_view text, int most) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + text.size() || (most < 64 && (value >> most) != 0))
      fail_at(at_ - text.size(), fmt::format("'{}' are not the bits of a {}", text, base::dtype_name(dtype)));
    return value;
  };
  const auto floats = [&]<class T, class Word>(T, Word) {
    const std::string_view text = number();
    return bits_of(text) ? std::bit_cast<T>(static_cast<Word>(bits(text, static_cast<int>(sizeof(Word) * 8))))
                         : parse<T>(text);
  };
  switch (dtype) {
    case DType::kFloat32: tensor.mutable_data<float>()[i] = floats(0.0f, uint32_t{}); return;
    case DType::kFloat64: tensor.mutable_data<double>()[i] = floats(0.0, uint64_t{}); return;
    case DType::kInt8: return integers(int8_t{});
    case DType::kInt16: return integers(int16_t{});
    case DType::kInt32: return integers(int32_t{});
    case DType::kInt64: return integers(int64_t{});
    case DType::kUint8: return integers(uint8_t{});
    case DType::kUint16: return integers(uint16_t{});
    case DType::kUint32: return integers(uint32_t{});
    case DType::kUint64: return integers(uint64_t{});
    case DType::kBool:
      if (accept_word("true")) tensor.mutable_data<bool>()[i] = true;
      else if (accept_word("false")) tensor.mutable_data<bool>()[i] = false;
      else fail("expected true or false");
      return;
    case DType::kString: tensor.mutable_data<std::string>()[i] = quoted(); return;
    case DType::kComplex64:
    case DType::kComplex128: {
      expect("(");
      const bool wide = dtype == DType::kComplex128;
      for (int part = 0; part < 2; ++part) {
        if (wide) static_cast<double*>(tensor.mutable_raw())[2 * i + part] = floats(0.0, uint64_t{});
        else static_cast<float*>(tensor.mutable_raw())[2 * i + part] = floats(0.0f, uint32_t{});
      }
      return expect(")");
    }
    default: break;
  }
  const int width = base::dtype_bits(dtype);
  const std::string_view text = number();
  if (width == 16) {
    uint16_t word = 0;
    if (bits_of(text)) word = static_cast<uint16_t>(bits(text, 16));
    else if (dtype == DType::kFloat16) word = base::Float16(parse<double>(text)).bits;
    else word = base::Bfloat16(parse<double>(text)).bits;
    static_cast<uint16_t*>(tensor.mutable_raw())[i] = word;
    return;
  }
  uint8_t code = 0;
  if (base::is_integer(dtype)) {
    const int value = parse<int>(text);
    code = static_cast<uint8_t>(static_cast<unsigned>(value) & ((1u << width) - 1));
    if (base::packed_integer(dtype, code) != value)
      fail_at(at_ - text.size(), fmt::format("'{}' is no number that fits {}", text, base::dtype_name(dtype)));
  } else {
    code = bits_of(text) ? static_cast<uint8_t>(bits(text, width)) : base::encode_minifloat(dtype, parse<float>(text));
  }
  auto* bytes = static_cast<uint8_t*>(tensor.mutable_raw());
  if (width == 8) bytes[i] = code;
  else base::packed_set(bytes, width, i, code);
}

Tensor TextReader::constant(const Fact& type) {
  const auto dims = type.is_tensor() && type.shape ? concrete(*type.shape) : std::nullopt;
  if (!dims || type.dtype == DType::kNone) fail("a constant needs an element type and a shape of numbers");
  // Each element takes a character at least: what the text cannot hold is not allocated.
  int64_t count = 1;
  for (const int64_t dim : *dims)
    if (__builtin_mul_overflow(count, dim, &count)) fail("the constant has too many elements");
  if (count > static_cast<int64_t>(text_.size() - at_)) fail("the constant of {} elements is cut off", count);
  Tensor tensor(type.dtype, *dims, options_.budget);
  if (tensor.rank() == 0) {
    element(tensor, 0);
    return tensor;
  }
  expect("{");
  for (int64_t i = 0; i < count; ++i) {
    if (i != 0) expect(",");
    if (peek("...")) expect("}");
    element(tensor, i);
  }
  expect("}");
  return tensor;
}

}  // namespace onnxrun::ir

// Reading and writing .npy.
#include "npy.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "dtype_names.h"
#include "outcome.h"
#include "unicode.h"

namespace cli {
namespace {

static_assert(std::endian::native == std::endian::little);

using onnxrun::Shape;
using onnxrun::Tensor;

constexpr size_t kMaxRank = 64;  // numpy has no more

struct Kind {
  std::string_view code;
  onnxrun_dtype dtype;
};

constexpr Kind kKinds[] = {
    {"f4", ONNXRUN_DTYPE_FLOAT32},   {"f8", ONNXRUN_DTYPE_FLOAT64},    {"f2", ONNXRUN_DTYPE_FLOAT16},
    {"i1", ONNXRUN_DTYPE_INT8},      {"i2", ONNXRUN_DTYPE_INT16},      {"i4", ONNXRUN_DTYPE_INT32},
    {"i8", ONNXRUN_DTYPE_INT64},     {"u1", ONNXRUN_DTYPE_UINT8},      {"u2", ONNXRUN_DTYPE_UINT16},
    {"u4", ONNXRUN_DTYPE_UINT32},    {"u8", ONNXRUN_DTYPE_UINT64},     {"b1", ONNXRUN_DTYPE_BOOL},
    {"c8", ONNXRUN_DTYPE_COMPLEX64}, {"c16", ONNXRUN_DTYPE_COMPLEX128}};

// The text of a value in the header's dict: {'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }.
std::optional<std::string_view> entry(std::string_view header, std::string_view key) {
  const size_t at = header.find("'" + std::string(key) + "'");
  if (at == std::string_view::npos) return std::nullopt;
  const size_t colon = header.find(':', at + key.size() + 2);
  if (colon == std::string_view::npos) return std::nullopt;
  const size_t begin = header.find_first_not_of(' ', colon + 1);
  if (begin == std::string_view::npos) return std::nullopt;
  const char close = header[begin] == '\'' ? '\'' : header[begin] == '(' ? ')' : ',';
  const size_t end = header.find(close, begin + 1);
  if (end == std::string_view::npos) return std::nullopt;
  return header.substr(begin, end - begin + (close == ',' ? 0 : 1));
}

struct Header {
  bool swapped = false;
  char letter = 0;
  size_t width = 0;  // bytes of an element
  onnxrun_dtype dtype = ONNXRUN_DTYPE_NONE;
  bool fortran = false;
  Shape shape;
  size_t data = 0;  // where the elements begin
  size_t count = 1;
};

void read_type(std::string_view descr, Header& header, const std::string& what) {
  if (descr.size() < 5 || descr.front() != '\'')
    throw Failure(what + ": structured arrays have no counterpart in ONNX");
  descr = descr.substr(1, descr.size() - 2);
  header.swapped = descr[0] == '>';
  header.letter = descr[1];
  std::from_chars(descr.data() + 2, descr.data() + descr.size(), header.width);
  if (header.letter == 'U' || header.letter == 'S') {
    header.dtype = ONNXRUN_DTYPE_STRING;
    if (__builtin_mul_overflow(header.width, header.letter == 'U' ? size_t{4} : size_t{1}, &header.width))
      throw Failure(what + ": strings of type '" + std::string(descr) + "' are too long");
    return;
  }
  for (const Kind& kind : kKinds)
    if (kind.code == descr.substr(1)) header.dtype = kind.dtype;
  if (header.dtype == ONNXRUN_DTYPE_NONE)
    throw Failure(what + ": numpy type '" + std::string(descr) + "' has no counterpart in ONNX; save as .pb");
}

void read_shape(std::string_view text, Header& header, const std::string& what) {
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    if (part.empty()) continue;
    uint64_t dim = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), dim);
    if (error != std::errc() || end == part.data() || dim > static_cast<uint64_t>(INT64_MAX) ||
        __builtin_mul_overflow(header.count, dim, &header.count))
      throw Failure(what + ": bad shape in the .npy header");
    if (header.shape.size() == kMaxRank)
      throw Failure(what + ": more than " + std::to_string(kMaxRank) + " dimensions in the .npy header");
    header.shape.push_back(static_cast<int64_t>(dim));
  }
}

Header read_header(std::string_view bytes, const std::string& what) {
  if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY")) throw Failure(what + " is no .npy file");
  const bool wide = bytes[6] >= 2;
  size_t length = 0;
  std::memcpy(&length, bytes.data() + 8, wide ? 4 : 2);
  Header header;
  header.data = (wide ? 12 : 10) + length;
  if (header.data > bytes.size()) throw Failure(what + " is cut off in its .npy header");
  const std::string_view text = bytes.substr(wide ? 12 : 10, length);
  const auto descr = entry(text, "descr"), shape = entry(text, "shape"), order = entry(text, "fortran_order");
  if (!descr || !shape || !order || shape->front() != '(') throw Failure(what + ": malformed .npy header");
  read_type(*descr, header, what);
  header.fortran = order->starts_with("True");
  read_shape(*shape, header, what);
  size_t size = 0;
  // Strings of no characters take no bytes: of them, too, there are no more than the file could hold.
  const size_t room = header.width == 0 ? bytes.size() : bytes.size() - header.data;
  if (__builtin_mul_overflow(header.count, std::max<size_t>(header.width, 1), &size) || room < size)
    throw Failure(what + " is cut off: its .npy header promises more elements");
  return header;
}

// Flat index in the file of each element in row-major order, called in that order.
template <class Visit>
void visit_elements(const Header& header, Visit&& visit) {
  if (!header.fortran) {
    for (size_t i = 0; i < header.count; ++i) visit(i, i);
    return;
  }
  struct Dim {
    size_t size, stride, position;
  };
  std::vector<Dim> dims;
  size_t stride = 1;
  for (const auto size : header.shape) {
    dims.push_back({.size = static_cast<size_t>(size), .stride = stride, .position = 0});
    stride *= static_cast<size_t>(size);
  }
  for (size_t i = 0; i < header.count; ++i) {
    size_t from = 0;
    for (const Dim& dim : dims) from += dim.position * dim.stride;
    visit(i, from);
    for (size_t d = dims.size(); d-- > 0;) {
      if (++dims[d].position < dims[d].size) break;
      dims[d].position = 0;
    }
  }
}

Tensor read_strings(std::string_view data, const Header& header, const std::string& what, Room& room) {
  // Characters of UTF-32 take no more in UTF-8; short ones lie within their string.
  const uint64_t bytes = bytes_of_strings(header.count) + data.size();
  room.take(bytes, what);
  const Taken copies(room, bytes, what);
  std::vector<std::string> strings(header.count);
  visit_elements(header, [&](size_t to, size_t from) {
    const std::string_view cell = data.substr(from * header.width, header.width);
    strings[to] = header.letter == 'U' ? utf8_of_utf32(cell, header.swapped) : std::string(cell);
    while (!strings[to].empty() && strings[to].back() == '\0') strings[to].pop_back();
  });
  return Tensor::strings(header.shape, strings);
}

}  // namespace

Tensor read_npy(std::string_view bytes, const std::string& what, Room& room) {
  const Header header = read_header(bytes, what);
  const std::string_view data = bytes.substr(header.data);
  if (header.dtype == ONNXRUN_DTYPE_STRING) return read_strings(data, header, what, room);
  room.take(header.count * header.width, what);
  Tensor tensor(header.dtype, header.shape);
  char* out = reinterpret_cast<char*>(tensor.mutable_bytes().data());
  if (!header.fortran) {
    std::memcpy(out, data.data(), header.count * header.width);
  } else {
    visit_elements(header, [&](size_t to, size_t from) {
      std::memcpy(out + to * header.width, data.data() + from * header.width, header.width);
    });
  }
  if (header.swapped) {
    const size_t unit = header.letter == 'c' ? header.width / 2 : header.width;
    for (size_t i = 0; i + unit <= header.count * header.width; i += unit) std::reverse(out + i, out + i + unit);
  }
  return tensor;
}

namespace {

std::string header_text(const std::string& descr, const Shape& shape) {
  std::string dims;
  for (const int64_t dim : shape) dims += std::to_string(dim) + (shape.size() == 1 ? "," : ", ");
  if (shape.size() > 1) dims.resize(dims.size() - 2);
  std::string text = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + dims + "), }";
  const bool wide = text.size() + 11 > 65535 - 64;
  const size_t prefix = wide ? 12 : 10;
  while ((prefix + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += wide ? '\2' : '\1';
  bytes += '\0';
  const auto length = static_cast<uint32_t>(text.size());
  bytes.append(reinterpret_cast<const char*>(&length), wide ? 4 : 2);
  return bytes + text;
}

std::string write_strings(const Tensor& tensor) {
  std::vector<std::u32string> texts;
  size_t longest = 1, characters = 0;
  for (int64_t i = 0; i < tensor.count(); ++i) {
    texts.push_back(utf32_of_utf8(tensor.string(i)));
    longest = std::max(longest, texts.back().size());
    characters += texts.back().size();
  }
  // One long string beside many short ones: each takes its room.
  constexpr size_t kAlwaysFine = size_t{64} << 20, kMostTimes = 16;
  const size_t cells = texts.size() * longest;
  if (cells > kAlwaysFine / 4 && cells / kMostTimes > characters)
    throw Failure("a " + tensor.describe() + " whose longest string has " + std::to_string(longest) +
                      " characters would take " + std::to_string(cells * 4) + " bytes in numpy's format, of its text " +
                      std::to_string(characters * 4) + "; write a .json (-o FILE.json)",
                  kRun);
  std::string bytes = header_text("<U" + std::to_string(longest), tensor.shape());
  for (std::u32string& text : texts) {
    text.resize(longest, U'\0');
    bytes.append(reinterpret_cast<const char*>(text.data()), longest * 4);
  }
  return bytes;
}

}  // namespace

std::string write_npy(const Tensor& tensor) {
  const int dtype = tensor.dtype();
  if (dtype == ONNXRUN_DTYPE_STRING) return write_strings(tensor);
  for (const Kind& kind : kKinds) {
    if (kind.dtype != dtype) continue;
    std::string bytes = header_text((kind.code.ends_with('1') ? "|" : "<") + std::string(kind.code), tensor.shape());
    const auto data = tensor.bytes();
    return bytes.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  const onnxrun_dtype wider = is_float(dtype)                        ? ONNXRUN_DTYPE_FLOAT32
                              : dtype_name(dtype).starts_with("int") ? ONNXRUN_DTYPE_INT8
                                                                     : ONNXRUN_DTYPE_UINT8;
  Tensor widened(wider, tensor.shape());
  widened.set(tensor.doubles());
  return write_npy(widened);
}

}  // namespace cli

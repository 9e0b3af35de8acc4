// Reading cells.
#include "cells.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

#include "adapt.h"
#include "dtype_names.h"
#include "outcome.h"
#include "plain_text.h"
#include "unicode.h"

namespace cli {
namespace {

using onnxrun::Shape;
using onnxrun::Tensor;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

template <class T>
std::optional<T> parsed(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

[[noreturn]] void refuse(const std::string& what, size_t index, const std::string& cell, onnxrun_dtype dtype) {
  throw Failure(what + ": element " + std::to_string(index) + ", '" + plain_text(cell) + "', is no " +
                std::string(dtype_name(dtype)));
}

template <class T, class Read>
Tensor read_all(const Shape& shape, const std::vector<std::string>& cells, const std::string& what, onnxrun_dtype dtype,
                const Read& read) {
  std::vector<T> values;
  values.reserve(cells.size());
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::optional<T> value = read(cells[i]);
    if (!value) refuse(what, i, cells[i], dtype);
    values.push_back(*value);
  }
  return Tensor::from(shape, values);
}

std::optional<int64_t> whole(const std::string& cell) { return parsed<int64_t>(cell); }

std::optional<int64_t> truth(const std::string& cell) {
  const std::string_view text = trimmed(cell);
  if (text == "1" || text == "true" || text == "True" || text == "TRUE") return 1;
  if (text == "0" || text == "false" || text == "False" || text == "FALSE") return 0;
  return std::nullopt;
}

std::optional<double> number_or_nothing(const std::string& cell) {
  if (trimmed(cell).empty()) return std::numeric_limits<double>::quiet_NaN();
  return number_of(cell);
}

// Whole numbers of a narrower type, which must not lose anything.
Tensor narrowed(const Tensor& wide, onnxrun_dtype dtype, const std::vector<std::string>& cells,
                const std::string& what) {
  if (dtype == ONNXRUN_DTYPE_INT64) return wide;
  Tensor result = cast(wide, dtype);
  const Tensor back = cast(result, ONNXRUN_DTYPE_INT64);
  const auto before = wide.span<int64_t>(), after = back.span<int64_t>();
  const auto differs = std::mismatch(before.begin(), before.end(), after.begin()).first;
  if (differs != before.end()) {
    const auto index = static_cast<size_t>(differs - before.begin());
    refuse(what, index, cells[index], dtype);
  }
  return result;
}

}  // namespace

std::optional<double> number_of(std::string_view text) { return parsed<double>(text); }

Tensor tensor_of_cells(onnxrun_dtype dtype, const Shape& shape, const std::vector<std::string>& cells,
                       const std::string& what) {
  if (dtype == ONNXRUN_DTYPE_STRING) {
    for (size_t i = 0; i < cells.size(); ++i)
      if (!is_utf8(cells[i])) throw Failure(what + ": element " + std::to_string(i) + " is no UTF-8");
    return Tensor::strings(shape, cells);
  }
  if (dtype == ONNXRUN_DTYPE_BOOL) return cast(read_all<int64_t>(shape, cells, what, dtype, truth), ONNXRUN_DTYPE_BOOL);
  if (dtype == ONNXRUN_DTYPE_UINT64) return read_all<uint64_t>(shape, cells, what, dtype, parsed<uint64_t>);
  if (is_integer(dtype)) return narrowed(read_all<int64_t>(shape, cells, what, dtype, whole), dtype, cells, what);
  if (!is_float(dtype) || dtype == ONNXRUN_DTYPE_COMPLEX64 || dtype == ONNXRUN_DTYPE_COMPLEX128)
    throw Failure(what + ": a " + std::string(dtype_name(dtype)) + " tensor cannot be read from text; use .npy");
  Tensor wide = read_all<double>(shape, cells, what, dtype, number_or_nothing);
  return dtype == ONNXRUN_DTYPE_FLOAT64 ? wide : cast(wide, dtype);
}

}  // namespace cli

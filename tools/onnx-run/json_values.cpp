// JSON into values and back.
#include "json_values.h"

#include <cmath>
#include <optional>
#include <unordered_map>
#include <vector>

#include "cells.h"
#include "dtype_names.h"
#include "outcome.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using Read = nlohmann::json;  // finds members of an object by an index
using onnxrun::Shape;
using onnxrun::Tensor;
using onnxrun::Value;

constexpr size_t kMaxDepth = 64;
// What an element takes at most in JSON, as the text that a number is made from, and in the value; and of a text each character.
constexpr uint64_t kElement = 160, kText = 4;

// "sequence(X)" without its name and parentheses; nothing where it is another type.
std::optional<std::string_view> inner(std::string_view type, std::string_view name) {
  if (!type.starts_with(name) || type.size() < name.size() + 2 || type[name.size()] != '(') return std::nullopt;
  return type.substr(name.size() + 1, type.size() - name.size() - 2);
}

onnxrun_dtype dtype_of(std::string_view type, const std::string& what) {
  const std::string_view name = type.substr(0, type.find('['));
  for (int i = 1; dtype_name(i) != "?"; ++i)
    if (dtype_name(i) == name) return static_cast<onnxrun_dtype>(i);
  throw Failure(what + ": a " + std::string(type) + " cannot be read from JSON");
}

// By the first element of each list.
Shape shape_of(const Read& json) {
  Shape shape;
  for (const Read* at = &json; at->is_array(); at = &at->front()) {
    shape.push_back(static_cast<int64_t>(at->size()));
    if (at->empty()) break;
  }
  return shape;
}

// Appends the leaves in row-major order.
void flatten(const Read& json, size_t depth, const Shape& shape, std::vector<std::string>& cells,
             const std::string& what) {
  if (json.is_object()) throw Failure(what + ": an object where a number or a list was expected");
  if (json.is_array() != (depth < shape.size())) throw Failure(what + ": lists of unequal depth");
  if (!json.is_array()) {
    cells.push_back(json.is_null() ? "" : json.is_string() ? json.get<std::string>() : json.dump());
    return;
  }
  if (static_cast<int64_t>(json.size()) != shape[depth]) throw Failure(what + ": lists of unequal lengths");
  for (const Read& element : json) flatten(element, depth + 1, shape, cells, what);
}

Tensor tensor_of(const Read& json, onnxrun_dtype dtype, const std::string& what) {
  const Shape shape = shape_of(json);
  std::vector<std::string> cells;
  flatten(json, 0, shape, cells, what);
  return tensor_of_cells(dtype, shape, cells, what);
}

Value map_of(const Read& json, std::string_view types, const std::string& what) {
  if (!json.is_object()) throw Failure(what + ": a map is an object");
  const size_t comma = types.find(", ");
  const onnxrun_dtype key = dtype_of(types.substr(0, comma), what);
  const onnxrun_dtype value = dtype_of(comma == std::string_view::npos ? types : types.substr(comma + 2), what);
  std::vector<std::string> keys;
  Read values = Read::array();
  for (const auto& [name, element] : json.items()) {
    keys.push_back(name);
    values.push_back(element);
  }
  const Shape shape{static_cast<int64_t>(keys.size())};
  return Value::map(tensor_of_cells(key, shape, keys, what), tensor_of(values, value, what));
}

// Lists that hold nothing are still written: of [2^33, 0] as many as the first axis says.
void check_empty_lists(const Tensor& tensor) {
  constexpr int64_t kMost = int64_t{1} << 20;
  if (tensor.count() != 0) return;
  int64_t lists = 1;
  for (const int64_t dim : tensor.shape()) {
    if (dim == 0) return;
    if (__builtin_mul_overflow(lists, dim, &lists) || lists > kMost)
      throw Failure("a tensor without elements, " + tensor.describe() + ", would be more than " +
                        std::to_string(kMost) + " empty lists in JSON; write .npz or .npy",
                    kRun);
  }
}

Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

// Consecutive parts of the leaves, as the shape says.
Json nested(const Shape& shape, size_t depth, std::vector<Json>& leaves, size_t& next) {
  if (depth == shape.size()) return std::move(leaves[next++]);
  Json list = Json::array();
  for (int64_t i = 0; i < shape[depth]; ++i) list.push_back(nested(shape, depth + 1, leaves, next));
  return list;
}

std::vector<Json> leaves_of(const Tensor& tensor) {
  std::vector<Json> leaves;
  const int dtype = tensor.dtype();
  if (dtype == ONNXRUN_DTYPE_STRING) {
    for (int64_t i = 0; i < tensor.count(); ++i) leaves.emplace_back(std::string(tensor.string(i)));
  } else if (dtype == ONNXRUN_DTYPE_INT64) {
    for (const int64_t value : tensor.span<int64_t>()) leaves.emplace_back(value);
  } else if (dtype == ONNXRUN_DTYPE_UINT64) {
    for (const uint64_t value : tensor.span<uint64_t>()) leaves.emplace_back(value);
  } else {
    const std::vector<double> values = tensor.doubles();
    const bool pairs = dtype == ONNXRUN_DTYPE_COMPLEX64 || dtype == ONNXRUN_DTYPE_COMPLEX128;
    for (size_t i = 0; i < values.size(); i += pairs ? 2 : 1) {
      if (pairs) leaves.push_back(Json::array({number(values[i]), number(values[i + 1])}));
      else if (dtype == ONNXRUN_DTYPE_BOOL) leaves.emplace_back(values[i] != 0);
      else if (is_integer(dtype)) leaves.emplace_back(static_cast<int64_t>(values[i]));
      else leaves.push_back(number(values[i]));
    }
  }
  return leaves;
}

std::string text_of(const Json& key) { return key.is_string() ? key.get<std::string>() : key.dump(); }

}  // namespace

Read parse_json(std::string_view bytes, const std::string& what, Taken& taken) {
  // The parser itself goes on and on for a file of nothing but brackets; what is below the limit is dropped and refused after.
  bool too_deep = false;
  const auto watch = [&](int depth, Read::parse_event_t event, const Read& json) {
    if (event == Read::parse_event_t::key || event == Read::parse_event_t::value)
      taken.add(kElement + (json.is_string() ? kText * json.get_ref<const std::string&>().size() : 0));
    else if (event == Read::parse_event_t::array_start || event == Read::parse_event_t::object_start)
      taken.add(kElement);
    too_deep |= depth > static_cast<int>(kMaxDepth) + 2;
    return depth <= static_cast<int>(kMaxDepth) + 2;
  };
  Read json;
  try {
    json = Read::parse(bytes, watch);
  } catch (const Read::exception& error) {
    const std::string text = error.what();  // "[json.exception...] parse error at line ..."
    const size_t end = text.find("] ");
    throw Failure(what + " is no JSON: " + (end == std::string::npos ? text : text.substr(end + 2)));
  }
  if (too_deep) throw Failure(what + ": more than " + std::to_string(kMaxDepth) + " lists in each other");
  return json;
}

Value value_of_json(const Read& json, std::string_view type, const std::string& what) {
  if (const auto element = inner(type, "optional"))
    return json.is_null() ? Value() : value_of_json(json, *element, what);
  if (const auto types = inner(type, "map")) return map_of(json, *types, what);
  const auto element = inner(type, "sequence");
  if (!element) return tensor_of(json, dtype_of(type, what), what);
  if (!json.is_array()) throw Failure(what + ": a sequence is a list");
  std::vector<Value> elements;
  for (const Read& each : json) elements.push_back(value_of_json(each, *element, what));
  return Value::sequence(elements);
}

Json json_of_value(const Value& value) {
  switch (value.kind()) {
    case ONNXRUN_KIND_TENSOR: {
      const Tensor tensor(value);
      check_empty_lists(tensor);
      std::vector<Json> leaves = leaves_of(tensor);
      size_t next = 0;
      return nested(tensor.shape(), 0, leaves, next);
    }
    case ONNXRUN_KIND_SEQUENCE: {
      Json list = Json::array();
      for (const Value& element : value.elements()) list.push_back(json_of_value(element));
      return list;
    }
    case ONNXRUN_KIND_MAP: {
      const std::vector<Json> keys = leaves_of(Tensor(value.keys()));
      std::vector<Json> values = leaves_of(Tensor(value.values()));
      // object[key] would compare with all before.
      Json object = Json::object();
      auto& members = object.get_ref<Json::object_t&>();
      std::unordered_map<std::string, size_t> places;
      for (size_t i = 0; i < keys.size(); ++i) {
        const std::string key = text_of(keys[i]);
        if (const auto [place, is_new] = places.emplace(key, members.size()); is_new)
          members.emplace_back(key, std::move(values[i]));
        else members.begin()[static_cast<std::ptrdiff_t>(place->second)].second = std::move(values[i]);
      }
      return object;
    }
    default: return nullptr;
  }
}

}  // namespace cli

// Maps of the C interface: keys are put in ascending order.
#include <algorithm>
#include <cstring>
#include <numeric>

#include "api/functions.h"
#include "api/handles.h"
#include "api/status.h"
#include "api/tensor_argument.h"

namespace onnxrun::api {
namespace {

using base::DType;
using base::Tensor;

template <class T>
std::vector<size_t> key_order(const Tensor& keys) {
  const auto elements = keys.span<T>();
  std::vector<size_t> order(elements.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return elements[a] < elements[b]; });
  for (size_t i = 1; i < order.size(); ++i)
    if (elements[order[i - 1]] == elements[order[i]])
      fail(Code::kInvalidArgument, "the map has the key {} twice", elements[order[i]]);
  return order;
}

Tensor reordered(const Tensor& from, const std::vector<size_t>& order) {
  Tensor result(from.dtype(), from.dims());
  if (from.dtype() == DType::kString) {
    for (size_t i = 0; i < order.size(); ++i)
      result.mutable_data<std::string>()[i] = from.data<std::string>()[order[i]];
    return result;
  }
  if (base::is_sub_byte(from.dtype()))
    fail(Code::kInvalidArgument, "a map cannot have {} values", base::dtype_name(from.dtype()));
  const size_t size = static_cast<size_t>(base::dtype_bits(from.dtype())) / 8;
  for (size_t i = 0; i < order.size(); ++i)
    std::memcpy(static_cast<char*>(result.mutable_raw()) + i * size,
                static_cast<const char*>(from.raw()) + order[i] * size, size);
  return result;
}

}  // namespace

onnxrun_status* value_create_map(const onnxrun_value* keys, const onnxrun_value* values, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    const Tensor& key_tensor = (need(keys, "keys"), tensor_argument(keys));
    const Tensor& value_tensor = (need(values, "values"), tensor_argument(values));
    if (key_tensor.rank() != 1 || value_tensor.rank() != 1 || key_tensor.count() != value_tensor.count())
      fail(Code::kInvalidArgument, "keys and values must be of rank 1 and equal length, got {} and {}",
           keys->value.describe(), values->value.describe());
    std::vector<size_t> order;
    if (key_tensor.dtype() == DType::kInt64) order = key_order<int64_t>(key_tensor);
    else if (key_tensor.dtype() == DType::kString) order = key_order<std::string>(key_tensor);
    else
      fail(Code::kInvalidArgument, "the keys of a map are int64 or string, got {}",
           base::dtype_name(key_tensor.dtype()));
    auto map = std::make_shared<base::Map>();
    map->key = key_tensor.dtype();
    map->value = value_tensor.dtype();
    map->keys = reordered(key_tensor, order);
    map->values = reordered(value_tensor, order);
    *out = new onnxrun_value{base::Value(std::shared_ptr<const base::Map>(std::move(map))), false};
  });
}

}  // namespace onnxrun::api

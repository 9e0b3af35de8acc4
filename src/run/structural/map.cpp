// Running ai.onnx.ml's operators on maps.
#include <algorithm>
#include <map>

#include "base/checked.h"
#include "base/error.h"
#include "base/text_memory.h"
#include "ops/attributes/labels.h"
#include "run/structural/functions.h"
#include "run/structural/list.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::Map;
using base::Tensor;
using base::Value;

namespace {

// The keys in ascending order and the column of each; the last of equal keys' columns.
template <class Key>
Tensor sorted_keys(const std::vector<Key>& keys, std::vector<size_t>& columns) {
  std::map<Key, size_t> order;
  for (size_t i = 0; i < keys.size(); ++i) order[keys[i]] = i;
  Tensor result(base::dtype_of<Key>, {static_cast<int64_t>(order.size())});
  Key* out = result.mutable_data<Key>();
  for (const auto& [key, column] : order) {
    *out++ = key;
    columns.push_back(column);
  }
  return result;
}

// Calls visit(i, value) with the value of keys[i], for those that the map has. Keys that are not asked for count for nothing.
template <class T, class Key, class Visit>
void each_picked(const Map& map, const std::vector<Key>& keys, Visit&& visit) {
  const auto have = map.keys.span<Key>();
  const auto values = map.values.span<T>();
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto found = std::lower_bound(have.begin(), have.end(), keys[i]);
    if (found != have.end() && *found == keys[i]) visit(i, values[static_cast<size_t>(found - have.begin())]);
  }
}
template <class T, class Visit>
void each_picked(const Map& map, const ops::Labels& keys, Visit&& visit) {
  if (keys.are_strings()) each_picked<T>(map, keys.strings, visit);
  else each_picked<T>(map, keys.ints, visit);
}

template <class T>
void pick(const Map& map, const ops::Labels& keys, Tensor& out) {
  T* to = out.mutable_data<T>();
  std::fill_n(to, out.count(), T{});
  each_picked<T>(map, keys, [to](size_t i, const T& value) { to[i] = value; });
}
void pick_text(const Map& map, const ops::Labels& keys, const base::BudgetPtr& budget, Tensor& out) {
  int64_t bytes = 0;
  each_picked<std::string>(map, keys,
                           [&](size_t, const std::string& value) { bytes += base::text_bytes(value.capacity()); });
  base::Charge text(budget, bytes);
  pick<std::string>(map, keys, out);
  out = base::with_text(std::move(out), std::move(text));
}

void check_types(const Map& map, DType key, DType value) {
  if (map.key != key || map.value != value)
    base::fail(Code::kInvalidArgument, "expected a map from {} to {}, got one from {} to {}", base::dtype_name(key),
               base::dtype_name(value), base::dtype_name(map.key), base::dtype_name(map.value));
}

}  // namespace

void run_zip_map(StructuralContext& context) {
  const onnxrun_tensor& x = context.feed(0).view;
  const ops::Labels labels = ops::read_labels(context.node().attributes, "classlabels_int64s", "classlabels_strings");
  const int64_t columns = x.rank > 0 ? x.dims[x.rank - 1] : 0, rows = x.rank == 2 ? x.dims[0] : 1;
  if (x.rank < 1 || x.rank > 2 || columns != static_cast<int64_t>(labels.size()))
    base::fail(Code::kRunFailed, "'X' must have {} columns, one for each key, got {}", labels.size(), columns);
  if (x.dtype != ONNXRUN_DTYPE_FLOAT32) base::fail(Code::kRunFailed, "'X' must be a float32 tensor");
  std::vector<size_t> order;
  const Tensor keys = labels.are_strings() ? sorted_keys(labels.strings, order) : sorted_keys(labels.ints, order);
  const auto size = static_cast<int64_t>(order.size());
  // The maps' values lie in one buffer.
  Tensor values = context.tensors().make(DType::kFloat32, {rows, size});
  auto* to = values.mutable_data<float>();
  auto sequence = make_listed(base::Charge(context.tensors().budget(), list_bytes(rows)));
  sequence->elements.reserve(static_cast<size_t>(rows));
  for (int64_t row = 0; row < rows; ++row) {
    if (row % 1024 == 0) context.control().check();
    const float* from = static_cast<const float*>(x.data) + row * columns;
    for (size_t k = 0; k < order.size(); ++k) to[row * size + static_cast<int64_t>(k)] = from[order[k]];
    auto map = std::make_shared<Map>();
    map->key = keys.dtype();
    map->value = DType::kFloat32;
    map->keys = keys;
    map->values = Tensor(DType::kFloat32, {size}, values.buffer(), static_cast<size_t>(row * size) * sizeof(float));
    sequence->elements.emplace_back(std::shared_ptr<const Map>(std::move(map)));
  }
  context.set_output(0, Value(std::shared_ptr<const base::Sequence>(std::move(sequence))));
}

void run_dict_vectorizer(StructuralContext& context) {
  const Value input = context.input(0);
  const Map& map = input.map();
  const ops::Labels vocabulary = ops::read_labels(context.node().attributes, "int64_vocabulary", "string_vocabulary");
  check_types(map, vocabulary.are_strings() ? DType::kString : DType::kInt64, context.output_fact(0).dtype);
  Tensor result = context.tensors().make(map.value, {1, static_cast<int64_t>(vocabulary.size())});
  switch (map.value) {
    case DType::kInt64: pick<int64_t>(map, vocabulary, result); break;
    case DType::kFloat64: pick<double>(map, vocabulary, result); break;
    case DType::kString: pick_text(map, vocabulary, context.tensors().budget(), result); break;
    default: pick<float>(map, vocabulary, result);
  }
  context.set_output(0, std::move(result));
}

void run_cast_map(StructuralContext& context) {
  const Value input = context.input(0);
  const Map& map = input.map();
  const ir::Attributes& attributes = context.node().attributes;
  check_types(map, DType::kInt64, context.output_fact(0).dtype);
  const auto keys = map.keys.span<int64_t>();
  const bool sparse = attributes.get_string("map_form", "DENSE") == "SPARSE";
  const int64_t length = sparse ? attributes.get_int("max_map", 1) : map.keys.count();
  if (sparse && !keys.empty() && (keys.front() < 0 || keys.back() >= length))
    base::fail(Code::kRunFailed, "the keys of a sparse map must lie from 0 to {}, got {} to {}", length - 1,
               keys.front(), keys.back());
  Tensor result = context.tensors().make(map.value, {1, length});
  const auto position = [&](size_t i) { return sparse ? static_cast<size_t>(keys[i]) : i; };
  if (map.value == DType::kString) {
    // Text that a cast reads as zero.
    std::fill_n(result.mutable_data<std::string>(), length, std::string(1, '0'));
    for (size_t i = 0; i < keys.size(); ++i)
      result.mutable_data<std::string>()[position(i)] = map.values.data<std::string>()[i];
    result = base::charge_text(std::move(result), context.tensors().budget());
  } else {
    std::fill_n(result.mutable_data<float>(), length, 0.0f);
    for (size_t i = 0; i < keys.size(); ++i) result.mutable_data<float>()[position(i)] = map.values.data<float>()[i];
  }
  context.set_output(0, std::move(result));
}

}  // namespace onnxrun::run

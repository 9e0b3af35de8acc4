// Value: what flows along a graph's edge at run time - a tensor, a sequence, a map, or an absent optional.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/tensor.h"

namespace onnxrun::base {

class Value;

struct Sequence {
  std::vector<Value> elements;
};

// A map from int64 or string keys to a tensor's scalar values (ai.onnx.ml); keys in ascending order.
struct Map {
  DType key = DType::kInt64;
  DType value = DType::kFloat32;
  Tensor keys;    // rank 1
  Tensor values;  // rank 1, same length
};

// Sequences and maps are immutable once shared; an operator that changes one makes a new one.
class Value {
 public:
  Value() = default;  // absent: an empty optional
  Value(Tensor tensor) : data_(std::move(tensor)) {}
  Value(std::shared_ptr<const Sequence> sequence) : data_(std::move(sequence)) {}
  Value(std::shared_ptr<const Map> map) : data_(std::move(map)) {}

  bool absent() const noexcept { return std::holds_alternative<std::monostate>(data_); }
  bool is_tensor() const noexcept { return std::holds_alternative<Tensor>(data_); }
  bool is_sequence() const noexcept { return std::holds_alternative<std::shared_ptr<const Sequence>>(data_); }
  bool is_map() const noexcept { return std::holds_alternative<std::shared_ptr<const Map>>(data_); }

  // Each throws kInvalidArgument, naming what the value is, when it is something else.
  const Tensor& tensor() const;
  Tensor& tensor();
  const Sequence& sequence() const;
  const Map& map() const;

  // "float32 tensor [2,3]", "sequence of 4", "absent optional", ...
  std::string describe() const;

 private:
  std::variant<std::monostate, Tensor, std::shared_ptr<const Sequence>, std::shared_ptr<const Map>> data_;
};

}  // namespace onnxrun::base

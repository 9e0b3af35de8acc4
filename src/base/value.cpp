// Access to and description of run-time values.
#include "base/value.h"

#include "base/error.h"

namespace onnxrun::base {
namespace {

std::string describe_tensor(const Tensor& tensor) {
  if (!tensor) return "no tensor";
  return fmt::format("{} tensor {}", dtype_name(tensor.dtype()), to_string(tensor.dims()));
}

}  // namespace

const Tensor& Value::tensor() const {
  if (!is_tensor()) fail(Code::kInvalidArgument, "expected a tensor, got {}", describe());
  return std::get<Tensor>(data_);
}

Tensor& Value::tensor() {
  if (!is_tensor()) fail(Code::kInvalidArgument, "expected a tensor, got {}", describe());
  return std::get<Tensor>(data_);
}

const Sequence& Value::sequence() const {
  const auto* sequence = std::get_if<std::shared_ptr<const Sequence>>(&data_);
  if (!sequence || !*sequence) fail(Code::kInvalidArgument, "expected a sequence, got {}", describe());
  return **sequence;
}

const Map& Value::map() const {
  const auto* map = std::get_if<std::shared_ptr<const Map>>(&data_);
  if (!map || !*map) fail(Code::kInvalidArgument, "expected a map, got {}", describe());
  return **map;
}

std::string Value::describe() const {
  if (is_tensor()) return describe_tensor(std::get<Tensor>(data_));
  if (const auto* sequence = std::get_if<std::shared_ptr<const Sequence>>(&data_))
    return *sequence ? fmt::format("sequence of {}", (*sequence)->elements.size()) : "no sequence";
  if (const auto* map = std::get_if<std::shared_ptr<const Map>>(&data_))
    return *map ? fmt::format("map of {} from {} to {}", (*map)->keys.count(), dtype_name((*map)->key),
                              dtype_name((*map)->value))
                : "no map";
  return "absent optional";
}

}  // namespace onnxrun::base

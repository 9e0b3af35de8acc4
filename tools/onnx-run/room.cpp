// Counting bytes.
#include "room.h"

#include <nlohmann/json.hpp>

#include "outcome.h"

namespace cli {

Room Room::of(const onnxrun::Session& session) {
  return Room(nlohmann::json::parse(session.memory())["limit"].get<uint64_t>());
}

Room Room::of(const onnxrun::Options& options) {
  static constexpr const char* kNothing =
      "onnxrun text 1\nir_version 8\nopset ai.onnx 17\ngraph g(x: float32[]) -> (y) {\n  y = Identity(x)\n}\n";
  return of(onnxrun::Session(onnxrun::Model::from_text(kNothing), options));
}

void Room::take(uint64_t bytes, const std::string& what) {
  if (bytes > left_)
    throw Failure(what + " takes " + std::to_string(bytes) + " bytes, more than is left of the limit of " +
                      std::to_string(limit_) + " for inputs (--max-memory)",
                  kRun);
  left_ -= bytes;
}

uint64_t bytes_of(const onnxrun::Value& value) {
  switch (value.kind()) {
    case ONNXRUN_KIND_TENSOR: {
      const onnxrun::Tensor tensor(value);
      const auto count = static_cast<uint64_t>(tensor.count());
      if (tensor.dtype() != ONNXRUN_DTYPE_STRING) return tensor.bytes().size();
      uint64_t bytes = bytes_of_strings(count);
      for (uint64_t i = 0; i < count; ++i) bytes += tensor.string(static_cast<int64_t>(i)).size();
      return bytes;
    }
    case ONNXRUN_KIND_SEQUENCE: {
      uint64_t bytes = 0;
      for (const onnxrun::Value& element : value.elements()) bytes += sizeof(onnxrun::Value) + bytes_of(element);
      return bytes;
    }
    case ONNXRUN_KIND_MAP: return bytes_of(value.keys()) + bytes_of(value.values());
    default: return 0;
  }
}

}  // namespace cli

// What a TensorProto says of itself, before its elements are read.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/shape.h"
#include "import/wire.h"

namespace onnxrun::import {

struct TensorSource;

// The fields of a TensorProto that hold elements.
enum Field : uint32_t {
  kNoData = 0,
  kFloatData = 4,
  kInt32Data = 5,
  kStringData = 6,
  kInt64Data = 7,
  kRawData = 9,
  kDoubleData = 10,
  kUint64Data = 11
};

std::string_view field_name(uint32_t field);

struct TensorHeader {
  base::Dims dims;
  int64_t data_type = 0;
  std::string_view name;
  std::optional<Bytes> raw;
  uint32_t typed = kNoData;
  std::vector<std::pair<std::string_view, std::string_view>> external_data;
  bool external = false;
};

// Throws kInvalidModel for what no tensor has, kLimitExceeded for a rank above the source's limit.
TensorHeader read_tensor_header(const TensorSource& source, Bytes message);

}  // namespace onnxrun::import

// Writes TensorProto: raw bytes, strings one by one, large tensors to a file beside the model where asked.
#include "import/write_tensor.h"

#include "import/import.h"

namespace onnxrun::import {

using base::Code;
using base::fail;

void write_tensor(protozero::pbf_writer& writer, const base::Tensor& tensor, std::string_view name,
                  ExternalSink* sink) {
  if (!tensor || tensor.memory() != ONNXRUN_MEMORY_HOST)
    fail(Code::kInvalidArgument, "tensor '{}' is not in host memory and cannot be written", name);
  for (const int64_t dim : tensor.dims()) writer.add_int64(1, dim);
  writer.add_int32(2, static_cast<int32_t>(tensor.dtype()));
  if (tensor.dtype() == base::DType::kString) {
    for (const std::string& text : tensor.span<std::string>()) writer.add_bytes(6, text);
  }
  if (!name.empty()) writer.add_string(8, name.data(), name.size());
  if (tensor.dtype() == base::DType::kString) return;
  if (sink && sink->takes(tensor)) {
    const ExternalSink::Place place = sink->append(tensor);
    const auto entry = [&](std::string_view key, const std::string& value) {
      protozero::pbf_writer message(writer, 13);
      message.add_string(1, key.data(), key.size());
      message.add_string(2, value);
    };
    entry("location", place.location);
    entry("offset", std::to_string(place.offset));
    entry("length", std::to_string(tensor.bytes()));
    writer.add_enum(14, 1);
    return;
  }
  constexpr size_t kMostBytes = (size_t{1} << 31) - 1;
  if (tensor.bytes() > kMostBytes) {
    fail(Code::kLimitExceeded,
         "tensor '{}' has {} bytes; a tensor in a file can have 2 GiB at most: write it as external data", name,
         tensor.bytes());
  }
  writer.add_bytes(9, static_cast<const char*>(tensor.stored()), tensor.bytes());
}

std::string write_tensor_pb(const base::Tensor& tensor, std::string_view name) {
  std::string result;
  protozero::pbf_writer writer(result);
  write_tensor(writer, tensor, name);
  return result;
}

}  // namespace onnxrun::import

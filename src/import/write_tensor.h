// base::Tensor to TensorProto.
#pragma once

#include <protozero/pbf_writer.hpp>
#include <string_view>

#include "base/tensor.h"

namespace onnxrun::import {

// Where tensors too large for the model file go: appends a tensor's bytes, and says where they are.
class ExternalSink {
 public:
  virtual ~ExternalSink() = default;
  struct Place {
    std::string location;
    int64_t offset = 0;
  };
  // Whether tensors of this size go there.
  virtual bool takes(const base::Tensor& tensor) const = 0;
  virtual Place append(const base::Tensor& tensor) = 0;
};

// Writes the fields of a TensorProto. The tensor must be in host memory. `sink` may be null.
void write_tensor(protozero::pbf_writer& writer, const base::Tensor& tensor, std::string_view name,
                  ExternalSink* sink = nullptr);

}  // namespace onnxrun::import

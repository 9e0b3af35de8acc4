// Tensors of the format: TensorProto and SparseTensorProto to base::Tensor.
#pragma once

#include <memory>
#include <string>

#include "base/limits.h"
#include "base/tensor.h"
#include "import/external.h"
#include "import/wire.h"

namespace onnxrun::import {

// What reading a tensor needs to know of its surroundings.
struct TensorSource {
  const WireFile* file = nullptr;
  std::shared_ptr<const void> owner;  // keeps `file` alive; null: nothing may view it
  base::BudgetPtr budget;
  const base::Limits* limits = nullptr;
  ExternalFiles* external = nullptr;  // null: external data is refused
};

// Reads a TensorProto. Raw data views the file where it is aligned for its element type and `owner` is set, else it is copied once. Throws kInvalidModel
// naming the tensor and what is wrong.
base::Tensor read_tensor(const TensorSource& source, Bytes message, std::string* name = nullptr);

// Reads a SparseTensorProto as the dense tensor it stands for; its size is charged to the budget first.
base::Tensor read_sparse_tensor(const TensorSource& source, Bytes message);

}  // namespace onnxrun::import

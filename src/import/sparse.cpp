// SparseTensorProto to the dense tensor it stands for.
#include <cstring>

#include "base/text_memory.h"
#include "import/tensor.h"

namespace onnxrun::import {
namespace {

using base::Code;
using base::DType;
using base::fail;
using base::Tensor;

// Row-major positions of the elements; checks ranges, order and repeats.
std::vector<int64_t> positions_of(const Tensor& indices, const base::Dims& dims, int64_t values, int64_t count) {
  if (indices.dtype() != DType::kInt64)
    fail(Code::kInvalidModel, "sparse indices are {} where int64 belongs", base::dtype_name(indices.dtype()));
  const auto rank = static_cast<int64_t>(dims.size());
  const bool linear = indices.rank() == 1;
  if (!(linear && indices.dims()[0] == values) &&
      !(indices.rank() == 2 && indices.dims()[0] == values && indices.dims()[1] == rank)) {
    fail(Code::kInvalidModel, "sparse indices have shape {} where [{}] or [{},{}] belongs",
         base::to_string(indices.dims()), values, values, rank);
  }
  const int64_t* index = indices.data<int64_t>();
  std::vector<int64_t> positions(static_cast<size_t>(values));
  for (int64_t i = 0; i < values; ++i) {
    int64_t position = 0;
    if (linear) {
      position = *index++;
    } else {
      for (int64_t axis = 0; axis < rank; ++axis) {
        const int64_t at = *index++;
        const int64_t dim = dims[static_cast<size_t>(axis)];
        if (at < 0 || at >= dim)
          fail(Code::kInvalidModel, "sparse index {} is outside axis {} of shape {}", at, axis, base::to_string(dims));
        position = position * dim + at;
      }
    }
    if (position < 0 || position >= count)
      fail(Code::kInvalidModel, "sparse index {} is outside shape {}", position, base::to_string(dims));
    if (i > 0 && position <= positions[static_cast<size_t>(i - 1)])
      fail(Code::kInvalidModel, "sparse indices are not ascending without repeats");
    positions[static_cast<size_t>(i)] = position;
  }
  return positions;
}

}  // namespace

Tensor read_sparse_tensor(const TensorSource& source, Bytes message) {
  std::optional<Bytes> values_bytes, indices_bytes;
  base::Dims dims;
  Message m(*source.file, message, "SparseTensorProto");
  while (m.next()) {
    switch (m.field()) {
      case 1: m.once(values_bytes); break;
      case 2: m.once(indices_bytes); break;
      case 3:
        m.integers([&](int64_t dim) {
          if (static_cast<int64_t>(dims.size()) >= source.limits->max_rank)
            base::exceed(fmt::format("a tensor has {} dims or more", dims.size() + 1), source.limits->max_rank,
                         "max_rank");
          dims.push_back(dim);
        });
        break;
      default: m.skip();
    }
  }
  if (!values_bytes) m.fail("has no values");
  std::string name;
  const Tensor values = read_tensor(source, *values_bytes, &name);
  try {
    if (values.rank() != 1)
      fail(Code::kInvalidModel, "sparse values have shape {} where rank 1 belongs", base::to_string(values.dims()));
    for (const int64_t dim : dims) {
      if (dim < 0) fail(Code::kInvalidModel, "its shape {} has a negative dim", base::to_string(dims));
    }
    const int64_t count = base::element_count(dims);
    if (values.count() > count)
      fail(Code::kInvalidModel, "{} values do not fit shape {}", values.count(), base::to_string(dims));
    if (base::is_sub_byte(values.dtype()))
      fail(Code::kUnsupported, "sparse tensors of {} are not supported", base::dtype_name(values.dtype()));
    const Tensor indices =
        indices_bytes ? read_tensor(source, *indices_bytes) : Tensor(DType::kInt64, {values.count()});
    if (!indices_bytes && values.count() != 0) fail(Code::kInvalidModel, "a sparse tensor has values but no indices");
    const std::vector<int64_t> positions = positions_of(indices, dims, values.count(), count);

    if (values.dtype() == DType::kString) {
      Tensor dense(DType::kString, dims, source.budget);
      for (size_t i = 0; i < positions.size(); ++i)
        dense.mutable_data<std::string>()[positions[i]] = values.data<std::string>()[i];
      return base::charge_text(std::move(dense), source.budget);
    }
    const size_t bytes = base::dtype_bytes(values.dtype(), count);
    Tensor dense(values.dtype(), dims, base::Buffer::allocate(bytes, source.budget, true));
    const size_t width = static_cast<size_t>(base::dtype_bits(values.dtype())) / 8;
    for (size_t i = 0; i < positions.size(); ++i) {
      std::memcpy(static_cast<char*>(dense.mutable_raw()) + static_cast<size_t>(positions[i]) * width,
                  static_cast<const char*>(values.raw()) + i * width, width);
    }
    return dense;
  } catch (Error& e) {
    throw e.in(fmt::format("sparse tensor '{}'", std::string_view(name).substr(0, 200)));
  }
}

}  // namespace onnxrun::import

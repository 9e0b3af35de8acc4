// Writes TypeProto with symbolic dims as dim_param.
#include "import/write_type.h"

namespace onnxrun::import {
namespace {

using protozero::pbf_writer;

void write_tensor_type(pbf_writer& writer, uint32_t field, const ir::Fact& fact) {
  pbf_writer tensor(writer, field);
  tensor.add_int32(1, static_cast<int32_t>(fact.dtype));  // 0: not known
  if (!fact.shape) return;
  // Messages without content mean something here (a scalar's shape, an unknown dim), and nested writers would leave them out.
  std::string shape_bytes;
  pbf_writer shape(shape_bytes);
  for (const ir::Dim& dim : *fact.shape) {
    std::string bytes;
    pbf_writer d(bytes);
    if (dim.is_constant()) d.add_int64(1, dim.value());
    else if (dim.is_symbolic()) d.add_string(2, dim.to_string());
    shape.add_message(1, bytes);
  }
  tensor.add_message(2, shape_bytes);
}

void write_element(pbf_writer& writer, uint32_t field, const ir::Fact& fact) {
  pbf_writer holder(writer, field);
  if (!fact.element) return;
  std::string bytes;
  pbf_writer element(bytes);
  write_type(element, *fact.element);
  holder.add_message(1, bytes);
}

}  // namespace

void write_type(pbf_writer& writer, const ir::Fact& fact) {
  switch (fact.kind) {
    case ir::TypeKind::kTensor: return write_tensor_type(writer, 1, fact);
    case ir::TypeKind::kSparseTensor: return write_tensor_type(writer, 8, fact);
    case ir::TypeKind::kSequence: return write_element(writer, 4, fact);
    case ir::TypeKind::kOptional: return write_element(writer, 9, fact);
    case ir::TypeKind::kMap: {
      pbf_writer map(writer, 5);
      map.add_int32(1, static_cast<int32_t>(fact.key));
      std::string bytes;
      pbf_writer value(bytes);
      if (fact.element) write_type(value, *fact.element);
      map.add_message(2, bytes);
      return;
    }
    case ir::TypeKind::kUnknown: return;
  }
}

bool has_type(const ir::Fact& fact) {
  switch (fact.kind) {
    case ir::TypeKind::kTensor:
    case ir::TypeKind::kSparseTensor: return fact.dtype != base::DType::kNone;
    case ir::TypeKind::kSequence:
    case ir::TypeKind::kOptional:
    case ir::TypeKind::kMap: return fact.element && has_type(*fact.element);
    case ir::TypeKind::kUnknown: return false;
  }
  return false;
}

}  // namespace onnxrun::import

// Values stored on their own in protobuf messages.
#include "api/functions.h"
#include "api/handles.h"
#include "api/status.h"
#include "api/tensor_argument.h"

namespace onnxrun::api {
namespace {

ir::Fact fact_of_kind(int32_t kind) {
  ir::Fact fact;
  switch (kind) {
    case ONNXRUN_KIND_UNKNOWN: return fact;
    case ONNXRUN_KIND_TENSOR: fact.kind = ir::TypeKind::kTensor; return fact;
    case ONNXRUN_KIND_SPARSE_TENSOR: fact.kind = ir::TypeKind::kSparseTensor; return fact;
    case ONNXRUN_KIND_SEQUENCE: return ir::Fact::sequence({});
    case ONNXRUN_KIND_OPTIONAL: return ir::Fact::optional({});
    case ONNXRUN_KIND_MAP: return ir::Fact::map(base::DType::kNone, {});
    default: fail(Code::kInvalidArgument, "{} is no kind of value", kind);
  }
}

}  // namespace

onnxrun_status* value_from_proto(const void* data, size_t size, int32_t kind, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    if (size != 0) need(static_cast<const char*>(data), "data");
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(data), size);
    *out = new onnxrun_value{import::read_value_pb(bytes, fact_of_kind(kind)), false};
  });
}

onnxrun_status* value_to_proto(const onnxrun_value* value, const char* name, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    *out = new onnxrun_blob{import::write_tensor_pb(tensor_argument(value), name ? name : "")};
  });
}

}  // namespace onnxrun::api

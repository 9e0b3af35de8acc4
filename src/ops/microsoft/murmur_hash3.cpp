// com.microsoft.MurmurHash3: a 32-bit hash of each element.
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_murmur(ir::InferContext& c) {
  c.set(0, c.attributes().get_int("positive", 1) != 0 ? ir::DType::kUint32 : ir::DType::kInt32, c.input(0).shape);
}

}  // namespace

void define_microsoft_murmur_hash3(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "MurmurHash3",
             .versions = {1},
             .signature = {.inputs = "X:T",
                           .outputs = "Y:U",
                           .types = "T: int32 uint32 int64 uint64 float32 float64 string | U: int32 uint32",
                           .attributes = "positive:int, seed:int"},
             .infer = infer_murmur});
}

}  // namespace onnxrun::ops

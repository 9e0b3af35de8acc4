// com.microsoft.MatMulInteger16, MulInteger and ReduceSumInteger, written in ONNX's operators on int32 or uint32.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::Expansion;
using ir::ValueId;

ValueId cast(Expansion& e, ValueId x, DType type) { return e.emit("Cast", {x}, {{"to", static_cast<int64_t>(type)}}); }

bool is_unsigned(DType type) { return type == DType::kUint8 || type == DType::kUint16; }

// int32 where any operand is signed.
DType sum_type(DType a, DType b) { return is_unsigned(a) && is_unsigned(b) ? DType::kUint32 : DType::kInt32; }

void lift_matmul(Expansion& e, int) {
  const DType type = sum_type(e.fact(e.input(0)).dtype, e.fact(e.input(1)).dtype);
  e.finish("MatMul", {cast(e, e.input(0), type), cast(e, e.input(1), type)});
}

void lift_mul(Expansion& e, int) {
  const auto shifted = [&](size_t value, size_t zero) {
    const ValueId x = cast(e, e.input(value), DType::kInt32);
    return e.has_input(zero) ? e.emit("Sub", {x, cast(e, e.input(zero), DType::kInt32)}) : x;
  };
  e.finish("Mul", {shifted(0, 1), shifted(2, 3)});
}

void lift_reduce_sum(Expansion& e, int) {
  const DType type = e.fact(e.input(0)).dtype;
  e.finish("ReduceSum", {cast(e, e.input(0), sum_type(type, type)), e.int64s(e.attributes().get_ints("axes"))},
           {{"keepdims", e.attributes().get_int("keepdims", 1)}, {"noop_with_empty_axes", int64_t{0}}});
}

}  // namespace

void define_microsoft_integer_arithmetic(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "MatMulInteger16",
             .versions = {1},
             .signature = {.inputs = "A:T1, B:T2",
                           .outputs = "Y:T3",
                           .types = "T1: int16 uint16 | T2: int16 uint16 | T3: int32 uint32"},
             .infer = [](ir::InferContext& c) { c.set(0, sum_type(c.dtype(0), c.dtype(1))); },
             .lift = lift_matmul});
  table.add({.domain = "com.microsoft",
             .name = "MulInteger",
             .versions = {1},
             .signature = {.inputs = "A:T, A_zero_point?:T, B:T, B_zero_point?:T",
                           .outputs = "C:int32",
                           .types = "T: int8 uint8"},
             .infer = [](ir::InferContext& c) { c.set(0, DType::kInt32); },
             .lift = lift_mul});
  table.add({.domain = "com.microsoft",
             .name = "ReduceSumInteger",
             .versions = {1},
             .signature = {.inputs = "data:T1",
                           .outputs = "reduced:T2",
                           .types = "T1: int8 uint8 | T2: int32 uint32",
                           .attributes = "axes:ints!, keepdims:int!"},
             .infer = [](ir::InferContext& c) { c.set(0, sum_type(c.dtype(0), c.dtype(0))); },
             .lift = lift_reduce_sum});
}

}  // namespace onnxrun::ops

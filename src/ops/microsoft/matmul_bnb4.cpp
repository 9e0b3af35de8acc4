// com.microsoft.MatMulBnb4: a product with weights of 4 bits that index a table of floats, in blocks of the flattened matrix with a factor each. The
// weights become floats, once where they are constant.
#include "base/checked.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

using ir::DType;
using ir::Expansion;
using ir::Tensor;
using ir::ValueId;

// The values of FP4 (sign, two exponent bits, one of mantissa, over 12) and of NF4 (quantiles of the normal distribution), from QLoRA (Dettmers et al., 2023).
Tensor table_of(int64_t type) {
  if (type == 0)
    return Tensor::vector<float>({0.0f, 5.208333333e-03f, 0.66666667f, 1.0f, 0.33333333f, 0.5f, 0.16666667f, 0.25f,
                                  -0.0f, -5.208333333e-03f, -0.66666667f, -1.0f, -0.33333333f, -0.5f, -0.16666667f,
                                  -0.25f});
  return Tensor::vector<float>({-1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
                                -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
                                0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
                                0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f});
}

void lift_bnb4(Expansion& e, int) {
  const int64_t k = e.attributes().get_int("K", 0), n = e.attributes().get_int("N", 0),
                block = e.attributes().get_int("block_size", 0);
  const int64_t type = e.attributes().get_int("quant_type", -1);
  if (k < 1 || n < 1) e.fail("attributes 'K' and 'N' must be positive, got {} and {}", k, n);
  if (block < 16 || (block & (block - 1)) != 0)
    e.fail("attribute 'block_size' is {}, expected a power of two, 16 or more", block);
  if (type != 0 && type != 1) e.fail("attribute 'quant_type' is {}, expected 0 (FP4) or 1 (NF4)", type);
  const int64_t count = base::checked_mul(n, k), blocks = (count - 1) / block + 1;
  const auto expect = [&](size_t i, const char* name, int64_t elements) {
    if (const auto dims = e.fact(e.input(i)).dims(); dims && base::element_count(*dims) != elements)
      e.fail("input '{}' is {}, expected {} elements", name, e.fact(e.input(i)).to_string(), elements);
  };
  expect(1, "B", (count + 1) / 2);
  expect(2, "absmax", blocks);
  const DType work = e.fact(e.input(0)).dtype;
  const auto cast = [&](ValueId x, DType to) { return e.emit("Cast", {x}, {{"to", static_cast<int64_t>(to)}}); };
  // The first element of a byte is in its high bits.
  const ValueId bytes = e.emit("Reshape", {e.input(1), e.int64s({-1, 1})});
  const ValueId high =
      e.emit("BitShift", {bytes, e.constant(Tensor::scalar<uint8_t>(4))}, {{"direction", std::string("RIGHT")}});
  const ValueId low = e.emit("BitwiseAnd", {bytes, e.constant(Tensor::scalar<uint8_t>(15))});
  const ValueId pairs = e.emit("Reshape", {e.emit("Concat", {high, low}, {{"axis", int64_t{1}}}), e.int64s({-1})});
  const auto first = [&](ValueId x) { return e.emit("Slice", {x, e.int64s({0}), e.int64s({count}), e.int64s({0})}); };
  const ValueId values =
      e.emit("Gather", {e.constant(table_of(type)), cast(first(pairs), DType::kInt32)}, {{"axis", int64_t{0}}});
  const ValueId column = e.emit("Reshape", {cast(e.input(2), DType::kFloat32), e.int64s({-1, 1})});
  const ValueId factors =
      first(e.emit("Reshape", {e.emit("Expand", {column, e.int64s({blocks, block})}), e.int64s({-1})}));
  ValueId weights = cast(e.emit("Reshape", {e.emit("Mul", {values, factors}), e.int64s({n, k})}), work);
  if (e.attributes().get_int("transB", 1) != 0)
    weights = e.emit("Transpose", {weights}, {{"perm", std::vector<int64_t>{1, 0}}});
  e.finish("MatMul", {e.input(0), weights});
}

}  // namespace

void define_microsoft_matmul_bnb4(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "MatMulBnb4",
       .versions = {1},
       .signature = {.inputs = "A:T1, B:uint8, absmax:T1",
                     .outputs = "Y:T1",
                     .types = "T1: float32 float16 bfloat16",
                     .attributes = "K:int!, N:int!, block_size:int!, quant_type:int!, training_mode:int, transB:int"},
       .infer = [](ir::InferContext& c) { c.set(0, c.dtype(0)); },
       .lift = lift_bnb4});
}

}  // namespace onnxrun::ops

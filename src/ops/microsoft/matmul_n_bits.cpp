// com.microsoft.MatMulNBits: products with weights of 2, 4 or 8 bits in blocks that have a scale, and may have a zero point, each. The optimizer makes some of
// a DequantizeLinear and a MatMul.
#include <algorithm>

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/n_bits.h"
#include "ops/emitter.h"

namespace onnxrun::ops {
namespace {

using ir::InferContext;
using ir::Shape;

// The number of elements that an input must have.
void require_elements(InferContext& c, size_t i, const char* name, int64_t wanted) {
  const auto dims = c.has_input(i) ? c.input(i).dims() : std::nullopt;
  if (dims && base::element_count(*dims) != wanted)
    c.fail("input '{}' is {}, expected {} elements for K, N, bits and block_size", name, c.input(i).to_string(),
           wanted);
}

void infer_n_bits(InferContext& c) {
  const attributes::NBits sizes = attributes::read_n_bits(c.attributes());
  const int64_t level = c.attributes().get_int("accuracy_level", 0);
  if (level < 0 || level > 4) c.fail("attribute 'accuracy_level' is {}, expected 0 to 4", level);
  if (c.attributes().get_int("weight_prepacked", 0) != 0)
    c.fail("weights that are packed for another runtime (weight_prepacked) cannot be read");
  const int64_t scales = sizes.n * sizes.blocks();
  require_elements(c, 1, "B", sizes.n * sizes.row_bytes());
  require_elements(c, 2, "scales", scales);
  if (c.has_input(3))
    require_elements(c, 3, "zero_points", c.dtype(3) == ir::DType::kUint8 ? sizes.n * sizes.zero_row_bytes() : scales);
  require_elements(c, 5, "bias", sizes.n);
  if (c.has_input(4)) {
    const Shape* shape = c.shape(4);
    if (shape != nullptr && (shape->size() != 1 || ((*shape)[0].is_constant() && (*shape)[0].value() < sizes.k)))
      c.fail("input 'g_idx' is {}, expected K elements", c.input(4).to_string());
    if (const ir::Tensor* groups = c.constant(4))
      for (int32_t group : groups->span<int32_t>())
        if (group < 0 || group >= sizes.blocks())
          c.fail("input 'g_idx' names block {}, there are {}", group, sizes.blocks());
  }
  std::optional<Shape> out;
  if (const Shape* a = c.shape(0)) {
    if (a->empty()) c.fail("input 'A' is a scalar, expected rank 1 or more");
    if (a->back().is_constant() && a->back().value() != sizes.k)
      c.fail("input 'A' is {}, expected {} columns", c.input(0).to_string(), sizes.k);
    out = *a;
    out->back() = ir::Dim(sizes.n);
  }
  c.set(0, c.dtype(0), out);
}

ir::DType code_type(int64_t bits, bool is_signed) {
  if (bits == 2) return is_signed ? ir::DType::kInt2 : ir::DType::kUint2;
  if (bits == 4) return is_signed ? ir::DType::kInt4 : ir::DType::kUint4;
  return is_signed ? ir::DType::kInt8 : ir::DType::kUint8;
}

// The first `columns` numbers of each row, which starts a byte, without gaps; `flipped` bits are exchanged.
ir::Tensor packed(const ir::Tensor& from, int64_t rows, int64_t columns, int64_t row_bytes, int64_t bits,
                  ir::DType type, uint8_t flipped) {
  ir::Tensor result(type, {rows, columns});
  const auto* bytes = from.data<uint8_t>();
  auto* to = static_cast<uint8_t*>(result.mutable_raw());
  std::fill_n(to, result.bytes(), uint8_t{0});
  for (int64_t r = 0, at = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c, at += bits) {
      const int code = bytes[r * row_bytes + c * bits / 8] >> (c * bits % 8) & ((1 << bits) - 1);
      to[at / 8] = static_cast<uint8_t>(to[at / 8] | (code ^ flipped) << (at % 8));
    }
  return result;
}

// Of constant weights in order, with zero points as narrow as they are or none.
bool decompose_n_bits(ir::Expansion& e) {
  const attributes::NBits sizes = attributes::read_n_bits(e.attributes());
  const ir::Tensor &codes = e.fact(e.input(1)).constant, &scales = e.fact(e.input(2)).constant;
  const bool has_zeros = e.has_input(3);
  const ir::Tensor zeros = has_zeros ? e.fact(e.input(3)).constant : ir::Tensor();
  if (!codes || !scales || e.has_input(4) || (has_zeros && (!zeros || zeros.dtype() != ir::DType::kUint8)))
    return false;
  const ir::DType type = code_type(sizes.bits, !has_zeros);
  const auto flipped = static_cast<uint8_t>(has_zeros ? 0 : sizes.middle());
  std::vector<ir::ValueId> inputs{
      e.constant(packed(codes, sizes.n, sizes.k, sizes.row_bytes(), sizes.bits, type, flipped)),
      e.constant(scales.reshaped({sizes.n, sizes.blocks()}))};
  if (has_zeros)
    inputs.push_back(e.constant(packed(zeros, sizes.n, sizes.blocks(), sizes.zero_row_bytes(), sizes.bits, type, 0)));
  Emitter emit(e);
  const ir::ValueId weights =
      emit.op("DequantizeLinear", std::move(inputs), {{"axis", int64_t{1}}, {"block_size", sizes.block}});
  const ir::ValueId columns = emit.cast_like(emit.transpose(weights, {1, 0}), e.input(0));
  if (!e.has_input(5)) e.finish("MatMul", {e.input(0), columns});
  else e.finish("Add", {emit.op("MatMul", {e.input(0), columns}), e.input(5)});
  return true;
}

}  // namespace

void define_microsoft_matmul_n_bits(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "MatMulNBits",
             .versions = {1},
             .signature = {.inputs = "A:T1, B:T2, scales:T4, zero_points?:T3, g_idx?:int32, bias?:T1",
                           .outputs = "Y:T1",
                           .types = "T1: float32 float16 bfloat16 | T2: uint8 | T3: uint8 float32 float16 bfloat16 | "
                                    "T4: float32 float16 bfloat16",
                           .attributes =
                               "K:int!, N:int!, accuracy_level:int, bits:int, block_size:int, weight_prepacked:int"},
             .infer = infer_n_bits,
             .decompose = decompose_n_bits});
}

}  // namespace onnxrun::ops

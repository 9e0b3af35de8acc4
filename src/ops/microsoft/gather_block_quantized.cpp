// com.microsoft.GatherBlockQuantized: Gather of elements that have a scale, and may have a zero point, for each block of an axis.
#include "ops/attributes/gather_block_quantized.h"

#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void infer_gather(InferContext& c) {
  const Shape *data = c.shape(0), *indices = c.shape(1), *scales = c.shape(2);
  if (data == nullptr || indices == nullptr) return c.set(0, c.dtype(2));
  const auto blocks = attributes::read_gather_blocks(c.attributes(), c.dtype(0), c.rank(0));
  const bool integers = base::is_integer(c.dtype(0));
  if (!integers && c.has_input(3)) c.fail("'zero_points' have no meaning for {} data", base::dtype_name(c.dtype(0)));
  Shape whole = *data;
  whole.back() = whole.back() * Dim(blocks.per_element);
  if (scales != nullptr) {
    if (scales->size() != data->size())
      c.fail("'scales' {} and 'data' {} must have one rank", c.input(2).to_string(), c.input(0).to_string());
    for (size_t d = 0; d < data->size(); ++d) {
      Dim want = whole[d];
      if (static_cast<int64_t>(d) == blocks.quantize_axis)
        want = blocks.block == 0 ? Dim(1) : ceil_div(want, Dim(blocks.block));
      const Dim& have = (*scales)[d];
      if (have.is_constant() && want.is_constant() && have.value() != want.value() && (integers || have.value() != 1))
        c.fail("'scales' {} has {} along axis {}, expected {}", c.input(2).to_string(), have.value(), d, want.value());
    }
    const auto zeros = c.has_input(3) ? c.input(3).dims() : std::nullopt;
    if (const auto own = c.input(2).dims(); zeros && own) {
      auto packed = *own;
      if (blocks.per_element > 1) packed.back() = (packed.back() + blocks.per_element - 1) / blocks.per_element;
      if (*zeros != packed)
        c.fail("'zero_points' {} does not fit 'scales' {}", c.input(3).to_string(), c.input(2).to_string());
    }
  }
  check_rank(c, whole.size() + indices->size() - 1);
  Shape out(whole.begin(), whole.begin() + blocks.gather_axis);
  out.insert(out.end(), indices->begin(), indices->end());
  out.insert(out.end(), whole.begin() + blocks.gather_axis + 1, whole.end());
  c.set(0, c.dtype(2), std::move(out));
}

}  // namespace

void define_microsoft_gather_block_quantized(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "GatherBlockQuantized",
       .versions = {1},
       .signature = {.inputs = "data:T1, indices:I, scales:T2, zero_points?:T1",
                     .outputs = "output:T2",
                     .types = "T1: int4 uint4 uint8 float8s float4e2m1 | T2: float32 float16 bfloat16 | I: int32 int64",
                     .attributes = "bits:int, block_size:int, gather_axis:int, quantize_axis:int"},
       .infer = infer_gather});
}

}  // namespace onnxrun::ops

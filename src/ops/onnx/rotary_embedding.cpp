// RotaryEmbedding: rotates pairs of elements by position (ONNX, opset 23).
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

void infer_rotary(InferContext& c) {
  c.set(0, c.dtype(0), c.input(0).shape);
  const int64_t heads = c.attributes().get_int("num_heads", 0),
                rotated = c.attributes().get_int("rotary_embedding_dim", 0);
  if (heads < 0) c.fail("num_heads cannot be {}", heads);
  if (rotated < 0 || rotated % 2 != 0) c.fail("rotary_embedding_dim must be even and not negative, got {}", rotated);
  const Shape* x = c.shape(0);
  if (x == nullptr) return;
  if (x->size() != 3 && x->size() != 4) c.fail("'X' must have rank 3 or 4, got {}", c.input(0).to_string());
  Dim head = x->back();
  if (x->size() == 3) {
    if (heads == 0) c.fail("'X' of rank 3 needs the attribute num_heads");
    if (head.is_constant() && head.value() % heads != 0)
      c.fail("the last dim of 'X', {}, is no multiple of num_heads {}", head.value(), heads);
    head = exact_div(head, heads);
  }
  if (head.is_constant() && rotated > head.value())
    c.fail("rotary_embedding_dim {} is beyond the head size {}", rotated, head.value());
  if (head.is_constant() && rotated == 0 && head.value() % 2 != 0)
    c.fail("the head size must be even, got {}", head.value());
  const Dim half = rotated > 0 ? Dim(rotated / 2) : floor_div(head, 2);
  const Dim& batch = x->front();
  const Dim& length = (*x)[x->size() - 2];
  const size_t rank = c.has_input(3) ? 2 : 3;
  for (size_t i : {1, 2}) {
    const char* name = i == 1 ? "cos_cache" : "sin_cache";
    const Shape* cache = c.shape(i);
    if (cache == nullptr) continue;
    if (cache->size() != rank)
      c.fail("'{}' must have rank {} {} position_ids, got {}", name, rank, rank == 2 ? "with" : "without",
             c.input(i).to_string());
    unify(c, half, cache->back(), "half the rotated elements and the last dim of the caches");
    if (rank == 3) {
      unify(c, batch, (*cache)[0], "the batch sizes of 'X' and the caches");
      unify(c, length, (*cache)[1], "the lengths of 'X' and the caches");
    }
  }
  if (c.shape(1) != nullptr && c.shape(2) != nullptr)
    unify(c, c.shape(1)->front(), c.shape(2)->front(), "the first dims of the caches");
  if (const Shape* positions = c.shape(3)) {
    if (positions->size() != 2) c.fail("'position_ids' must have rank 2, got {}", c.input(3).to_string());
    unify(c, batch, (*positions)[0], "the batch sizes of 'X' and 'position_ids'");
    unify(c, length, (*positions)[1], "the lengths of 'X' and 'position_ids'");
  }
}

}  // namespace

void define_onnx_rotary_embedding(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "RotaryEmbedding",
             .versions = {23},
             .signature = {.inputs = "X:T, cos_cache:T, sin_cache:T, position_ids?:int64",
                           .outputs = "Y:T",
                           .types = "T: float32 float16 bfloat16",
                           .attributes = "interleaved:int, num_heads:int, rotary_embedding_dim:int"},
             .infer = infer_rotary});
}

}  // namespace onnxrun::ops

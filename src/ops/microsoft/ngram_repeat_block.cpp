// com.microsoft.NGramRepeatBlock: scores of tokens that would repeat an n-gram become minus infinity.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/grouped_inputs.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

void infer_block(ir::InferContext& c) {
  const int64_t size = c.attributes().get_int("ngram_size", 0);
  if (size < 1) c.fail("attribute 'ngram_size' must be positive, got {}", size);
  const ir::Shape *ids = ranked_input(c, 0, "input_ids", 2), *scores = ranked_input(c, 1, "scores", 2);
  if (ids != nullptr && scores != nullptr)
    unify(c, (*ids)[0], (*scores)[0], "the batch sizes of 'input_ids' and 'scores'");
  c.set(0, c.dtype(1), c.input(1).shape);
}

}  // namespace

void define_microsoft_ngram_repeat_block(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "NGramRepeatBlock",
             .versions = {1},
             .signature = {.inputs = "input_ids:int64, scores:T",
                           .outputs = "scores_out:T",
                           .types = "T: floats",
                           .attributes = "ngram_size:int!"},
             .infer = infer_block});
}

}  // namespace onnxrun::ops

// com.microsoft.Tokenizer: strings cut into tokens, by expressions that separate them or that they match.
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_tokenizer(ir::InferContext& c) {
  if (c.attributes().has("separators") == c.attributes().has("tokenexp"))
    c.fail("exactly one of the attributes 'separators' and 'tokenexp' must be given");
  if (c.attributes().get_int("mincharnum", 0) < 1)
    c.fail("attribute 'mincharnum' must be positive, got {}", c.attributes().get_int("mincharnum", 0));
  const ir::Shape* shape = c.shape(0);
  if (shape == nullptr) return c.set(0, ir::DType::kString);
  if (shape->empty() || shape->size() > 2) c.fail("'X' must have rank 1 or 2, got {}", c.input(0).to_string());
  const ir::Dim count = ir::element_count(*shape);
  if (count.is_constant() && count.value() == 0) return c.set(0, ir::DType::kString, *shape);
  if (!count.is_constant()) return c.set(0, ir::DType::kString);  // an empty input keeps its rank
  ir::Shape out = *shape;
  out.push_back(ir::Dim());
  c.set(0, ir::DType::kString, std::move(out));
}

}  // namespace

void define_microsoft_tokenizer(ir::OpTable& table) {
  table.add({.domain = "com.microsoft",
             .name = "Tokenizer",
             .versions = {1},
             .signature = {.inputs = "X:string",
                           .outputs = "Y:string",
                           .attributes =
                               "mark:int!, mincharnum:int!, pad_value:string!, separators:strings, tokenexp:string"},
             .flags = ir::kDataShape,
             .infer = infer_tokenizer});
}

}  // namespace onnxrun::ops

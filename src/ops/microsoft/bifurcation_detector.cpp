// com.microsoft.BifurcationDetector: the step of aggressive decoding that takes over predicted tokens as far as they follow the source.
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/grouped_inputs.h"

namespace onnxrun::ops {
namespace {

void infer_detector(ir::InferContext& c) {
  for (const auto& [i, name] : {std::pair<size_t, const char*>{0, "src_tokens"}, {1, "cur_tokens"}, {3, "pred_tokens"}})
    ranked_input(c, i, name, 1);
  if (const ir::Shape* given = c.shape(2)) {
    const ir::Dim count = ir::element_count(*given);
    if (count.is_constant() && count.value() != 1)
      c.fail("'prev_suffix_match_idx' must be one number, got {}", c.input(2).to_string());
  }
  const int64_t least = c.attributes().get_int("min_ngram_size", 1), most = c.attributes().get_int("max_ngram_size", 3);
  if (least < 1 || most < least)
    c.fail("min_ngram_size {} and max_ngram_size {} must be positive and in order", least, most);
  const ir::Shape* current = c.shape(1);
  c.set(0, ir::DType::kInt64, ir::Shape{c.has_input(3) || current == nullptr ? ir::Dim() : (*current)[0]});
  c.set(1, ir::DType::kInt64, ir::Shape{});
}

}  // namespace

void define_microsoft_bifurcation_detector(ir::OpTable& table) {
  table.add(
      {.domain = "com.microsoft",
       .name = "BifurcationDetector",
       .versions = {1},
       .signature = {.inputs = "src_tokens:int64, cur_tokens:int64, prev_suffix_match_idx:int64, pred_tokens?:int64",
                     .outputs = "tokens:int64, suffix_match_idx:int64",
                     .attributes = "max_ngram_size:int, min_ngram_size:int"},
       .flags = ir::kDataShape,
       .infer = infer_detector});
}

}  // namespace onnxrun::ops

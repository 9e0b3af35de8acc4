// Inferred facts completed by declared ones.
#include "ir/complete.h"

#include <algorithm>

#include "ir/infer.h"

namespace onnxrun::ir {

Fact only_type(const Fact& fact) {
  Fact type;
  type.kind = fact.kind;
  type.dtype = fact.dtype;
  type.key = fact.key;
  if (fact.element) type.element = std::make_shared<const Fact>(only_type(*fact.element));
  return type;
}

bool complete_type(Fact& fact, const Fact& declared) {
  if (declared.kind == TypeKind::kUnknown) return true;
  if (fact.kind == TypeKind::kUnknown) {
    fact = only_type(declared);
    return true;
  }
  // A state of a Loop may go in as an optional and always come out filled.
  if (fact.kind == TypeKind::kOptional && fact.element && types_agree(*fact.element, declared))
    fact = Fact(*fact.element);
  if (!types_agree(fact, declared)) return false;
  if (fact.is_tensor() && fact.dtype == DType::kNone) fact.dtype = declared.dtype;
  return true;
}

void complete_rank(Fact& fact, const Fact& declared) {
  if (fact.is_tensor() && !fact.shape && declared.is_tensor() && declared.shape)
    fact.shape.emplace(declared.shape->size());
}

std::vector<std::pair<ValueId, Fact>> forget_declared_ranks(Graph& graph) {
  std::vector<std::pair<ValueId, Fact>> forgotten;
  for (const ValueId id : graph.outputs()) {
    Value& output = graph.value(id);
    if (!output.fact.is_tensor() || !output.fact.shape || output.producer == kNone) continue;
    const Shape& shape = *output.fact.shape;
    if (!std::all_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.is_unknown(); })) continue;
    forgotten.emplace_back(id, std::exchange(output.fact, only_type(output.fact)));
    infer_in_place(graph, output.producer);
  }
  return forgotten;
}

}  // namespace onnxrun::ir

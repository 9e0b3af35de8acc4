// Inferred facts completed by declared ones.
#include "ir/complete.h"

namespace onnxrun::ir {

bool complete(Fact& fact, const Fact& declared) {
  if (declared.kind == TypeKind::kUnknown) return true;
  if (fact.kind == TypeKind::kUnknown) {
    fact = declared;
    fact.constant = {};
    fact.elements.reset();
    if (fact.shape) fact.shape->assign(fact.shape->size(), Dim());
    return true;
  }
  // A state of a Loop may go in as an optional and always come out filled.
  if (fact.kind == TypeKind::kOptional && fact.element && types_agree(*fact.element, declared))
    fact = Fact(*fact.element);
  if (!types_agree(fact, declared)) return false;
  if (fact.is_tensor() && fact.dtype == DType::kNone) fact.dtype = declared.dtype;
  if (fact.is_tensor() && !fact.shape && declared.shape) fact.shape.emplace(declared.shape->size());
  return true;
}

}  // namespace onnxrun::ir

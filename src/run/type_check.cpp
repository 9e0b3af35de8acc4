// Kinds, element types and shapes.
#include "run/type_check.h"

#include "base/error.h"

namespace onnxrun::run {

using base::DType;

namespace {

bool agrees(DType known, DType given) { return known == DType::kNone || known == given; }

bool is_map_of(const ir::Fact& fact, const base::Map& map) {
  return agrees(fact.key, map.key) && (!fact.element || agrees(fact.element->dtype, map.value));
}

}  // namespace

bool has_type(const ir::Fact& fact, const Feed& value) {
  const base::Value* holder = value.holder;
  switch (fact.kind) {
    case ir::TypeKind::kUnknown: return true;
    case ir::TypeKind::kTensor:
    case ir::TypeKind::kSparseTensor:
      return value.view.dtype != 0 && agrees(fact.dtype, static_cast<DType>(value.view.dtype));
    case ir::TypeKind::kSequence: return holder != nullptr && holder->is_sequence();
    case ir::TypeKind::kMap: return holder != nullptr && holder->is_map() && is_map_of(fact, holder->map());
    case ir::TypeKind::kOptional:
      return (holder != nullptr && holder->absent()) || !fact.element || has_type(*fact.element, value);
  }
  return false;
}

bool fits(const ir::Fact& fact, const Feed& value) {
  if (!has_type(fact, value)) return false;
  if (!fact.is_tensor() || !fact.shape) return true;
  if (fact.rank() != value.view.rank) return false;
  for (size_t i = 0; i < fact.shape->size(); ++i)
    if (const ir::Dim& dim = (*fact.shape)[i]; dim.is_constant() && dim.value() != value.view.dims[i]) return false;
  return true;
}

void refuse(const ir::Fact& fact, const Feed& value, std::string_view what) {
  const onnxrun_tensor& view = value.view;
  std::string given = value.holder != nullptr ? value.holder->describe() : "no value";
  if (view.dtype != 0)
    given = fmt::format("{}{}", base::dtype_name(static_cast<DType>(view.dtype)),
                        base::to_string({view.dims, static_cast<size_t>(view.rank)}));
  base::fail(base::Code::kRunFailed, "the model says that '{}' is {}, but it is {}", what, fact.to_string(), given);
}

}  // namespace onnxrun::run

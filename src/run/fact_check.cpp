// Sizes of symbols, and the comparison.
#include "run/fact_check.h"

#include "base/error.h"

namespace onnxrun::run {

void FactCheck::begin(const FactCheck* outer) {
  sizes_.clear();
  if (outer != nullptr) sizes_ = outer->sizes_;
}

void FactCheck::bind(const ir::Fact& fact, const onnxrun_tensor& view) {
  if (!fact.shape || view.dtype == 0 || fact.rank() != view.rank) return;
  for (size_t i = 0; i < fact.shape->size(); ++i) {
    const ir::Dim& dim = (*fact.shape)[i];
    const std::string name = dim.to_string();
    if (!dim.is_symbolic() || !(dim == ir::Dim::symbol(name))) continue;
    const auto [place, is_new] = sizes_.try_emplace(name, view.dims[i]);
    if (!is_new && place->second != view.dims[i]) place->second.reset();
  }
}

// The dim with the run's sizes in it; unknown where one is missing.
ir::Dim FactCheck::size_of(const ir::Dim& dim) const {
  try {
    return dim.substitute([&](std::string_view name) {
      const auto found = sizes_.find(std::string(name));
      return found == sizes_.end() || !found->second ? ir::Dim() : ir::Dim(*found->second);
    });
  } catch (const base::Error&) {
    return {};  // beyond 64 bits: no shape has such a dim
  }
}

void FactCheck::check(const ir::Fact& fact, const onnxrun_tensor& view, std::string_view what) const {
  if (view.dtype == 0 || !fact.is_tensor()) return;
  const auto refuse = [&] {
    base::fail(base::Code::kInternal, "'{}' was inferred as {}, but is {}{}", what, fact.to_string(),
               base::dtype_name(static_cast<base::DType>(view.dtype)),
               base::to_string({view.dims, static_cast<size_t>(view.rank)}));
  };
  if (fact.dtype != base::DType::kNone && static_cast<int32_t>(fact.dtype) != view.dtype) refuse();
  if (!fact.shape) return;
  if (fact.rank() != view.rank) refuse();
  for (size_t i = 0; i < fact.shape->size(); ++i) {
    const ir::Dim size = size_of((*fact.shape)[i]);
    if (size.is_constant() && size.value() != view.dims[i]) refuse();
  }
}

}  // namespace onnxrun::run

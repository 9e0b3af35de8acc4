// Facts: construction, printing, and how two of them combine.
#include "ir/fact.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace onnxrun::ir {

namespace {

constexpr size_t kPrintedElements = 8;

bool tracks_elements(DType dtype) { return base::is_integer(dtype) || dtype == DType::kBool; }

bool is_plain_symbol(const Dim& dim) {
  if (!dim.is_symbolic()) return false;
  bool plain = false;
  dim.visit_symbols([&](std::string_view name) { plain = plain || dim == Dim::symbol(name); });
  return plain;
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.dims() != b.dims()) return false;
  if (a.stored() == b.stored()) return true;
  if (a.memory() != ONNXRUN_MEMORY_HOST || b.memory() != ONNXRUN_MEMORY_HOST || a.count() > kMaxTrackedElements)
    return false;
  if (a.dtype() == DType::kString)
    return std::equal(a.data<std::string>(), a.data<std::string>() + a.count(), b.data<std::string>());
  return std::memcmp(a.stored(), b.stored(), a.bytes()) == 0;
}

[[noreturn]] void contradict(const Fact& known, const Fact& declared, std::string_view what) {
  base::fail(base::Code::kInvalidModel, "{} is inferred as {} but declared as {}", what, known.to_string(),
             declared.to_string());
}

// The merged fact, or false where the two contradict.
bool merge_into(Fact& known, const Fact& declared) {
  if (declared.kind == TypeKind::kUnknown) return true;
  if (known.kind == TypeKind::kUnknown) {
    known = declared;
    return true;
  }
  if (known.kind != declared.kind) return false;
  if (known.dtype == DType::kNone) known.dtype = declared.dtype;
  else if (declared.dtype != DType::kNone && declared.dtype != known.dtype) return false;
  if (known.key == DType::kNone) known.key = declared.key;
  else if (declared.key != DType::kNone && declared.key != known.key) return false;
  if (!known.element) {
    known.element = declared.element;
  } else if (declared.element) {
    Fact element = *known.element;
    if (!merge_into(element, *declared.element)) return false;
    known.element = std::make_shared<const Fact>(std::move(element));
  }
  if (!known.shape) {
    known.shape = declared.shape;
  } else if (declared.shape) {
    if (known.shape->size() != declared.shape->size()) return false;
    for (size_t i = 0; i < known.shape->size(); ++i) {
      Dim& dim = (*known.shape)[i];
      const Dim& other = (*declared.shape)[i];
      if (other.is_constant() ? !range_of(dim).holds(other.value())
                              : dim.is_constant() && !range_of(other).holds(dim.value()))
        return false;
      if (dim.is_unknown() || (other.is_constant() && is_plain_symbol(dim))) dim = other;
    }
  }
  if (!known.constant) known.constant = declared.constant;
  if (!known.elements) {
    known.elements = declared.elements;
  } else if (declared.elements && known.elements->size() == declared.elements->size()) {
    for (size_t i = 0; i < known.elements->size(); ++i) {
      Dim& element = (*known.elements)[i];
      if (!element.is_constant() && !(*declared.elements)[i].is_unknown() &&
          (element.is_unknown() || (*declared.elements)[i].is_constant()))
        element = (*declared.elements)[i];
    }
  }
  return true;
}

}  // namespace

Fact Fact::of(Tensor value) {
  Fact fact = tensor(value.dtype(), make_shape(value.dims()));
  if (tracks_elements(value.dtype()) && value.rank() <= 1 && value.count() <= kMaxTrackedElements &&
      value.memory() == ONNXRUN_MEMORY_HOST) {
    try {
      const std::vector<int64_t> values = value.as_int64();
      fact.elements.emplace(values.begin(), values.end());
    } catch (const base::Error&) {
      // A uint64 beyond int64: the constant alone says it.
    }
  }
  fact.constant = std::move(value);
  return fact;
}

Fact Fact::sequence(Fact element) {
  Fact fact;
  fact.kind = TypeKind::kSequence;
  fact.element = std::make_shared<const Fact>(std::move(element));
  return fact;
}

Fact Fact::optional(Fact element) {
  Fact fact;
  fact.kind = TypeKind::kOptional;
  fact.element = std::make_shared<const Fact>(std::move(element));
  return fact;
}

Fact Fact::map(DType key, Fact value) {
  Fact fact;
  fact.kind = TypeKind::kMap;
  fact.key = key;
  fact.element = std::make_shared<const Fact>(std::move(value));
  return fact;
}

std::string Fact::to_string() const {
  const std::string inner = element ? element->to_string() : "?";
  switch (kind) {
    case TypeKind::kUnknown: return "?";
    case TypeKind::kSequence: return "sequence(" + inner + ")";
    case TypeKind::kOptional: return "optional(" + inner + ")";
    case TypeKind::kMap:
      return "map(" + std::string(key == DType::kNone ? "?" : base::dtype_name(key)) + ", " + inner + ")";
    case TypeKind::kTensor:
    case TypeKind::kSparseTensor: break;
  }
  std::string text = kind == TypeKind::kSparseTensor ? "sparse " : "";
  text += dtype == DType::kNone ? std::string_view("?") : base::dtype_name(dtype);
  text += shape ? ir::to_string(*shape) : "[...]";
  if (elements) {
    text += " = {";
    for (size_t i = 0; i < elements->size(); ++i) {
      if (i) text += ',';
      if (i == kPrintedElements) {
        text += "...";
        break;
      }
      text += (*elements)[i].to_string();
    }
    text += '}';
  }
  return text;
}

bool types_agree(const Fact& a, const Fact& b) {
  if (a.kind == TypeKind::kUnknown || b.kind == TypeKind::kUnknown) return true;
  if (a.kind != b.kind) return false;
  if (a.dtype != DType::kNone && b.dtype != DType::kNone && a.dtype != b.dtype) return false;
  if (a.key != DType::kNone && b.key != DType::kNone && a.key != b.key) return false;
  return !a.element || !b.element || types_agree(*a.element, *b.element);
}

Fact merge(const Fact& known, const Fact& declared, std::string_view what) {
  Fact merged = known;
  if (!merge_into(merged, declared)) contradict(known, declared, what);
  return merged;
}

Fact join(const Fact& a, const Fact& b) {
  Fact joined;
  if (a.kind != b.kind) return joined;
  joined.kind = a.kind;
  if (a.dtype == b.dtype) joined.dtype = a.dtype;
  if (a.key == b.key) joined.key = a.key;
  if (a.element && b.element) joined.element = std::make_shared<const Fact>(join(*a.element, *b.element));
  if (a.shape && b.shape && a.shape->size() == b.shape->size()) {
    joined.shape.emplace(a.shape->size());
    for (size_t i = 0; i < a.shape->size(); ++i)
      if ((*a.shape)[i] == (*b.shape)[i]) (*joined.shape)[i] = (*a.shape)[i];
  }
  if (a.constant && b.constant && same_bytes(a.constant, b.constant)) joined.constant = a.constant;
  if (a.elements && b.elements && a.elements->size() == b.elements->size()) {
    joined.elements.emplace(a.elements->size());
    for (size_t i = 0; i < a.elements->size(); ++i)
      if ((*a.elements)[i] == (*b.elements)[i]) (*joined.elements)[i] = (*a.elements)[i];
  }
  return joined;
}

}  // namespace onnxrun::ir

// Fact: all that is known about a value before it is computed - its type, symbolic shape, and its contents where they are known.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "ir/dim.h"

namespace onnxrun::ir {

using base::DType;
using base::Tensor;

// The kinds of ONNX types.
enum class TypeKind : uint8_t { kUnknown, kTensor, kSparseTensor, kSequence, kOptional, kMap };

struct Fact {
  TypeKind kind = TypeKind::kUnknown;
  DType dtype = DType::kNone;                // of a (sparse) tensor; kNone when unknown
  std::optional<Shape> shape;                // of a tensor; nullopt: rank unknown
  DType key = DType::kNone;                  // of a map
  std::shared_ptr<const Fact> element;       // of a sequence, an optional, or a map's value
  Tensor constant;                           // the whole value, when known
  std::optional<std::vector<Dim>> elements;  // of an integer tensor of rank 0 or 1: what is known of each element

  static Fact tensor(DType dtype) {
    Fact fact;
    fact.kind = TypeKind::kTensor;
    fact.dtype = dtype;
    return fact;
  }
  static Fact tensor(DType dtype, Shape shape) {
    Fact fact = tensor(dtype);
    fact.shape = std::move(shape);
    return fact;
  }
  // A known value; small integer tensors get their elements too.
  static Fact of(Tensor value);
  static Fact sequence(Fact element);
  static Fact optional(Fact element);
  static Fact map(DType key, Fact value);

  bool is_tensor() const noexcept { return kind == TypeKind::kTensor; }
  // Rank of a tensor; -1 when unknown.
  int64_t rank() const noexcept { return shape ? static_cast<int64_t>(shape->size()) : -1; }
  // The dims as numbers when all are known.
  std::optional<std::vector<int64_t>> dims() const { return shape ? concrete(*shape) : std::nullopt; }

  // "float32[batch,3,?]", "int64[2] = {1,-1}", "sequence(float32[?])", "?".
  std::string to_string() const;
};

// Number of elements up to which the elements of an integer tensor are tracked.
inline constexpr int64_t kMaxTrackedElements = 1024;

// Whether the types agree (kinds, dtypes, nested types), unknown parts agreeing with anything; shapes are not compared.
bool types_agree(const Fact& a, const Fact& b);

// What both facts say together. Where two dims differ and are not both constants, `known`'s is kept unless it is unknown or a symbol against a constant.
// Throws kInvalidModel naming `what` and both derivations where they contradict (types, ranks or constant dims).
Fact merge(const Fact& known, const Fact& declared, std::string_view what);

// What holds for either of two facts (the branches of an If): dims and values that differ become unknown.
Fact join(const Fact& a, const Fact& b);

}  // namespace onnxrun::ir

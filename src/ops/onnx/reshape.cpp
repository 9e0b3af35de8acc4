// Reshape and Flatten: the same elements in another shape (ONNX Reshape-25, Flatten-25).
#include <algorithm>
#include <set>
#include <string>

#include "base/shape.h"
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/known_values.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::InferContext;
using ir::Shape;

// The target shape while it is being worked out.
struct Target {
  Shape dims;
  std::vector<bool> copied;    // 0: the input's dim
  std::optional<size_t> open;  // the one dim that follows from the element count
  bool required = false;       // the open dim was given as -1
  bool solvable = true;        // at most one dim is open
};

// Whether a size that is asked for may be 0 in a run while the input has elements: then it means the input's dim.
bool may_copy(const Dim& wanted, size_t i, const Shape& input) {
  if (!wanted.is_symbolic() || i >= input.size() || input[i] == wanted) return false;
  if (std::any_of(input.begin(), input.end(), [](const Dim& dim) { return dim.is_unknown(); })) return false;
  std::set<std::string, std::less<>> symbols;
  wanted.visit_symbols([&](std::string_view name) { symbols.emplace(name); });
  return std::any_of(symbols.begin(), symbols.end(), [&](const std::string& symbol) {
    const auto without = [&](const Dim& dim) {
      return dim.substitute([&](std::string_view name) { return name == symbol ? Dim(0) : Dim(); });
    };
    const auto is_zero = [&](const Dim& dim) {
      const Dim value = without(dim);
      return value.is_constant() && value.value() == 0;
    };
    return is_zero(wanted) && std::none_of(input.begin(), input.end(), is_zero);
  });
}

Target read_target(InferContext& c, const std::vector<Dim>& wanted, const Shape* input) {
  const bool allow_zero = c.attributes().get_int("allowzero", 0) != 0;
  Target target;
  bool has_zero = false;
  auto leave_open = [&](size_t i) {
    if (target.open) target.solvable = false;
    target.open = i;
  };
  for (size_t i = 0; i < wanted.size(); ++i) {
    Dim dim = wanted[i];
    bool copied = false;
    if (dim.is_unknown() || (!allow_zero && input != nullptr && may_copy(dim, i, *input))) {
      dim = Dim();
      leave_open(i);
    } else if (dim.is_constant() && dim.value() == 0) {
      has_zero = true;
      if (!allow_zero) {
        if (input != nullptr && i >= input->size())
          c.fail("'shape' asks to keep dim {} of 'data', which has only {} dims", i, input->size());
        dim = input != nullptr ? (*input)[i] : Dim();
        copied = input != nullptr;
      }
    } else if (dim.is_constant() && dim.value() < 0) {
      if (dim.value() != -1) c.fail("'shape' has the dim {} at {}; only -1 may be negative", dim.value(), i);
      if (target.required) c.fail("'shape' has more than one -1");
      target.required = true;
      leave_open(i);
      dim = Dim();
    }
    target.dims.push_back(dim);
    target.copied.push_back(copied);
  }
  if (allow_zero && has_zero && target.required) c.fail("'shape' has both 0 and -1 with allowzero set");
  return target;
}

// The open dim: the elements of the input that the other dims leave over. Equal dims on both sides cancel, so that a dim of 0 divides nothing.
Dim solve(InferContext& c, const Target& target, const Shape& input) {
  std::vector<bool> used(input.size(), false);
  Shape given;
  for (size_t i = 0; i < target.dims.size(); ++i) {
    if (target.copied[i]) used[i] = true;
  }
  for (size_t i = 0; i < target.dims.size(); ++i) {
    if (i == *target.open || target.copied[i]) continue;
    bool cancelled = false;
    for (size_t k = 0; k < input.size() && !cancelled; ++k) {
      if (used[k] || !target.dims[i].is_symbolic() || !(input[k] == target.dims[i])) continue;
      used[k] = cancelled = true;
    }
    if (!cancelled) given.push_back(target.dims[i]);
  }
  Shape rest;
  for (size_t k = 0; k < input.size(); ++k)
    if (!used[k]) rest.push_back(input[k]);
  const Dim total = ir::element_count(rest);
  const Dim others = ir::element_count(given);
  if (total.is_unknown() || others.is_unknown()) return Dim();
  if (total.is_constant() && others.is_constant()) {
    if (others.value() > 0 && total.value() % others.value() == 0) return Dim(total.value() / others.value());
    if (target.required)
      c.fail("'data' of shape {} cannot have the shape that 'shape' asks for: {} elements are no multiple of {}",
             ir::to_string(input), total.value(), others.value());
    return Dim();
  }
  if (others.is_constant() && others.value() == 0) return Dim();
  const Dim exact = exact_div(total, others);
  return exact.is_unknown() ? floor_div(total, others) : exact;
}

void infer_reshape(InferContext& c) {
  if (c.rank(1) >= 0 && c.rank(1) != 1) c.fail("'shape' must have one dimension, got {}", c.input(1).to_string());
  const auto wanted = c.elements(1);
  if (!wanted) {
    const Shape* shape = c.shape(1);
    if (shape != nullptr && (*shape)[0].is_constant()) check_rank(c, static_cast<size_t>((*shape)[0].value()));
    return c.set(0, c.dtype(0));
  }
  check_rank(c, wanted->size());
  const Shape* input = c.shape(0);
  Target target = read_target(c, *wanted, input);
  if (target.open && target.solvable && input != nullptr) {
    const Dim open = solve(c, target, *input);
    // An element that is not known may still turn out not to fit: a run, where all dims are constants, waits for its value.
    if (target.required || !open.is_constant()) target.dims[*target.open] = open;
  }
  if (input != nullptr) {
    const Dim before = ir::element_count(*input);
    const Dim after = ir::element_count(target.dims);
    if (before.is_constant() && after.is_constant() && before.value() != after.value())
      c.fail("'data' of shape {} has {} elements, the shape {} has {}", ir::to_string(*input), before.value(),
             ir::to_string(target.dims), after.value());
  }
  set_reshaped(c, std::move(target.dims));
}

void lift_reshape(ir::Expansion& e, int since) {
  if (since < 5) {
    e.drop({"consumed_inputs"});
    e.ints_to_input("shape", 1);
  }
  e.keep();
}

void infer_flatten(InferContext& c) {
  const Shape* input = c.shape(0);
  const int64_t axis = c.attributes().get_int("axis", 1);
  if (input == nullptr) return set_reshaped(c, Shape{Dim(), Dim()});
  const auto rank = static_cast<int64_t>(input->size());
  if (axis < -rank || axis > rank) c.fail("'axis' is {}, but must be from {} to {}", axis, -rank, rank);
  const auto split = input->begin() + (axis < 0 ? axis + rank : axis);
  set_reshaped(c,
               Shape{ir::element_count(Shape(input->begin(), split)), ir::element_count(Shape(split, input->end()))});
}

void lower_reshape(ir::Lowering& l, int opset) {
  if (opset < 14 && l.attributes().get_int("allowzero", 0) != 0) {
    const auto shape = l.known_ints(1, "shape");
    if (!shape) return;
    if (std::find(shape->begin(), shape->end(), 0) != shape->end())
      return l.refuse("its shape has a 0 that 'allowzero' takes for a size");
    l.attributes().erase("allowzero");
  }
  if (opset < 5) l.input_to_ints(1, "shape");
  l.keep();
}

}  // namespace

void define_onnx_reshape(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Reshape",
             .versions = {1, 5, 13, 14, 19, 21, 23, 24, 25},
             .signature = {.inputs = "data:T, shape:int64",
                           .outputs = "reshaped:T",
                           .types = "T: all",
                           .attributes = "allowzero:int"},
             .flags = ir::kView,
             .infer = infer_reshape,
             .lift = lift_reshape,
             .lower = lower_reshape});
  table.add({.domain = "",
             .name = "Flatten",
             .versions = {1, 9, 11, 13, 21, 23, 24, 25},
             .signature = {.inputs = "input:T", .outputs = "output:T", .types = "T: all", .attributes = "axis:int"},
             .flags = ir::kView,
             .infer = infer_flatten});
}

}  // namespace onnxrun::ops

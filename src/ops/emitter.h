// Short words for the nodes that lifts and decompositions emit most.
#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/expansion.h"
#include "ir/infer.h"

namespace onnxrun::ops {

// The inference of operators that every lift replaces by others: none is left to infer.
void infer_lifted(ir::InferContext& c);

class Emitter {
 public:
  using Id = ir::ValueId;
  using Ints = std::vector<int64_t>;

  explicit Emitter(ir::Expansion& expansion) : e(expansion) {}

  Id op(std::string_view name, std::vector<Id> inputs, ir::Attributes attributes = {}) {
    return e.emit(name, std::move(inputs), std::move(attributes));
  }
  Id add(Id a, Id b) { return op("Add", {a, b}); }
  Id sub(Id a, Id b) { return op("Sub", {a, b}); }
  Id mul(Id a, Id b) { return op("Mul", {a, b}); }
  Id div(Id a, Id b) { return op("Div", {a, b}); }
  Id where(Id condition, Id yes, Id no) { return op("Where", {condition, yes, no}); }

  // Scalars and vectors.
  Id number(double value, ir::DType type);
  Id like(double value, Id other);  // of the type of `other`, whether it is known or not
  Id int64(int64_t value) { return e.constant(ir::Tensor::scalar<int64_t>(value)); }
  Id int64s(const Ints& values) { return e.int64s(values); }

  Id cast(Id x, ir::DType type);  // x itself where it has that type
  Id cast_like(Id x, Id other);
  // Float32 for the narrower floating-point types, others as they are.
  Id wide(Id x);

  // Dims of x as an int64 vector: all, or [begin, end).
  Id shape(Id x) { return op("Shape", {x}); }
  Id dims(Id x, int64_t begin, int64_t end) { return op("Shape", {x}, {{"start", begin}, {"end", end}}); }
  Id dim(Id x, int64_t axis) { return axis == -1 ? op("Shape", {x}, {{"start", axis}}) : dims(x, axis, axis + 1); }
  // 0, 1, ... as int64, as many as the int64 vector of one element `count` says.
  Id count_up(Id count) { return op("Range", {int64(0), op("Squeeze", {count}), int64(1)}); }

  Id reshape(Id x, const Ints& dims) { return op("Reshape", {x, int64s(dims)}); }
  Id transpose(Id x, const Ints& order) { return op("Transpose", {x}, {{"perm", order}}); }
  Id unsqueeze(Id x, const Ints& axes) { return op("Unsqueeze", {x, int64s(axes)}); }
  Id squeeze(Id x, const Ints& axes) { return op("Squeeze", {x, int64s(axes)}); }
  Id concat(std::vector<Id> values, int64_t axis) { return op("Concat", std::move(values), {{"axis", axis}}); }
  Id slice(Id x, int64_t axis, Id begin, Id end) { return op("Slice", {x, begin, end, int64s({axis})}); }
  Id cut(Id x, int64_t axis, int64_t begin, int64_t end) { return slice(x, axis, int64s({begin}), int64s({end})); }
  // x[index] along `axis`, which is removed.
  Id pick(Id x, int64_t axis, int64_t index) { return op("Gather", {x, int64(index)}, {{"axis", axis}}); }
  std::vector<Id> split(Id x, int64_t axis, const Ints& sizes) {
    return e.emit_many("Split", {x, int64s(sizes)}, sizes.size(), {{"axis", axis}});
  }
  std::vector<Id> split_evenly(Id x, int64_t axis, int64_t parts) {
    return e.emit_many("Split", {x}, static_cast<size_t>(parts), {{"axis", axis}, {"num_outputs", parts}});
  }

  // The rank of x, which the lift depends on. Throws kInvalidModel naming `what` where it is not known.
  int64_t rank(Id x, std::string_view what);

  ir::Expansion& e;
};

}  // namespace onnxrun::ops

// Multiplies matrices in the axes they have before they are merged for the product and split again: those of batch and heads, and those of rows that meet one
// matrix, also with a row added.
#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::Graph;
using ir::Node;
using ir::Shape;
using ir::ValueId;

bool is_view(const Node& node) { return is(node, "Reshape") || is(node, "Squeeze") || is(node, "Unsqueeze"); }

// What a Reshape makes `value` of by merging all axes but the last `kept` into one; kNone.
ValueId unmerged(const Graph& graph, ValueId value, size_t kept) {
  const Node* reshape = made_by(graph, value, "Reshape");
  if (reshape == nullptr) return ir::kNone;
  const Shape *from = known_shape(graph, reshape->inputs[0]), *to = known_shape(graph, value);
  if (from == nullptr || to == nullptr || to->size() != kept + 1 || from->size() < kept + 2) return ir::kNone;
  const size_t leading = from->size() - kept;
  Dim product(1);
  for (size_t d = 0; d < leading; ++d) product = product * (*from)[d];
  if (product != (*to)[0]) return ir::kNone;
  for (size_t d = 0; d < kept; ++d)
    if ((*from)[leading + d] != (*to)[1 + d]) return ir::kNone;
  return reshape->inputs[0];
}

Shape without_ones(const Shape& shape) {
  Shape result;
  for (const Dim& dim : shape)
    if (dim != Dim(1)) result.push_back(dim);
  return result;
}

// What [leading, columns] is split into: the first of the views that alone read `value` whose result starts with `leading` and has `columns`, or axes of known
// sizes that those are split into; kNone. `views` gets them.
ValueId split_as(const Graph& graph, ValueId value, const Shape& leading, const Shape& last,
                 std::vector<ir::NodeId>& views) {
  for (const Node* reader = only_reader(graph, value); reader != nullptr; reader = only_reader(graph, value)) {
    if (!is_view(*reader) || reader->inputs[0] != value) return ir::kNone;
    views.push_back(reader->id);
    value = reader->outputs[0];
    const Shape* now = known_shape(graph, value);
    if (now == nullptr || now->size() <= leading.size() || !std::equal(leading.begin(), leading.end(), now->begin()))
      continue;
    const Shape rest(now->begin() + static_cast<std::ptrdiff_t>(leading.size()), now->end());
    if (rest == last) return value;
    const bool known = std::ranges::all_of(rest, [](const Dim& dim) { return dim.is_constant() && dim.value() > 0; });
    if (last.size() == 1 && known && ir::element_count(rest) == last[0]) return value;
  }
  return ir::kNone;
}

class Unmerging {
 public:
  Unmerging(const PassContext& context, const Node& node)
      : context_(context), graph_(context.graph), node_(node), patch_(graph_, "multiply without merging axes") {
    const bool fused = is(node, "FusedMatMul", "com.microsoft") && node.attributes.list().size() == 1;
    const bool gemm = is(node, "Gemm") && read_bias() && node.attributes.get_float("alpha", 1) == 1 &&
                      node.attributes.get_int("transA", 0) == 0;
    multiplies_ = fused || gemm || is(node, "MatMul");
    turned_ = (fused || gemm) && node.attributes.get_int("transB", 0) != 0;
    multiplies_ = multiplies_ && (!fused || turned_);
  }

  bool matches() {
    const Shape *y = multiplies_ ? known_shape(graph_, node_.outputs[0]) : nullptr,
                *right = multiplies_ ? known_shape(graph_, node_.inputs[1]) : nullptr;
    if (y == nullptr || right == nullptr || right->size() != y->size() || (y->size() != 2 && y->size() != 3))
      return false;
    const size_t kept = y->size() - 1;  // axes that are not merged
    a_ = unmerged(graph_, node_.inputs[0], kept);
    if (a_ == ir::kNone && kept == 1) a_ = rows_of_several();
    b_ = kept == 1 ? node_.inputs[1] : unmerged(graph_, node_.inputs[1], kept);
    if (a_ == ir::kNone || b_ == ir::kNone) return false;
    if (kept == 1 && turned_ && constant(graph_, b_) == nullptr) return false;
    leading_ = leading(a_, several_ > 0 ? several_ : kept);
    if (kept == 2 && leading(b_, kept) != leading_) {
      leading_ = without_ones(leading_);
      if (without_ones(leading(b_, kept)) != leading_) return false;
      squeezes_ = kept;
    }
    columns_ = Shape(y->end() - static_cast<std::ptrdiff_t>(kept), y->end());
    ValueId result = node_.outputs[0];
    if (const Node* add = only_reader(graph_, result);
        add != nullptr && is(*add, "Add") && row_ == ir::kNone && is_row(other_input(*add, result))) {
      row_ = other_input(*add, result);
      rows_node_ = add;
      views_.push_back(add->id);
      result = add->outputs[0];
    }
    split_ = split_as(graph_, result, leading_, columns_, views_);
    return split_ != ir::kNone;
  }

  ir::Patch run() {
    const Node* transpose = made_by(graph_, b_, "Transpose");
    const bool stays_turned = turned_ && constant(graph_, b_) == nullptr && transpose == nullptr;
    const ValueId a = several_ > 0 ? merged_rows() : squeezed(a_, a_),
                  b = squeezed(turned_ && !stays_turned ? exchanged(transpose) : b_, b_);
    ValueId y = stays_turned ? patch_.emit(node_.op, {a, b}, node_.attributes, node_.name)
                             : patch_.emit(context_.table.find("", "MatMul"), {a, b}, {}, node_.name);
    if (row_ != ir::kNone)
      y = patch_.emit(context_.table.find("", "Add"), {y, row_}, {}, rows_node_ != nullptr ? rows_node_->name : "");
    const Shape& to = *known_shape(graph_, split_);
    if (to.size() != leading_.size() + columns_.size()) {
      std::vector<int64_t> shape(leading_.size(), 0);
      for (size_t d = leading_.size(); d < to.size(); ++d) shape.push_back(to[d].value());
      const ValueId wanted = patch_.constant(base::Tensor::vector<int64_t>(shape), "shape");
      y = patch_.emit(context_.table.find("", "Reshape"), {y, wanted});
    }
    patch_.replace(split_, y);
    patch_.remove(node_.id);
    for (const ir::NodeId view : views_) patch_.remove(view);
    return std::move(patch_);
  }

 private:
  // Whether a value is a row as long as the product's.
  bool is_row(ValueId value) const {
    const Shape *row = value == ir::kNone ? nullptr : known_shape(graph_, value),
                *y = known_shape(graph_, node_.outputs[0]);
    return row != nullptr && y != nullptr && row->size() == 1 && row->front() == y->back();
  }

  // What a Gemm adds: nothing, or a row as it is.
  bool read_bias() {
    const float beta = node_.attributes.get_float("beta", 1);
    if (input(node_, 2) == ir::kNone || beta == 0) return true;
    row_ = node_.inputs[2];
    return beta == 1 && is_row(row_);
  }

  // What a Reshape makes the left operand of by merging axes for its rows, and more than one for its columns; kNone.
  ValueId rows_of_several() {
    const Node* reshape = made_by(graph_, node_.inputs[0], "Reshape");
    const Shape *from = reshape != nullptr ? known_shape(graph_, reshape->inputs[0]) : nullptr,
                *to = known_shape(graph_, node_.inputs[0]);
    if (from == nullptr || to == nullptr || !(*to)[1].is_constant() || (*to)[1].value() < 1) return ir::kNone;
    for (size_t columns = 2; columns + 1 < from->size(); ++columns) {
      const auto at = from->end() - static_cast<std::ptrdiff_t>(columns);
      const auto count = [](const Shape& shape) { return ir::element_count(shape); };
      if (count({from->begin(), at}) != (*to)[0] || count({at, from->end()}) != (*to)[1]) continue;
      several_ = columns;
      return reshape->inputs[0];
    }
    return ir::kNone;
  }

  // Those with one axis of columns.
  ValueId merged_rows() {
    std::vector<int64_t> shape(leading_.size(), 0);
    shape.push_back((*known_shape(graph_, node_.inputs[0]))[1].value());
    return patch_.emit(context_.table.find("", "Reshape"),
                       {a_, patch_.constant(base::Tensor::vector<int64_t>(shape), "shape")});
  }

  Shape leading(ValueId value, size_t kept) const {
    const Shape& shape = *known_shape(graph_, value);
    return {shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(kept)};
  }

  // Without leading axes of 1, which are those of `like`, where those of the operands differ by them.
  ValueId squeezed(ValueId value, ValueId like) {
    std::vector<int64_t> axes;
    const Shape& shape = *known_shape(graph_, like);
    for (size_t d = 0; squeezes_ != 0 && d + squeezes_ < shape.size(); ++d)
      if (shape[d] == Dim(1)) axes.push_back(static_cast<int64_t>(d));
    if (axes.empty()) return value;
    return patch_.emit(context_.table.find("", "Squeeze"),
                       {value, patch_.constant(base::Tensor::vector<int64_t>(axes), "axes")});
  }

  // b_ with the last two axes exchanged: by the Transpose that makes it, where there is one.
  ValueId exchanged(const Node* transpose) {
    const auto rank = static_cast<size_t>(graph_.value(b_).fact.rank());
    std::vector<int64_t> order(rank);
    for (size_t d = 0; d < rank; ++d) order[d] = static_cast<int64_t>(d);
    if (transpose != nullptr) order = ops::attributes::permutation(transpose->attributes, static_cast<int64_t>(rank));
    std::swap(order[rank - 1], order[rank - 2]);
    return patch_.emit(context_.table.find("", "Transpose"), {transpose != nullptr ? transpose->inputs[0] : b_},
                       {{"perm", order}});
  }

  const PassContext& context_;
  const Graph& graph_;
  const Node& node_;
  ir::Patch patch_;
  bool multiplies_ = false, turned_ = false;
  ValueId a_ = ir::kNone, b_ = ir::kNone, split_ = ir::kNone;
  ValueId row_ = ir::kNone;          // that is added
  const Node* rows_node_ = nullptr;  // the Add that does it
  Shape leading_, columns_;
  size_t several_ = 0;   // axes that are merged for the columns of a_; 0: one is as it was
  size_t squeezes_ = 0;  // axes behind those that are squeezed; 0: none is
  std::vector<ir::NodeId> views_;
};

}  // namespace

MatchResult match_unmerge_batches(const PassContext& context, ir::NodeId id) {
  Unmerging unmerging(context, context.graph.node(id));
  if (!unmerging.matches()) return MatchResult::none("nothing is merged for a product and split again");
  return unmerging.run();
}

}  // namespace onnxrun::optimize

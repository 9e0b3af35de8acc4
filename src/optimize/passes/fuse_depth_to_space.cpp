// Makes one DepthToSpace or SpaceToDepth of a Reshape to six axes, a Transpose and a Reshape to four, as pixel shuffles are exported.
#include "ops/attributes/transpose.h"
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::Node;
using ir::Shape;

struct Form {
  const char* op;
  const char* mode;  // null: none
  std::vector<int64_t> permutation;
  size_t blocks[2];  // axes of six that have the block's size
  // Which of six axes each of the input's and the output's four is made of, one or two.
  std::vector<std::vector<size_t>> from, to;
};

const std::vector<Form>& forms() {
  static const auto& forms = *new std::vector<Form>{
      {"DepthToSpace", "CRD", {0, 1, 4, 2, 5, 3}, {2, 3}, {{0}, {1, 2, 3}, {4}, {5}}, {{0}, {1}, {4, 2}, {5, 3}}},
      {"DepthToSpace", "DCR", {0, 3, 4, 1, 5, 2}, {1, 2}, {{0}, {1, 2, 3}, {4}, {5}}, {{0}, {3}, {4, 1}, {5, 2}}},
      {"SpaceToDepth", nullptr, {0, 3, 5, 1, 2, 4}, {3, 5}, {{0}, {1}, {2, 3}, {4, 5}}, {{0}, {3, 5, 1}, {2}, {4}}}};
  return forms;
}

bool is_made_of(const Shape& four, const Shape& six, const std::vector<std::vector<size_t>>& parts) {
  for (size_t d = 0; d < 4; ++d) {
    Dim product(1);
    for (const size_t axis : parts[d]) product = product * six[axis];
    if (!(product == four[d])) return false;
  }
  return true;
}

}  // namespace

MatchResult match_fuse_depth_to_space(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const Node& last = graph.node(id);
  if (!is(last, "Reshape")) return MatchResult::none("no Reshape");
  const Node* transpose = made_by(graph, last.inputs[0], "Transpose");
  if (transpose == nullptr || !read_once(graph, last.inputs[0])) return MatchResult::none("not of a Transpose");
  const Node* first = made_by(graph, transpose->inputs[0], "Reshape");
  if (first == nullptr || !read_once(graph, transpose->inputs[0]))
    return MatchResult::none("not of a Reshape before it");
  const auto shape = [&](ir::ValueId value) { return graph.value(value).fact.shape.value_or(Shape()); };
  const Shape in = shape(first->inputs[0]), six = shape(first->outputs[0]), out = shape(last.outputs[0]);
  if (in.size() != 4 || six.size() != 6 || out.size() != 4)
    return MatchResult::none("not from four axes over six to four");
  const std::vector<int64_t> permutation = ops::attributes::permutation(transpose->attributes, 6);
  for (const Form& form : forms()) {
    const Dim &block = six[form.blocks[0]], &other = six[form.blocks[1]];
    if (permutation != form.permutation || !block.is_constant() || block.value() < 1 || block != other ||
        !is_made_of(in, six, form.from) || !is_made_of(out, six, form.to))
      continue;
    ir::Attributes attributes{{"blocksize", block.value()}};
    if (form.mode != nullptr) attributes.set("mode", std::string(form.mode));
    ir::Patch patch(graph, "fuse a pixel shuffle");
    patch.replace(last.outputs[0],
                  patch.emit(context.table.find("", form.op), {first->inputs[0]}, std::move(attributes), last.name));
    patch.remove(id);
    patch.remove(transpose->id);
    patch.remove(first->id);
    return patch;
  }
  return MatchResult::none("axes in another order");
}

}  // namespace onnxrun::optimize

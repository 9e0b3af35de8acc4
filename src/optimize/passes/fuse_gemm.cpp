// Makes one Gemm of a product of two matrices and what is added to it.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using ir::Node;
using ir::ValueId;

bool is_product(const Node& node) {
  if (is(node, "MatMul")) return true;
  const ir::Attributes& own = node.attributes;
  return is(node, "FusedMatMul", "com.microsoft") && own.get_float("alpha", 1) == 1 &&
         own.get_int("transBatchA", 0) == 0 && own.get_int("transBatchB", 0) == 0;
}

// Whether `addend` broadcasts to [rows, columns] without making it larger.
bool fits(const ir::Fact& addend, const ir::Shape& product) {
  if (!addend.shape || addend.shape->size() > 2) return false;
  for (size_t d = 1; d <= addend.shape->size(); ++d) {
    const ir::Dim& dim = (*addend.shape)[addend.shape->size() - d];
    if (!(dim.is_constant() && dim.value() == 1) && !(dim == product[2 - d])) return false;
  }
  return true;
}

}  // namespace

MatchResult match_fuse_gemm(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const Node& add = graph.node(id);
  if (!is(add, "Add")) return MatchResult::none("no Add");
  for (size_t k = 0; k < 2; ++k) {
    const ValueId sums = add.inputs[k], addend = add.inputs[1 - k];
    const Node* product = producer(graph, sums);
    if (product == nullptr || !is_product(*product) || !read_once(graph, sums)) continue;
    const auto rank = [&](size_t i) { return graph.value(product->inputs[i]).fact.rank(); };
    const ir::Fact& fact = graph.value(sums).fact;
    if (rank(0) != 2 || rank(1) != 2 || !base::is_float(fact.dtype)) return MatchResult::none("not of two matrices");
    if (!fits(graph.value(addend).fact, *fact.shape)) return MatchResult::none("what is added may be larger");
    ir::Attributes attributes;
    for (const char* name : {"transA", "transB"})
      if (product->attributes.get_int(name, 0) != 0) attributes.set(name, int64_t{1});
    ir::Patch patch(graph, "fuse Gemm");
    patch.replace(add.outputs[0],
                  patch.emit(context.table.find("", "Gemm"), {product->inputs[0], product->inputs[1], addend},
                             std::move(attributes), product->name));
    patch.remove(id);
    patch.remove(product->id);
    return patch;
  }
  return MatchResult::none("not of a product that is read once");
}

}  // namespace onnxrun::optimize

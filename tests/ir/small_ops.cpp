// Definitions of the operators that tests of the ir room use.
#include "ir/small_ops.h"

namespace onnxrun::ir::testing {

namespace {

void infer_same(InferContext& c) { c.set(0, c.input(0)); }

void infer_add(InferContext& c) {
  if (c.rank(0) >= 0 && c.rank(1) >= 0 && c.rank(0) != c.rank(1)) c.fail("Add needs equal ranks");
  c.set(0, c.dtype(0), c.input(0).shape);
  const auto a = c.elements(0), b = c.elements(1);
  if (!a || !b || a->size() != b->size()) return;
  std::vector<Dim> sum;
  for (size_t i = 0; i < a->size(); ++i) sum.push_back((*a)[i] + (*b)[i]);
  c.set_elements(0, std::move(sum));
}

void infer_concat(InferContext& c) {
  Dim count(0);
  std::vector<Dim> all;
  bool known = true;
  for (size_t i = 0; i < c.input_count(); ++i) {
    count = count + (c.shape(i) ? c.shape(i)->front() : Dim());
    if (const auto elements = c.elements(i)) all.insert(all.end(), elements->begin(), elements->end());
    else known = false;
  }
  c.set(0, c.dtype(0), Shape{count});
  if (known) c.set_elements(0, std::move(all));
}

void infer_shape(InferContext& c) {
  c.set(0, DType::kInt64, c.rank(0) < 0 ? Shape{Dim()} : Shape{Dim(c.rank(0))});
  if (c.shape(0)) c.set_elements(0, *c.shape(0));
}

void infer_split(InferContext& c) {
  for (size_t i = 0; i < c.output_count(); ++i) c.set(i, c.dtype(0), Shape{floor_div((*c.shape(0))[0], Dim(2))});
}

void infer_run(InferContext& c) {
  Fact state = c.input(0);
  for (;;) {
    const Fact next = join(state, c.infer_body("body", {state}).front());
    if (next.to_string() == state.to_string()) break;
    state = next;
  }
  c.set(0, state);
}

void infer_nothing(InferContext&) {}
void infer_fails(InferContext& c) { c.fail("it always fails"); }

OpDef def(const char* name, OpSignature signature, void (*infer)(InferContext&)) {
  OpDef result;
  result.name = name;
  result.versions = {1, 7};
  result.signature = signature;
  result.infer = infer;
  return result;
}

void fill(OpTable& table) {
  table.add(def("Add", {"A:T, B:T", "C:T", "T: numeric", ""}, infer_add));
  table.add(def("Relu", {"X:T", "Y:T", "T: floats int32", ""}, infer_same));
  table.add(def("Identity", {"input:V", "output:V", "V: all seq opt", ""}, infer_same));
  table.add(def("Concat", {"inputs*:T", "concat_result:T", "T: all", "axis:int!"}, infer_concat));
  table.add(def("Shape", {"data:T", "shape:int64", "T: all", "start:int, end:int"}, infer_shape));
  table.add(def("Split", {"input:T", "outputs*:T", "T: all", ""}, infer_split));
  table.add(def("Run", {"state:any", "final:any", "", "body:graph!"}, infer_run));
  table.add(def("Reshape", {"data:T, shape:int64", "reshaped:T", "T: all", "allowzero:int"}, infer_nothing));
  table.add(def("Clip", {"input:T, min?:T, max?:T", "output:T", "T: numeric", ""}, infer_same));
  table.add(def("Sum", {"data_0**:T", "sum:T", "T: floats", ""}, infer_nothing));
  table.add(def("Pack", {"first:int64, rest*~:any", "packed:seq", "", ""}, infer_nothing));
  table.add(def("Fails", {"X:any", "Y:any", "", ""}, infer_fails));
}

}  // namespace

const OpTable& small_ops() {
  static const auto table = [] {
    auto made = std::make_unique<OpTable>();
    fill(*made);
    return made;
  }();
  return *table;
}

ValueId add(Graph& graph, const char* op, std::vector<ValueId> inputs, std::vector<std::string> outputs,
            std::string name) {
  Node node;
  node.op = small_ops().find("", op);
  node.name = std::move(name);
  node.inputs = std::move(inputs);
  for (std::string& output : outputs)
    node.outputs.push_back(output.empty() ? kNone : graph.add_value(std::move(output)));
  const ValueId first = node.outputs.empty() ? kNone : node.outputs.front();
  graph.add_node(std::move(node));
  return first;
}

}  // namespace onnxrun::ir::testing

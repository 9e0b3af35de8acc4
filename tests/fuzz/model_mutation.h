// Changes to a model that mostly leave it one: operators, attributes, edges, types, shapes, tensors, bodies.
#pragma once

#include <onnx.pb.h>

#include <string>
#include <vector>

#include "fuzz/random.h"
#include "ir/op.h"

namespace onnxrun::fuzz {

// All operators of the library.
const ir::OpTable& operators();

// A model under change, and what the changes need to know about it.
class Subject {
 public:
  Subject(proto::ModelProto& model, Random& random) : model(model), random(random) {}

  proto::ModelProto& model;
  Random& random;

  // Graphs of the model, those of bodies among them; never empty. A function's nodes are in none.
  std::vector<proto::GraphProto*> graphs();
  std::vector<proto::NodeProto*> nodes();
  std::vector<proto::TensorProto*> tensors();
  // Null where there are none.
  proto::NodeProto* node();
  // Names that node `index` of a graph may read: inputs, initializers and what nodes before it make.
  std::vector<std::string> names_before(const proto::GraphProto& graph, int index);
  std::string fresh_name();
};

// One change; each may find nothing to change.
void change_node(Subject& subject);       // operator, edges, presence
void change_attribute(Subject& subject);  // value, presence, kind
void change_tensor(Subject& subject);     // shape, type, elements
void change_port(Subject& subject);       // declared types and shapes, inputs that become constants and back
void grow(Subject& subject);  // nodes inserted, copied, moved into the body of an If or Loop, made a function

void mutate(proto::ModelProto& model, Random& random);
// Puts the graph of `other` behind that of `model`, joined at some values.
void join(proto::ModelProto& model, const proto::ModelProto& other, Random& random);

// A value for an attribute that is no graph: of its kind, and mostly of no use.
proto::AttributeProto make_attribute(const ir::AttributeSpec& spec, Random& random);
// Elements for what the tensor says of itself, where they are few.
void fill(proto::TensorProto& tensor, Random& random);
// The elements that a tensor's dims ask for; -1 beyond `most`.
int64_t element_count(const proto::TensorProto& tensor, int64_t most);

}  // namespace onnxrun::fuzz

// One node of any operator at any version, with inputs and attributes that fit its signature or do not: a result or a clear error. The bytes
// choose operator, types, shapes, elements and attributes.
#include <algorithm>

#include "base/dtype.h"
#include "fuzz/model_mutation.h"
#include "fuzz/model_runs.h"

namespace {

using namespace onnxrun;
using namespace onnxrun::fuzz;
using proto::AttributeProto;
using proto::GraphProto;
using proto::ModelProto;
using proto::NodeProto;

constexpr int kNewestOpset = 25;

// One that `accepts` has, or sometimes any.
int element_type(uint64_t accepts, Random& random) {
  std::vector<int> fitting;
  for (int dtype = 1; dtype <= base::kLastDType; ++dtype)
    if ((accepts >> dtype & 1) != 0) fitting.push_back(dtype);
  if (fitting.empty() || random.chance(3)) return static_cast<int>(random.between(1, base::kLastDType));
  return random.pick(fitting);
}

class Node {
 public:
  Node(ModelProto& model, Random& random) : model_(model), random_(random), base_(random.below(5)) {
    for (int64_t& dim : base_) dim = random.chance(8) ? 0 : random.between(1, 4);
  }

  void make(const ir::OpDef& op) {
    const ir::Signature& signature = operators().signature(op);
    GraphProto& graph = *model_.mutable_graph();
    NodeProto& node = *graph.add_node();
    node.set_op_type(op.name);
    node.set_domain(op.domain);
    node.set_name("it");
    size_t count = signature.inputs.size();
    if (count > 0 && signature.inputs.back().variadic) count += random_.below(3);
    if (random_.chance(2)) count += 1;
    for (size_t i = 0; i < count; ++i) {
      const ir::Parameter* parameter = ir::Signature::at(signature.inputs, i);
      if (random_.chance(parameter != nullptr && parameter->optional ? 45 : 1)) node.add_input("");
      else node.add_input(input(parameter));
    }
    const size_t outputs = std::min<size_t>(signature.max_outputs, 1 + random_.below(4));
    for (size_t i = 0; i < outputs; ++i) {
      const bool wanted = !random_.chance(20);
      node.add_output(wanted ? "y" + std::to_string(i) : "");
      if (wanted) graph.add_output()->set_name(node.output(static_cast<int>(i)));
    }
    for (const ir::AttributeSpec& spec : signature.attributes)
      if (random_.chance(spec.required ? 97 : 35)) *node.add_attribute() = attribute(spec, node.input_size());
  }

 private:
  std::vector<int64_t> shape(bool index) {
    std::vector<int64_t> dims;
    switch (random_.below(index ? 4 : 10)) {
      case 0: dims = {random_.between(0, 4)}; break;
      case 1: break;
      case 2:
        dims.resize(random_.below(4));
        for (int64_t& dim : dims) dim = random_.between(0, 4);
        break;
      case 3: dims = index ? std::vector<int64_t>{static_cast<int64_t>(base_.size())} : base_; break;
      case 4:
        dims = base_;
        std::reverse(dims.begin(), dims.end());
        break;
      case 5:
        dims = base_;
        if (!dims.empty()) dims[random_.below(dims.size())] = 1;
        break;
      case 6:
        if (base_.size() > 1) dims = {base_[1]};
        break;
      default: dims = base_;
    }
    return dims;
  }

  int type_of(const ir::Parameter& parameter) {
    if (parameter.variable < 0 || parameter.heterogeneous) return element_type(parameter.accepts, random_);
    const auto variable = static_cast<size_t>(parameter.variable);
    if (variables_.size() <= variable) variables_.resize(variable + 1);
    if (variables_[variable] == 0 || random_.chance(2)) variables_[variable] = element_type(parameter.accepts, random_);
    return variables_[variable];
  }

  std::string input(const ir::Parameter* parameter) {
    const std::string name = "x" + std::to_string(made_++);
    const uint64_t accepts = parameter == nullptr ? ~uint64_t{0} : parameter->accepts;
    const int dtype = parameter == nullptr ? element_type(accepts, random_) : type_of(*parameter);
    constexpr uint64_t kTensors = (uint64_t{1} << 40) - 1;
    GraphProto& graph = *model_.mutable_graph();
    const bool index = dtype == proto::TensorProto::INT64 || dtype == proto::TensorProto::INT32;
    const std::vector<int64_t> dims = shape(index && random_.chance(60));
    if ((accepts & kTensors) != 0 && random_.chance(45)) {
      auto& tensor = *graph.add_initializer();
      tensor.set_name(name);
      tensor.set_data_type(dtype);
      for (const int64_t dim : dims) tensor.add_dims(dim);
      fill(tensor, random_);
      return name;
    }
    auto& port = *graph.add_input();
    port.set_name(name);
    proto::TypeProto tensor;
    tensor.mutable_tensor_type()->set_elem_type(dtype);
    if (!random_.chance(15))
      for (auto& known = *tensor.mutable_tensor_type()->mutable_shape(); const int64_t dim : dims) {
        if (random_.chance(15)) known.add_dim()->set_dim_param("n");
        else known.add_dim()->set_dim_value(dim);
      }
    if ((accepts & ir::kAcceptsSequence) != 0 && ((accepts & kTensors) == 0 || random_.chance(40)))
      *port.mutable_type()->mutable_sequence_type()->mutable_elem_type() = tensor;
    else if ((accepts & ir::kAcceptsOptional) != 0 && ((accepts & kTensors) == 0 || random_.chance(40)))
      *port.mutable_type()->mutable_optional_type()->mutable_elem_type() = tensor;
    else *port.mutable_type() = tensor;
    return name;
  }

  // Small numbers, which mean something more often, but for some.
  AttributeProto attribute(const ir::AttributeSpec& spec, int inputs) {
    if (spec.kind == "graph") return body(spec.name, inputs);
    AttributeProto made = make_attribute(spec, random_);
    if (made.type() == AttributeProto::INT && random_.chance(75))
      made.set_i(random_.between(spec.required ? 1 : -1, 4));
    if (made.type() == AttributeProto::INTS && random_.chance(75)) {
      const size_t spatial = base_.size() > 2 ? base_.size() - 2 : 1;
      made.clear_ints();
      const size_t length = spec.name == "pads" ? 2 * spatial : random_.chance(80) ? spatial : base_.size();
      for (size_t i = 0; i < length; ++i)
        made.add_ints(random_.between(0, 2) + (spec.name == "pads" ? 0 : random_.chance(90)));
    }
    return made;
  }

  // Hands its inputs on, as a Loop or Scan wants it.
  AttributeProto body(const std::string& name, int inputs) {
    AttributeProto made;
    made.set_name(name);
    made.set_type(AttributeProto::GRAPH);
    GraphProto& graph = *made.mutable_g();
    graph.set_name("body");
    const auto ports = random_.chance(70) ? static_cast<size_t>(inputs) : random_.below(5);
    for (size_t i = 0; i < ports; ++i) {
      const std::string port = name + std::to_string(i);
      auto& type = *graph.add_input();
      type.set_name(port);
      type.mutable_type()->mutable_tensor_type()->set_elem_type(i == 0 ? 7 : i == 1 ? 9 : 1);
      if (i == 0 && random_.chance(70)) continue;
      NodeProto& node = *graph.add_node();
      node.set_op_type("Identity");
      node.add_input(port);
      node.add_output(port + "o");
      graph.add_output()->set_name(port + "o");
    }
    return made;
  }

  ModelProto& model_;
  Random& random_;
  std::vector<int64_t> base_;
  std::vector<int> variables_;
  int made_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<const ir::OpDef*> all = operators().all();
  Random random(std::span<const uint8_t>(data, size));
  const ir::OpDef& op = *all[(random.below(256) * 256 + random.below(256)) % all.size()];
  ModelProto model;
  model.set_ir_version(10);
  auto& main = *model.add_opset_import();
  main.set_version(kNewestOpset);
  const int64_t version = random.chance(60) ? op.versions.back() : random.pick(op.versions);
  if (std::string(op.domain).empty()) main.set_version(version);
  else {
    auto& import = *model.add_opset_import();
    import.set_domain(op.domain);
    import.set_version(version);
  }
  model.mutable_graph()->set_name("one");
  Node(model, random).make(op);
  const std::string bytes = model.SerializeAsString();
  const auto options =
      settings({{"level", std::to_string(random.below(4))}, {"kernels", random.chance(30) ? "reference" : "fastest"}});
  const auto loaded = load({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, options.get());
  std::vector<Feed> feeds;
  if (loaded != nullptr && make_feeds(loaded.get(), random, true, feeds)) run(loaded.get(), options.get(), feeds);
  return 0;
}

// All findings about a model file: what its import rejects, and what works but will surprise.
#include <algorithm>
#include <set>

#include "import/advice.h"
#include "import/builder.h"
#include "import/run_import.h"

namespace onnxrun::import {
namespace {

class Lint {
 public:
  Lint(ir::Model model, std::vector<Problem>& problems) : model_(std::move(model)), problems_(problems) {}

  void run() {
    const ir::Graph& graph = *model_.graph;
    for (const ir::ValueId id : graph.inputs()) input(graph.value(id));
    if (!model_.input_defaults.empty()) {
      warn("the graph",
           fmt::format("{} initializers are also graph inputs, so callers may replace them and nothing can be computed "
                       "ahead from them",
                       model_.input_defaults.size()),
           "initializers that are no inputs",
           "export with keep_initializers_as_inputs=False, or remove them from the inputs");
    }
    walk(graph);
  }

 private:
  void warn(std::string node, std::string what, std::string expected, std::string fix) {
    problems_.push_back({Severity::kWarning, std::move(node), std::move(what), std::move(expected), std::move(fix)});
  }

  void input(const ir::Value& value) {
    if (!value.fact.is_tensor() || value.fact.rank() < 2) return;
    const ir::Shape& shape = *value.fact.shape;
    const ir::Dim& batch = shape.front();
    if (!batch.is_constant()) return;
    // A state of layers or directions before its batch: [2,batch,128].
    const bool fixed = std::all_of(shape.begin(), shape.end(), [](const ir::Dim& dim) { return dim.is_constant(); });
    const bool named = std::any_of(shape.begin(), shape.end(), [](const ir::Dim& dim) {
      const std::string text = dim.to_string();
      return text.find("batch") != std::string::npos || text == "N" || text == "n";
    });
    if (named || (!fixed && batch.value() != 1)) return;
    if (batch.value() > 1) baked_.insert(batch.value());
    warn(fmt::format("graph input '{}'", shown(value.name)),
         fmt::format("the batch size {} is baked in: the shape is {}", batch.value(), ir::to_string(*value.fact.shape)),
         "a named first dimension, if other batch sizes are wanted",
         "export with dynamic axes (dynamic_shapes or dynamic_axes of torch.onnx.export)");
  }

  void walk(const ir::Graph& graph) {
    for (size_t i = 0; i < graph.node_capacity(); ++i) {
      const auto id = static_cast<ir::NodeId>(i);
      if (!graph.has_node(id)) continue;
      const ir::Node& node = graph.node(id);
      this->node(graph, node);
      for (const ir::Body& body : node.bodies) walk(*body.graph);
    }
  }

  void node(const ir::Graph& graph, const ir::Node& node) {
    if (*node.op->domain != '\0') return;
    const std::string_view op = node.op->name;
    if (op == "Reshape") reshape(graph, node);
    const bool training_norm = op == "BatchNormalization" && node.attributes.has("training_mode") &&
                               node.attributes.get_int("training_mode", 0) != 0;
    if (training_norm || (op == "Dropout" && training_dropout(graph, node))) {
      warn(node.describe(graph), fmt::format("{} runs in training mode", op), "inference mode",
           "call model.eval() before the export");
    }
  }

  static bool training_dropout(const ir::Graph& graph, const ir::Node& node) {
    if (node.inputs.size() < 3 || node.inputs[2] == ir::kNone) return false;
    const base::Tensor& mode = graph.value(node.inputs[2]).fact.constant;
    return mode && mode.dtype() == base::DType::kBool && mode.count() == 1 && *mode.data<bool>();
  }

  void reshape(const ir::Graph& graph, const ir::Node& node) {
    if (node.inputs.size() < 2 || node.inputs[0] == ir::kNone || node.inputs[1] == ir::kNone) return;
    const ir::Fact& data = graph.value(node.inputs[0]).fact;
    const base::Tensor& shape = graph.value(node.inputs[1]).fact.constant;
    if (!shape || shape.dtype() != base::DType::kInt64 || shape.count() == 0 || data.rank() < 1) return;
    const ir::Dim& first = data.shape->front();
    const int64_t wanted = shape.data<int64_t>()[0];
    const bool computes_another =
        std::any_of(shape.span<int64_t>().begin(), shape.span<int64_t>().end(), [](int64_t dim) { return dim == -1; });
    const bool baked = first.is_constant() && first.value() == wanted && baked_.contains(wanted) && !data.constant;
    if (baked || (first.is_symbolic() && wanted > 0 && (wanted == 1 || !computes_another))) {
      warn(node.describe(graph),
           baked ? fmt::format(
                       "the first dim is the constant {}, the batch size that an input has: perhaps the example's",
                       wanted)
                 : fmt::format(
                       "the first dim becomes the constant {} where it was {}: perhaps the batch size of the example",
                       wanted, first.to_string()),
           "0 or -1, or a size computed from the input",
           "use a shape that does not depend on the example's batch (x.reshape(x.shape[0], ...) or flatten)");
    }
  }

  ir::Model model_;
  std::vector<Problem>& problems_;
  std::set<int64_t> baked_;  // batch sizes over 1 that inputs have
};

}  // namespace

namespace {

// What `import(problems)` collects, with what ended it and what is found in the model it gives.
template <class Import>
std::vector<Problem> findings(const Import& import, std::optional<ComputedValues>* values) {
  std::vector<Problem> problems;
  try {
    ir::Model model = import(&problems);
    const bool loads = std::ranges::none_of(problems, [](const Problem& p) { return p.severity == Severity::kError; });
    if (values != nullptr && loads) *values = computed_values(*model.graph);
    Lint(std::move(model), problems).run();
  } catch (const Error& e) {
    problems.push_back(finding_of(e, {}, nullptr, nullptr));
  }
  return problems;
}

}  // namespace

std::vector<Problem> check_file(const std::string& path, const ImportOptions& options,
                                std::optional<ComputedValues>* values) {
  const auto import = [&](std::vector<Problem>* problems) {
    const OpenModel opened = open_model(path, options);
    return run_import(opened.contents.bytes, opened.contents.owner, path, opened.folder, options, problems);
  };
  return findings(import, values);
}

std::vector<Problem> check_bytes(std::span<const std::byte> bytes, const ImportOptions& options, std::string name,
                                 std::optional<ComputedValues>* values) {
  const auto import = [&](std::vector<Problem>* problems) {
    return import_bytes(bytes, nullptr, options, std::move(name), problems);
  };
  return findings(import, values);
}

}  // namespace onnxrun::import

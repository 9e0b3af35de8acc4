// ModelProto to ir::Model: versions, metadata, annotations and the main graph.
#include <algorithm>
#include <filesystem>

#include "import/builder.h"
#include "import/foreign.h"
#include "import/map.h"
#include "import/opsets.h"
#include "import/run_import.h"
#include "ir/parse.h"
#include "ir/weigh.h"

namespace onnxrun::import {
namespace {

using base::fail;

void read_annotations(const Context& context, const GraphView& graph, ir::Model& model) {
  for (const Bytes bytes : graph.annotations) {
    std::string name;
    std::map<std::string, std::string> names;
    Message m(context.file, bytes, "TensorAnnotation");
    while (m.next()) {
      switch (m.field()) {
        case 1: name = m.text(); break;
        case 2: {
          const auto [key, value] = read_entry(context.file, m.bytes());
          names.emplace(key, value);
          break;
        }
        default: m.skip();
      }
    }
    model.quantization_annotations.emplace(std::move(name), std::move(names));
  }
}

void check_versions(Context& context, ModelView& view) {
  if (view.ir_version < 1 || view.ir_version > kNewestIr) {
    throw Diagnosis(view.ir_version > kNewestIr ? Code::kUnsupported : Code::kInvalidModel,
                    fmt::format("the IR version is {}", view.ir_version), fmt::format("1 to {}", kNewestIr),
                    view.ir_version > kNewestIr ? "save the model with an older IR version" : "");
  }
  // Operator sets came with IR 3; older files mean the first.
  if (view.ir_version < 3 && view.opsets.empty()) view.opsets.emplace("", 1);
  for (const auto& opset : view.opsets) {
    if (opset.first.empty()) context.attempt("opset_import", [&] { check_opset(opset.first, opset.second); });
  }
}

LoadMode load_mode(const ImportOptions& options) { return options.strict ? LoadMode::kCopy : options.load; }

void check_dim_names(const Context& context) {
  for (const auto& [name, size] : context.options.dims) {
    if (size < 0) fail(Code::kInvalidArgument, "the size {} given for dimension '{}' is negative", size, name);
    if (context.symbols.contains(name)) continue;
    std::string known;
    for (const std::string& symbol : context.symbols) known += (known.empty() ? "" : ", ") + symbol;
    fail(Code::kInvalidArgument, "the model has no dimension named '{}'; it has {}", name,
         known.empty() ? "no named dimensions" : known);
  }
}

}  // namespace

ir::Model run_import(Bytes bytes, std::shared_ptr<const void> owner, const std::string& name, const std::string& folder,
                     const ImportOptions& options, std::vector<Problem>* problems) {
  if (!options.table) fail(Code::kInvalidArgument, "an import needs an operator table");
  const base::BudgetPtr budget =
      options.budget ? options.budget
                     : std::make_shared<base::Budget>(options.limits.max_run_bytes, options.limits.max_tensor_bytes);
  ExternalFiles external(options.external_root.empty() ? folder : options.external_root, load_mode(options),
                         options.allow_links, budget);
  ir::Model model;
  Context context{options, {bytes, name, options.limits.max_string_bytes}, {}, model, problems};
  base::Charge charge(budget);
  context.charge = &charge;
  context.source = {&context.file, owner, budget, &options.limits, &external};
  if (bytes.empty()) fail(Code::kInvalidModel, "the file is empty");
  if (bytes.starts_with(ir::kTextHeader)) {
    model = ir::parse_model(
        bytes, *options.table,
        {.limits = options.limits, .budget = budget, .dims = options.dims, .symbols = &context.symbols});
    check_dim_names(context);
    return model;
  }
  if (const std::optional<std::string> foreign = recognise(bytes))
    fail(Code::kInvalidModel, "this is no ONNX file: {}", *foreign);

  ModelView view = read_model(context.file, options.limits, charge);
  if (!view.graph_bytes) {
    throw Diagnosis(Code::kInvalidModel, "there is no graph: this is no ONNX model, or an empty one",
                    "an ONNX ModelProto", "export the model to ONNX again");
  }
  context.attempt({}, [&] { check_versions(context, view); });
  model.ir_version = view.ir_version;
  model.opset_imports.insert(view.opsets.begin(), view.opsets.end());
  model.producer_name = view.producer_name;
  model.producer_version = view.producer_version;
  model.domain = view.domain;
  model.doc = view.doc;
  model.model_version = view.model_version;
  context.take(view.doc.size());
  for (const auto& [key, value] : view.metadata) {
    context.take(128 + key.size() + value.size());
    model.metadata.emplace(key, value);
  }
  if (view.has_training_info)
    context.warn("the model", "training information is ignored: only the inference graph is used", "an inference model",
                 "export the model without training information");
  read_annotations(context, view.graph, model);
  model.graph = std::make_unique<ir::Graph>();
  model.graph->name = view.graph.name;
  model.graph->doc = view.graph.doc;
  Builder(context, view).main_graph();
  check_dim_names(context);
  const auto standard = view.opsets.find(std::string_view());
  const bool sound = problems && std::none_of(problems->begin(), problems->end(),
                                              [](const Problem& p) { return p.severity == Severity::kError; });
  if (sound && standard != view.opsets.end() && context.used_domains.contains("") &&
      context.needed_opset < standard->second) {
    context.warn("opset_import",
                 fmt::format("opset {} is imported and opset {} would do: the operators used have not changed since",
                             standard->second, context.needed_opset),
                 fmt::format("opset {}, where older runtimes shall run it", context.needed_opset),
                 fmt::format("for runtimes that know no newer one: onnx-run convert MODEL -o FILE --opset {}",
                             context.needed_opset));
  }
  for (const auto& [domain, version] : view.opsets) {
    if (problems && !context.used_domains.contains(domain)) {
      context.warn("opset_import",
                   fmt::format("domain '{}' is imported but not used", domain.empty() ? "ai.onnx" : domain),
                   "imports of the domains in use", "remove the import");
    }
  }
  model.external_files = external.paths();
  charge = base::Charge();
  return ir::charged(std::move(model), std::move(owner), budget);
}

ir::Model import_file(const std::string& path, const ImportOptions& options) {
  try {
    const OpenModel opened = open_model(path, options);
    ir::Model model = run_import(opened.contents.bytes, opened.contents.owner, path, opened.folder, options, nullptr);
    model.path = path;
    return model;
  } catch (Error& e) {
    if (std::string_view(e.what()).find(path) == std::string_view::npos) e.in(fmt::format("model '{}'", path));
    throw;
  }
}

OpenModel open_model(const std::string& path, const ImportOptions& options) {
  if (const std::optional<std::string> foreign = recognise_path(path))
    fail(Code::kInvalidModel, "'{}' is no ONNX file: {}", path, *foreign);
  const File file = open_file(path);
  OpenModel result;
  try {
    result.contents = load_contents(file, path, load_mode(options), options.limits.max_file_bytes, options.budget);
  } catch (Error& e) {
    constexpr int64_t kMost = int64_t{2} << 30;
    if (e.code() != Code::kLimitExceeded || options.limits.max_file_bytes < kMost) throw;
    fail(Code::kLimitExceeded,
         "{}; an ONNX file cannot hold more than 2 GiB: save the model with its weights as external data", e.message());
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  result.folder = parent.empty() ? "." : parent;
  return result;
}

ir::Model import_bytes(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                       const ImportOptions& options, std::string name, std::vector<Problem>* problems) {
  if (name.empty()) name = "model from memory";
  if (static_cast<uint64_t>(bytes.size()) > static_cast<uint64_t>(options.limits.max_file_bytes)) {
    base::exceed(fmt::format("{} has {} bytes", name, bytes.size()), options.limits.max_file_bytes, "max_file");
  }
  return run_import({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, std::move(owner), name, {}, options,
                    problems);
}

}  // namespace onnxrun::import

// ir::Model to ModelProto.
#include "import/export.h"

#include <deque>
#include <filesystem>
#include <unordered_map>
#include <unordered_set>

#include "import/atomic_file.h"
#include "import/export_opset.h"
#include "import/numbering.h"
#include "import/opsets.h"
#include "import/write_tensor.h"
#include "import/write_type.h"
#include "ir/complete.h"

namespace onnxrun::import {
namespace {

using base::Code;
using base::fail;
using base::Tensor;
using protozero::pbf_writer;

void add_text(pbf_writer& writer, uint32_t field, std::string_view text) {
  if (!text.empty()) writer.add_string(field, text.data(), text.size());
}

void write_entry(pbf_writer& writer, uint32_t field, std::string_view key, std::string_view value) {
  pbf_writer entry(writer, field);
  entry.add_string(1, key.data(), key.size());
  entry.add_string(2, value.data(), value.size());
}

// The names of a graph's values in the file: unique along with those of the graphs around it.
struct Names {
  const Names* outer = nullptr;
  std::vector<std::string> by_id;
  std::unordered_set<std::string_view> used;
  Numbering* numbering;                   // of values, the same in all graphs
  std::unordered_set<std::string> nodes;  // names of nodes, which differ within a graph
  Numbering node_numbering;

  bool taken(std::string_view name) const {
    for (const Names* at = this; at; at = at->outer) {
      if (at->used.contains(name)) return true;
    }
    return false;
  }
  std::string fresh(const std::string& stem) const {
    if (!stem.empty() && !taken(stem)) return stem;
    return numbering->next(stem.empty() ? "value" : stem, [this](const std::string& name) { return taken(name); });
  }
  // Copies of a node, as an unrolled loop makes them, are numbered.
  std::string node(const std::string& name) {
    if (name.empty() || nodes.insert(name).second) return name;
    return node_numbering.next(name, [this](const std::string& own) { return !nodes.insert(own).second; });
  }
};

class Exporter {
 public:
  Exporter(const ir::Model& model, const ExportOptions& options, ExternalSink* sink)
      : model_(lower_model(model, options, choice_)), options_(options), sink_(sink) {}

  std::string run() {
    const OpsetChoice& choice = choice_;
    std::string bytes;
    pbf_writer writer(bytes);
    writer.add_int64(1, choice.ir_version);
    add_text(writer, 2, model_.producer_name);
    add_text(writer, 3, model_.producer_version);
    add_text(writer, 4, model_.domain);
    if (model_.model_version != 0) writer.add_int64(5, model_.model_version);
    add_text(writer, 6, model_.doc);
    {
      pbf_writer graph(writer, 7);
      Names names;
      names.numbering = &numbering_;
      write_graph(graph, *model_.graph, names, true, true);
    }
    for (const auto& [domain, version] : choice.opsets) {
      pbf_writer opset(writer, 8);
      opset.add_string(1, domain);
      opset.add_int64(2, version);
    }
    for (const auto& [key, value] : model_.metadata) write_entry(writer, 14, key, value);
    if (bytes.size() >= (size_t{1} << 31)) {
      fail(Code::kLimitExceeded, "the model has {} bytes and a file can have 2 GiB: write its tensors as external data",
           bytes.size());
    }
    return bytes;
  }

 private:
  void name_values(const ir::Graph& graph, Names& names) {
    names.by_id.resize(graph.value_count());
    for (size_t i = 0; i < graph.value_count(); ++i) {
      const ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
      if (value.removed) continue;
      if (value.outer != ir::kNone && names.outer) {
        names.by_id[i] = names.outer->by_id[static_cast<size_t>(value.outer)];
      } else {
        names.by_id[i] = names.fresh(value.name);
        names.used.insert(names.by_id[i]);
      }
    }
  }

  static bool is_initializer(const ir::Value& value) {
    return !value.removed && value.fact.constant && value.producer == ir::kNone && !value.is_input &&
           value.outer == ir::kNone && (!value.consumers.empty() || value.output_uses > 0);
  }

  void write_graph(pbf_writer& writer, const ir::Graph& graph, Names& names, bool is_main, bool sizes_hold) {
    name_values(graph, names);
    for (const ir::NodeId id : graph.topological_order()) {
      pbf_writer node(writer, 1);
      write_node(node, graph.node(id), names);
    }
    // A body may not hand out a value of an enclosing graph under its name there.
    std::vector<std::string> outputs;
    for (const ir::ValueId id : graph.outputs()) {
      outputs.push_back(names.by_id[static_cast<size_t>(id)]);
      if (graph.value(id).outer == ir::kNone) continue;
      pbf_writer copy(writer, 1);
      copy.add_string(1, outputs.back());
      copied_.push_back(names.fresh(outputs.back() + "_copy"));
      names.used.insert(copied_.back());
      outputs.back() = copied_.back();
      copy.add_string(2, outputs.back());
      copy.add_string(4, "Identity");
    }
    writer.add_string(2, graph.name.empty() ? std::string("graph") : graph.name);
    for (size_t i = 0; i < graph.value_count(); ++i) {
      const ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
      if (!is_initializer(value)) continue;
      pbf_writer tensor(writer, 5);
      write_tensor(tensor, value.fact.constant, names.by_id[i], sink_);
      write_notes(tensor, graph, static_cast<ir::ValueId>(i), 12, 16);
    }
    if (is_main) {
      for (const auto& [id, tensor] : model_.input_defaults) {
        pbf_writer initializer(writer, 5);
        write_tensor(initializer, tensor, names.by_id[static_cast<size_t>(id)], sink_);
      }
    }
    add_text(writer, 10, graph.doc);
    // The sizes known inside a loop's body are those of one of its calls, not of all.
    const auto interface = [&](ir::ValueId id) {
      ir::Fact fact = graph.value(id).fact;
      if (!is_main && fact.shape)
        for (ir::Dim& dim : *fact.shape)
          if (!sizes_hold || !dim.is_constant()) dim = ir::Dim();
      return fact;
    };
    for (const ir::ValueId id : graph.inputs())
      write_value_info(writer, 11, names.by_id[static_cast<size_t>(id)], interface(id), graph, id);
    for (size_t i = 0; i < outputs.size(); ++i)
      write_value_info(writer, 12, outputs[i], interface(graph.outputs()[i]), graph, graph.outputs()[i]);
    if (is_main && options_.value_infos) {
      for (size_t i = 0; i < graph.value_count(); ++i) {
        const ir::Value& value = graph.value(static_cast<ir::ValueId>(i));
        if (value.removed || value.producer == ir::kNone || value.output_uses > 0 || !has_type(value.fact)) continue;
        write_value_info(writer, 13, names.by_id[i], value.fact, graph, static_cast<ir::ValueId>(i));
      }
    }
    if (is_main) write_annotations(writer, graph);
    for (const auto& [key, value] : graph.metadata) write_entry(writer, 16, key, value);
  }

  void write_annotations(pbf_writer& writer, const ir::Graph& graph) {
    for (const auto& [name, parameters] : model_.quantization_annotations) {
      if (graph.find_value(name) == ir::kNone) continue;
      pbf_writer annotation(writer, 14);
      annotation.add_string(1, name);
      for (const auto& [key, value] : parameters) write_entry(annotation, 2, key, value);
    }
  }

  static void write_value_info(pbf_writer& writer, uint32_t field, const std::string& name, const ir::Fact& fact,
                               const ir::Graph& graph, ir::ValueId id) {
    pbf_writer info(writer, field);
    info.add_string(1, name);
    // A model's inputs have a type, be it one of which only the kind is known.
    const bool is_input = graph.parent() == nullptr && graph.value(id).is_input;
    if (has_type(fact) || (is_input && fact.kind != ir::TypeKind::kUnknown)) {
      pbf_writer type(info, 2);
      write_type(type, fact);
    }
    write_notes(info, graph, id, 3, 4);
  }

  static void write_notes(pbf_writer& writer, const ir::Graph& graph, ir::ValueId id, uint32_t doc, uint32_t metadata) {
    const auto found = graph.notes.find(id);
    if (found == graph.notes.end()) return;
    add_text(writer, doc, found->second.doc);
    for (const auto& [key, value] : found->second.metadata) write_entry(writer, metadata, key, value);
  }

  void write_node(pbf_writer& writer, const ir::Node& node, Names& names) {
    const auto name = [&](ir::ValueId id) {
      return id == ir::kNone ? std::string() : names.by_id[static_cast<size_t>(id)];
    };
    for (const ir::ValueId id : node.inputs) writer.add_string(1, name(id));
    for (const ir::ValueId id : node.outputs) writer.add_string(2, name(id));
    add_text(writer, 3, names.node(node.name));
    writer.add_string(4, node.op->name);
    for (const ir::Attribute& attribute : node.attributes.list()) {
      pbf_writer a(writer, 5);
      write_attribute(a, attribute);
    }
    for (const ir::Body& body : node.bodies) {
      pbf_writer a(writer, 5);
      a.add_string(1, body.name);
      {
        pbf_writer graph(a, 6);
        Names inner;
        inner.outer = &names;
        inner.numbering = &numbering_;
        write_graph(graph, *body.graph, inner, false, ir::bodies_keep_declarations(node.op->domain));
      }
      a.add_int32(20, 5);
    }
    add_text(writer, 6, node.doc);
    add_text(writer, 7, node.op->domain);
    for (const auto& [key, value] : node.metadata) write_entry(writer, 9, key, value);
  }

  void write_attribute(pbf_writer& writer, const ir::Attribute& attribute) {
    writer.add_string(1, attribute.name);
    int type = 0;
    if (const auto* f = std::get_if<float>(&attribute.value)) {
      type = 1, writer.add_float(2, *f);
    } else if (const auto* i = std::get_if<int64_t>(&attribute.value)) {
      type = 2, writer.add_int64(3, *i);
    } else if (const auto* s = std::get_if<std::string>(&attribute.value)) {
      type = 3, writer.add_bytes(4, *s);
    } else if (const auto* t = std::get_if<Tensor>(&attribute.value)) {
      type = 4;
      pbf_writer tensor(writer, 5);
      write_tensor(tensor, *t, {});
    } else if (const auto* floats = std::get_if<std::vector<float>>(&attribute.value)) {
      type = 6;
      for (const float v : *floats) writer.add_float(7, v);
    } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&attribute.value)) {
      type = 7;
      for (const int64_t v : *ints) writer.add_int64(8, v);
    } else if (const auto* strings = std::get_if<std::vector<std::string>>(&attribute.value)) {
      type = 8;
      for (const std::string& v : *strings) writer.add_bytes(9, v);
    } else if (const auto* tensors = std::get_if<std::vector<Tensor>>(&attribute.value)) {
      type = 9;
      for (const Tensor& v : *tensors) {
        pbf_writer tensor(writer, 10);
        write_tensor(tensor, v, {});
      }
    } else if (const auto* fact = std::get_if<ir::Fact>(&attribute.value)) {
      type = 13;
      pbf_writer tp(writer, 14);
      write_type(tp, *fact);
    }
    writer.add_int32(20, type);
  }

  OpsetChoice choice_;
  const ir::Model model_;  // lowered
  const ExportOptions& options_;
  ExternalSink* sink_;
  Numbering numbering_ = {};
  std::deque<std::string> copied_ = {};  // names, viewed by Names::used
};

// The file of external data, each tensor aligned so that it can be used where it is mapped.
class ExternalFile : public ExternalSink {
 public:
  ExternalFile(const std::string& folder, std::string name, int64_t min_bytes)
      : name_(std::move(name)), min_bytes_(min_bytes), file_((std::filesystem::path(folder) / name_).string()) {}

  bool takes(const Tensor& tensor) const override {
    return tensor.dtype() != base::DType::kString && static_cast<int64_t>(tensor.bytes()) >= min_bytes_;
  }

  Place append(const Tensor& tensor) override {
    static constexpr char kZeros[base::kAlignment] = {};
    const auto past = static_cast<size_t>(file_.size()) % base::kAlignment;
    if (past != 0) file_.write(kZeros, base::kAlignment - past);
    const int64_t offset = file_.size();
    file_.write(tensor.stored(), tensor.bytes());
    return {name_, offset};
  }

  void commit() {
    if (file_.size() > 0) file_.commit();
  }

 private:
  std::string name_;
  int64_t min_bytes_;
  AtomicFile file_;
};

int64_t constant_bytes(const ir::Graph& graph) {
  int64_t total = 0;
  for (size_t i = 0; i < graph.value_count(); ++i)
    total += static_cast<int64_t>(graph.value(static_cast<ir::ValueId>(i)).fact.constant.bytes());
  for (size_t i = 0; i < graph.node_capacity(); ++i) {
    if (!graph.has_node(static_cast<ir::NodeId>(i))) continue;
    for (const ir::Body& body : graph.node(static_cast<ir::NodeId>(i)).bodies) total += constant_bytes(*body.graph);
  }
  return total;
}

}  // namespace

std::string export_bytes(const ir::Model& model, const ExportOptions& options) {
  if (options.external_data) fail(Code::kInvalidArgument, "a model written to memory cannot have external data");
  return Exporter(model, options, nullptr).run();
}

void export_file(const ir::Model& model, const std::string& path, const ExportOptions& options) {
  constexpr int64_t kInlineBytes = (int64_t{2} << 30) - (int64_t{128} << 20);
  std::unique_ptr<ExternalFile> external;
  if (options.external_data || constant_bytes(*model.graph) > kInlineBytes) {
    const std::filesystem::path target(path);
    const std::string name =
        options.external_name.empty() ? target.filename().string() + ".data" : options.external_name;
    if (name.find('/') != std::string::npos || name == "." || name == "..")
      fail(Code::kInvalidArgument, "external data must be named by a file name, got '{}'", name);
    if (name == target.filename().string())
      fail(Code::kInvalidArgument, "external data must have another name than the model, got '{}'", name);
    external = std::make_unique<ExternalFile>(target.parent_path().string(), name, options.external_min_bytes);
  }
  const std::string bytes = Exporter(model, options, external.get()).run();
  AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.sync();
  if (external) external->commit();  // nothing when no tensor was large enough
  file.commit();
}

}  // namespace onnxrun::import

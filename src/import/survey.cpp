// Walking the views of a model file.
#include "import/survey.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>

#include "base/shape.h"
#include "import/run_import.h"
#include "import/tensor_header.h"

namespace onnxrun::import {
namespace {

constexpr std::array<std::string_view, 6> kIterating = {"Loop",         "Scan",     "BeamSearch",
                                                        "GreedySearch", "Sampling", "WhisperBeamSearch"};

class Surveyor {
 public:
  Surveyor(const WireFile& file, const TensorSource& source, const ImportOptions& options)
      : file_(file), source_(source), options_(options) {}

  Survey run() {
    result_.file_bytes = static_cast<int64_t>(file_.bytes.size());
    base::Charge charge(source_.budget);
    const ModelView model = read_model(file_, options_.limits, charge);
    for (const FunctionView& function : model.functions) own_.emplace(function.domain, function.name);
    graph(model.graph, 0);
    for (const FunctionView& function : model.functions) graph(function.body, 0);
    result_.functions = static_cast<int64_t>(model.functions.size());
    return std::move(result_);
  }

 private:
  using Tensors = std::unordered_map<std::string_view, Bytes>;  // initializers of a graph, by name

  void graph(const GraphView& view, int64_t depth) {
    result_.nesting = std::max(result_.nesting, depth);
    for (const Bytes message : view.initializers) {
      watch_time();
      initializer(message);
    }
    result_.initializers += static_cast<int64_t>(view.initializers.size() + view.sparse_initializers.size());
    Tensors tensors;
    for (const NodeView& node : view.nodes) {
      watch_time();
      ++result_.nodes;
      if (std::find(kIterating.begin(), kIterating.end(), node.op_type) != kIterating.end()) {
        if (tensors.empty())
          for (size_t i = 0; i < view.initializers.size(); ++i)
            tensors.emplace(view.initializer_names[i], view.initializers[i]);
        result_.iterations.push_back(iteration(tensors, node));
      }
      operation(node);
      for (const AttributeView& attribute : node.attributes)
        if (attribute.graph) graph(*attribute.graph, depth + 1);
    }
  }

  void watch_time() {
    constexpr int64_t kInterval = 256;
    if (++watched_ % kInterval == 0 && options_.deadline.past())
      base::fail(base::Code::kDeadline, "the model could not be surveyed within the time given (option timeout)");
  }

  void operation(const NodeView& node) {
    const bool constant = node.domain.empty() && node.op_type == "Constant";
    if (constant || own_.contains({node.domain, node.op_type}) || options_.table->find(node.domain, node.op_type))
      return;
    auto& unknown = result_.unknown;
    const auto [at, added] = unknown_.try_emplace({node.domain, node.op_type}, unknown.size());
    if (added) unknown.push_back({shown(node.domain), shown(node.op_type), 0});
    ++unknown[at->second].nodes;
  }

  Survey::Iteration iteration(const Tensors& tensors, const NodeView& node) const {
    Survey::Iteration result{node.describe(), std::nullopt, false};
    if (node.op_type != "Loop") return result;
    if (node.inputs.empty() || node.inputs[0].empty()) {
      result.endless = true;
      return result;
    }
    if (const auto found = tensors.find(node.inputs[0]); found != tensors.end()) {
      try {
        if (base::element_count(read_tensor_header(source_, found->second).dims) != 1) return result;
        const base::Tensor trips = read_tensor(source_, found->second);
        if (trips.dtype() == base::DType::kInt64 && trips.count() == 1) result.trips = *trips.data<int64_t>();
      } catch (const Error&) {  // the check tells what is wrong with it
      }
    }
    return result;
  }

  void initializer(Bytes message) {
    TensorHeader header;
    int64_t bytes = 0;
    try {
      header = read_tensor_header(source_, message);
      if (!base::is_dtype(header.data_type)) return;
      bytes = static_cast<int64_t>(
          base::dtype_bytes(static_cast<base::DType>(header.data_type), base::element_count(header.dims)));
    } catch (const Error&) {
      return;  // the check tells
    }
    if (__builtin_add_overflow(result_.weight_bytes, bytes, &result_.weight_bytes)) result_.weight_bytes = INT64_MAX;
    if (bytes > result_.largest_tensor_bytes || result_.largest_tensor.empty()) {
      result_.largest_tensor_bytes = bytes;
      result_.largest_tensor = shown(header.name);
    }
    if (header.external) external(header, bytes);
  }

  void external(const TensorHeader& header, int64_t bytes) {
    std::string location, refused;
    try {
      const ExternalLocation where = parse_external(header.external_data);
      location = where.location;
      source_.external->range(where, bytes);
    } catch (const Error& error) {
      refused = error.message();
    }
    if (location.empty())
      for (const auto& [key, value] : header.external_data)
        if (key == "location") location = value;
    auto& files = result_.external_files;
    const auto [at, added] = external_.try_emplace(location, files.size());
    if (added) files.push_back({location, 0, 0, {}});
    Survey::ExternalFile& found = files[at->second];
    ++found.tensors;
    if (__builtin_add_overflow(found.bytes, bytes, &found.bytes)) found.bytes = INT64_MAX;
    if (found.refused.empty()) found.refused = std::move(refused);
  }

  const WireFile& file_;
  const TensorSource& source_;
  const ImportOptions& options_;
  std::set<std::pair<std::string_view, std::string_view>> own_;              // domain and name of the file's functions
  std::map<std::pair<std::string_view, std::string_view>, size_t> unknown_;  // by domain and name: where in the result
  std::unordered_map<std::string, size_t> external_;                         // by location
  int64_t watched_ = 0;                                                      // nodes and initializers
  Survey result_;
};

Survey survey(Bytes bytes, std::string name, const std::string& folder, const ImportOptions& options) {
  const auto budget = std::make_shared<base::Budget>(options.limits.max_run_bytes);
  const WireFile file{bytes, std::move(name), options.limits.max_string_bytes};
  ExternalFiles external(folder, options.load, options.allow_links, budget);
  const TensorSource source{&file, nullptr, budget, &options.limits, &external};
  return Surveyor(file, source, options).run();
}

}  // namespace

Survey survey_file(const std::string& path, const ImportOptions& options) {
  const OpenModel opened = open_model(path, options);
  return survey(opened.contents.bytes, path, options.external_root.empty() ? opened.folder : options.external_root,
                options);
}

Survey survey_bytes(std::span<const std::byte> bytes, const ImportOptions& options) {
  return survey({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "model in memory", options.external_root,
                options);
}

}  // namespace onnxrun::import

// roundtrip [--write DIR] MODEL...: writes each model at every opset that has its exact form and reads it back, which must give the same graph. With --write
// the file of the lowest such opset is kept as DIR/<number of the model>.onnx. The text form, too, has to give the same graph, and the same text again. Prints a
// line a deviation, and last how many models and opsets were seen.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>

#include "import/export.h"
#include "import/import.h"
#include "ir/text.h"
#include "ops/table.h"
#include "structure.h"

namespace {

using namespace onnxrun;

struct Count {
  int models = 0, opsets = 0, differ = 0, failed = 0;
};

// Whether the graph has a node whose older form is spelt in other nodes: one axis of Softmax and its kin becomes the last by Transposes, unequal parts of a
// Split are written out, operands of before opset 7 lose dims of 1.
bool may_differ(const ir::Graph& graph, int64_t opset) {
  for (size_t i = 0; i < graph.node_capacity(); ++i) {
    if (!graph.has_node(static_cast<ir::NodeId>(i))) continue;
    const ir::Node& node = graph.node(static_cast<ir::NodeId>(i));
    const std::string_view op = node.op->name;
    const auto shape_of = [&](size_t input) { return graph.value(node.inputs[input]).fact; };
    if (opset < 13 && (op == "Softmax" || op == "LogSoftmax" || op == "Hardmax")) {
      const int64_t axis = node.attributes.get_int("axis", -1);
      if (axis != -1 && axis != shape_of(0).rank() - 1) return true;
    }
    if (opset < 18 && op == "Split" && node.inputs.size() == 1) {
      const ir::Fact input = shape_of(0);
      const int64_t axis = node.attributes.get_int("axis", 0);
      if (input.rank() > 0 && exact_div((*input.shape)[static_cast<size_t>(axis < 0 ? axis + input.rank() : axis)],
                                        ir::Dim(static_cast<int64_t>(node.outputs.size())))
                                  .is_unknown())
        return true;
    }
    static const std::set<std::string_view> kBroadcasting = {"Add", "Sub", "Mul",   "Div",  "Pow",    "And",
                                                             "Or",  "Xor", "Equal", "Less", "Greater"};
    if (opset < 7 && kBroadcasting.contains(op) && shape_of(0).to_string() != shape_of(1).to_string()) return true;
    for (const ir::Body& body : node.bodies)
      if (may_differ(*body.graph, opset)) return true;
  }
  return false;
}

ir::Model read(const std::string& bytes, const import::ImportOptions& options, const std::string& name) {
  return import::import_bytes({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, nullptr, options, name);
}

void check_text(const ir::Model& model, const import::ImportOptions& options, const std::string& path,
                const std::string& wanted, Count& count) {
  const std::string text = ir::to_text(model);
  const ir::Model back = read(text, options, "read from its text");
  const std::string again = ir::to_text(back);
  if (again == text && test::structure_of(*back.graph) == wanted && back.warnings.empty()) return;
  ++count.differ;
  std::cout << "differs: " << path << " in the text form\n";
  const auto [a, b] = std::mismatch(text.begin(), text.end(), again.begin(), again.end());
  if (a != text.end() && b != again.end()) {
    const auto line_of = [](const std::string& whole, size_t at) {
      const size_t begin = whole.rfind('\n', at) + 1;
      return whole.substr(begin, std::min<size_t>(whole.find('\n', at) - begin, 300));
    };
    const auto at = static_cast<size_t>(a - text.begin());
    std::cout << "  " << line_of(text, at) << "\n  " << line_of(again, at) << '\n';
  }
}

void check(const std::string& path, const ir::OpTable& table, const std::string& keep, Count& count) {
  import::ImportOptions options;
  options.table = &table;
  const ir::Model model = import::import_file(path, options);
  const std::string wanted = test::structure_of(*model.graph);
  ++count.models;
  check_text(model, options, path, wanted, count);
  bool kept = keep.empty();
  for (int64_t opset = 1; opset <= 28; ++opset) {
    import::ExportOptions to;
    to.table = &table;
    to.opset = opset;
    to.decompose = false;
    std::string bytes;
    try {
      bytes = import::export_bytes(model, to);
    } catch (const base::Error& error) {
      if (error.code() != base::Code::kUnsupported) throw;
      continue;
    }
    ++count.opsets;
    if (!kept) std::ofstream(keep, std::ios::binary) << bytes;
    kept = true;
    const ir::Model back = read(bytes, options, "written at opset " + std::to_string(opset));
    if (const std::string found = test::structure_of(*back.graph);
        found != wanted && !may_differ(*model.graph, opset)) {
      ++count.differ;
      std::cout << "differs: " << path << " at opset " << opset << '\n';
      if (std::getenv("ROUNDTRIP_SHOW")) std::cout << "--- before\n" << wanted << "--- after\n" << found;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  ir::OpTable table;
  ops::define_all(table);
  std::string folder;
  Count count;
  int number = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--write" && i + 1 < argc) {
      folder = argv[++i];
      continue;
    }
    try {
      check(argument, table, folder.empty() ? std::string() : folder + "/" + std::to_string(number) + ".onnx", count);
    } catch (const std::exception& error) {
      ++count.failed;
      std::cout << "failed: " << argument << ": " << error.what() << '\n';
    }
    ++number;
  }
  std::cout << count.models << " models, " << count.opsets << " opsets, " << count.differ << " differ, " << count.failed
            << " failed\n";
  return count.differ + count.failed == 0 ? 0 : 1;
}

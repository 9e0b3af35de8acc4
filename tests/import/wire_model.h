// Writes small model files for tests, field by field, well-formed or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <protozero/pbf_writer.hpp>
#include <span>
#include <string>
#include <vector>

#include "import/export.h"
#include "import/import.h"
#include "ir/infer.h"

namespace onnxrun::import::test {

using Writer = protozero::pbf_writer;

struct Dim {
  int64_t value = -1;
  std::string name;
  Dim(int64_t v) : value(v) {}
  Dim(const char* n) : name(n) {}
};

inline std::string tensor_type(int dtype, const std::vector<Dim>& dims) {
  std::string shape, tensor, type;
  for (const Dim& dim : dims) {
    std::string d;
    Writer w(d);
    if (!dim.name.empty()) w.add_string(2, dim.name);
    else w.add_int64(1, dim.value);
    Writer(shape).add_message(1, d);
  }
  Writer t(tensor);
  t.add_int32(1, dtype);
  t.add_message(2, shape);
  Writer(type).add_message(1, tensor);
  return type;
}

inline std::string value_info_of(const std::string& name, const std::string& type) {
  std::string result;
  Writer w(result);
  w.add_string(1, name);
  if (!type.empty()) w.add_message(2, type);
  return result;
}

inline std::string value_info(const std::string& name, int dtype = 1, const std::vector<Dim>& dims = {2}) {
  return value_info_of(name, tensor_type(dtype, dims));
}

inline std::string float_tensor(const std::string& name, const std::vector<int64_t>& dims,
                                const std::vector<float>& values) {
  std::string result;
  Writer w(result);
  for (const int64_t dim : dims) w.add_int64(1, dim);
  w.add_int32(2, 1);
  w.add_string(8, name);
  w.add_bytes(9, reinterpret_cast<const char*>(values.data()), values.size() * 4);
  return result;
}

inline std::string number_attribute(const std::string& name, int type, uint32_t field, int64_t value) {
  std::string result;
  Writer w(result);
  w.add_string(1, name);
  w.add_int64(field, value);
  w.add_int32(20, type);
  return result;
}

inline std::string message_attribute(const std::string& name, int type, uint32_t field, const std::string& message) {
  std::string result;
  Writer w(result);
  w.add_string(1, name);
  w.add_message(field, message);
  w.add_int32(20, type);
  return result;
}

inline std::string reference_attribute(const std::string& name, int type, const std::string& to) {
  std::string result;
  Writer w(result);
  w.add_string(1, name);
  w.add_int32(20, type);
  w.add_string(21, to);
  return result;
}

inline std::string node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::vector<std::string>& attributes = {},
                        const std::string& name = {}, const std::string& domain = {}) {
  std::string result;
  Writer w(result);
  for (const auto& input : inputs) w.add_string(1, input);
  for (const auto& output : outputs) w.add_string(2, output);
  if (!name.empty()) w.add_string(3, name);
  w.add_string(4, op);
  for (const auto& a : attributes) w.add_message(5, a);
  if (!domain.empty()) w.add_string(7, domain);
  return result;
}

struct GraphParts {
  std::vector<std::string> nodes = {}, inputs = {}, outputs = {}, initializers = {}, value_infos = {}, sparse = {};
};

inline std::string graph(const GraphParts& parts, const std::string& name = "g") {
  std::string result;
  Writer w(result);
  for (const auto& n : parts.nodes) w.add_message(1, n);
  w.add_string(2, name);
  for (const auto& i : parts.initializers) w.add_message(5, i);
  for (const auto& v : parts.inputs) w.add_message(11, v);
  for (const auto& v : parts.outputs) w.add_message(12, v);
  for (const auto& v : parts.value_infos) w.add_message(13, v);
  for (const auto& v : parts.sparse) w.add_message(15, v);
  return result;
}

inline std::string opset(const std::string& domain, int64_t version) {
  std::string result;
  Writer w(result);
  w.add_string(1, domain);
  w.add_int64(2, version);
  return result;
}

struct FunctionParts {
  std::string name;
  std::vector<std::string> inputs = {}, outputs = {}, attributes = {}, defaults = {}, nodes = {};
};

// A function of domain "local".
inline std::string function(const FunctionParts& parts) {
  std::string result;
  Writer w(result);
  w.add_string(1, parts.name);
  for (const auto& i : parts.inputs) w.add_string(4, i);
  for (const auto& o : parts.outputs) w.add_string(5, o);
  for (const auto& a : parts.attributes) w.add_string(6, a);
  for (const auto& n : parts.nodes) w.add_message(7, n);
  w.add_message(9, opset("", 18));
  w.add_message(9, opset("local", 1));
  w.add_string(10, "local");
  for (const auto& a : parts.defaults) w.add_message(11, a);
  return result;
}

inline std::string model(const std::string& graph, int64_t ir_version = 8,
                         const std::vector<std::string>& functions = {}, std::vector<std::string> opsets = {}) {
  if (opsets.empty()) opsets = {opset("", 18), opset("local", 1)};
  std::string result;
  Writer w(result);
  w.add_int64(1, ir_version);
  w.add_string(2, "tests");
  w.add_message(7, graph);
  for (const auto& o : opsets) w.add_message(8, o);
  for (const auto& f : functions) w.add_message(25, f);
  return result;
}

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// A few operators: Relu, Identity, Add, Concat, If, LeakyRelu (with a lift that marks older nodes).
const ir::OpTable& tiny_table();

inline ImportOptions tiny_options() {
  ImportOptions options;
  options.table = &tiny_table();
  return options;
}

inline ExportOptions tiny_export() {
  ExportOptions options;
  options.table = &tiny_table();
  return options;
}

inline ir::Model load(const std::string& bytes, const ImportOptions& options = tiny_options()) {
  return import_bytes(bytes_of(bytes), nullptr, options, "test");
}

// The message of the error that loading gives; "" when there is none.
inline std::string error_of(const std::string& bytes, const ImportOptions& options = tiny_options()) {
  try {
    load(bytes, options);
    return {};
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace onnxrun::import::test

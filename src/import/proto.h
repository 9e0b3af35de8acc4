// The messages of a model file as light views of its bytes: names, nodes and nesting, with tensors and types left unread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/charge.h"
#include "base/limits.h"
#include "import/wire.h"

namespace onnxrun::import {

struct GraphView;

// AttributeProto.AttributeType.
enum class AttributeType : int64_t {
  kUndefined = 0,
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraph = 5,
  kFloats = 6,
  kInts = 7,
  kStrings = 8,
  kTensors = 9,
  kGraphs = 10,
  kSparseTensor = 11,
  kSparseTensors = 12,
  kType = 13,
  kTypes = 14,
};

struct AttributeView {
  std::string_view name;
  AttributeType type = AttributeType::kUndefined;
  std::string_view reference;        // of a function's attribute; empty: none
  Bytes message;                     // the AttributeProto
  std::unique_ptr<GraphView> graph;  // of a graph attribute
};

using Entries = std::vector<std::pair<std::string_view, std::string_view>>;

struct NodeView {
  std::string_view name, op_type, domain, overload, doc;
  std::vector<std::string_view> inputs, outputs;
  std::vector<AttributeView> attributes;
  Entries metadata;

  const AttributeView* attribute(std::string_view wanted) const;
  // "node 'conv1' (Conv)", or by its first output where it has no name.
  std::string describe() const;
};

// What a value or an initializer says about itself.
struct NotesView {
  std::string_view doc;
  Entries metadata;
};

struct ValueInfoView {
  std::string_view name;
  std::optional<Bytes> type = {};  // a TypeProto
  NotesView notes = {};
};

struct GraphView {
  std::string_view name, doc;
  std::vector<NodeView> nodes;
  std::vector<ValueInfoView> inputs, outputs, value_infos;
  std::vector<Bytes> initializers;                          // TensorProto
  std::vector<Bytes> sparse_initializers;                   // SparseTensorProto
  std::vector<std::string_view> initializer_names;          // of both, in that order
  std::map<std::string_view, NotesView> initializer_notes;  // of those that have any
  Entries metadata;
  std::vector<Bytes> annotations;  // TensorAnnotation
  // Names that this graph and those inside it read from around it; each once.
  std::vector<std::string_view> free_names;
};

// Opset versions by domain; "ai.onnx" is "".
using Opsets = std::map<std::string, int64_t, std::less<>>;

struct FunctionView {
  std::string_view domain, name, overload;
  std::vector<std::string_view> inputs, outputs, attributes;
  std::vector<AttributeView> defaults;
  GraphView body;  // nodes only
  Opsets opsets;
  std::string describe() const;
};

struct ModelView {
  int64_t ir_version = 0;
  std::string_view producer_name, producer_version, domain, doc;
  int64_t model_version = 0;
  std::optional<Bytes> graph_bytes;
  GraphView graph;
  Opsets opsets;
  Entries metadata;
  std::vector<FunctionView> functions;
  bool has_training_info = false;
};

// At most 200 bytes of a name from a file, for messages.
std::string shown(std::string_view name);

// Reads a ModelProto. What it holds views `file`. `charge` is charged for the views themselves.
ModelView read_model(const WireFile& file, const base::Limits& limits, base::Charge& charge);

// A StringStringEntryProto.
std::pair<std::string_view, std::string_view> read_entry(const WireFile& file, Bytes bytes);

}  // namespace onnxrun::import

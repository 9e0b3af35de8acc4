// Operator definitions: signature, inference, lifts from older opsets and decomposition, in one table that the operator files fill.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/graph.h"

namespace onnxrun::ir {

class InferContext;
class Expansion;
class Lowering;

// What an operator is, in canonical form. Signatures are written as text:
//   inputs, outputs  "X:T, W:T, B?:T"   name:type; `?` optional, `*` variadic (last; at least one), `**` variadic, may be none;
//                    `~` (heterogeneous variadic: `rest*~:any`) lets each element have its own type
//   types            "T: float16 float32 | I: int32 int64"   the element types of each type variable; groups: floats (float16 bfloat16 float32 float64),
//                    float8s, ints, uints, integers, numeric (floats + integers), complex, classic (the types of ONNX's first versions: no bfloat16, nothing narrower than 8 bits), all (every tensor type)
//                    a type in a signature is a variable, an element type, a group, or one of: any (tensor, sequence, optional or map), seq,
//                    opt, map, sparse; a variable may list those too ("V: all seq opt")
//   attributes       "axis:int, pads:ints, kernel_shape:ints!"  name:kind; `!` required; kinds: int float string tensor ints floats
//                    strings tensors graph type
struct OpSignature {
  const char* inputs = "";
  const char* outputs = "";
  const char* types = "";
  const char* attributes = "";
};

enum OpFlags : uint32_t {
  kNoFlags = 0,
  kRandom = 1u << 0,      // two runs may differ: never folded, never merged
  kStructural = 1u << 1,  // control flow, sequences, optionals, maps: run by the executor itself, not by a provider
  kHostShape = 1u << 2,   // reads only shapes (Shape, Size): its inputs' data is not touched
  kDataShape =
      1u << 3,  // output shapes depend on input data beyond shape tensors (NonZero, Unique): the kernel allocates
  kView =
      1u
      << 4,  // output 0 has the bytes of input 0 (Reshape, Squeeze, Identity): no copy is made where it can be a view
  kExtension = 1u << 5,  // others write it into ONNX's domain, ONNX does not define it
};

struct OpDef {
  const char* domain = "";
  const char* name = "";
  // Opset versions at which the operator was introduced or changed, ascending; the last is the canonical one.
  std::vector<int> versions;
  OpSignature signature;
  uint32_t flags = kNoFlags;

  // Sets the facts of the outputs from those of the inputs. The same function serves files (symbolic shapes) and runs (constant
  // shapes); called with what is known, it says what follows. Throws kInvalidModel/kInvalidArgument where inputs cannot fit. Must not be null.
  void (*infer)(InferContext&) = nullptr;

  // Turns a node written for version `since` (one of `versions`) into canonical nodes. Null: all versions mean the same.
  void (*lift)(Expansion&, int since) = nullptr;

  // The way back: writes a canonical node for an opset of its domain (of ai.onnx, for the domain onnxrun) below its newest version, where that means exactly
  // the same for this node, or refuses and says why. Must be there where `lift` is, but for operators that no canonical graph has. Null without a lift: all
  // that a canonical node can say and the older version takes is the same there.
  void (*lower)(Lowering&, int opset) = nullptr;

  // Emits an equivalent of other canonical operators; false when it cannot for this node. Null: none.
  bool (*decompose)(Expansion&) = nullptr;

  // The version that holds at opset `opset`; 0 when the operator does not exist there yet.
  int version_at(int64_t opset) const;
  std::string full_name() const;  // "Conv", "ai.onnx.ml.Scaler"
};

// The parsed form of an OpSignature.
struct Parameter {
  std::string name;
  std::string type;
  bool optional = false;
  bool variadic = false;
  bool may_be_empty = false;   // variadic with none
  bool heterogeneous = false;  // variadic with a type each
  uint64_t accepts = 0;        // bit d for tensors of element type d, and the kAccepts bits
  int variable = -1;           // the type variable's number where there is one
};

// Types other than tensors in Parameter::accepts.
inline constexpr uint64_t kAcceptsSequence = uint64_t{1} << 40;
inline constexpr uint64_t kAcceptsOptional = uint64_t{1} << 41;
inline constexpr uint64_t kAcceptsMap = uint64_t{1} << 42;
inline constexpr uint64_t kAcceptsSparse = uint64_t{1} << 43;

struct AttributeSpec {
  std::string name;
  std::string kind;
  bool required = false;
};
struct Signature {
  std::vector<Parameter> inputs, outputs;
  std::unordered_map<std::string, std::vector<DType>> types;  // element types by variable
  std::vector<AttributeSpec> attributes;
  // How many inputs and outputs a node may have (trailing absent ones may be left out).
  size_t min_inputs = 0, max_inputs = 0, max_outputs = 0;

  // The parameter of input or output i, the last one for all of a variadic; null beyond the end.
  static const Parameter* at(const std::vector<Parameter>& parameters, size_t i) {
    if (i < parameters.size()) return &parameters[i];
    return !parameters.empty() && parameters.back().variadic ? &parameters.back() : nullptr;
  }
  const AttributeSpec* attribute(std::string_view name) const;
};

// Throws kInternal naming `op` and the text that is malformed.
Signature parse_signature(const OpSignature& text, std::string_view op);

// All operators; filled once by ops::define_all, then read-only and shared.
class OpTable {
 public:
  OpTable() = default;
  OpTable(const OpTable&) = delete;
  OpTable& operator=(const OpTable&) = delete;

  void add(OpDef def);  // throws kInternal on a duplicate or a malformed signature
  const OpDef* find(std::string_view domain, std::string_view name) const;  // null; "ai.onnx" is ""
  const OpDef* get(std::string_view domain, std::string_view name) const;   // throws where find gives null
  const Signature& signature(const OpDef& def) const;
  std::vector<const OpDef*> all() const;  // sorted by domain and name
  // Names that resemble `name`, best first, for error messages.
  std::vector<std::string> similar(std::string_view domain, std::string_view name) const;

  // Takes out all but the operators of these full names, for a build that was reduced to the list of that name.
  void reduce(std::string list, std::span<const char* const> names);
  // The name of that list; empty in a build that has every operator.
  const std::string& reduced_to() const { return reduced_to_; }
  // For messages on an operator that is not found: what it is in this build.
  std::string describe_missing(std::string_view domain, std::string_view name) const;

  // Has `find` tell of each operator that it finds; safe to call from several threads if `observer` is.
  void observe(std::function<void(const OpDef&)> observer) { observer_ = std::move(observer); }

 private:
  struct Entry {
    OpDef def;
    Signature signature;
  };
  std::unordered_map<std::string, std::unique_ptr<Entry>> entries_;
  std::string reduced_to_;
  std::function<void(const OpDef&)> observer_;
};

// Checks a canonical node against its operator's signature: number and types of inputs and outputs, attributes and their kinds. Throws
// kInvalidModel naming the input or attribute and what was expected, with the node as context. Facts that are not known yet fit anything.
void check_signature(const OpTable& table, const Graph& graph, const Node& node);
// The same against a signature given.
void check_signature(const Signature& signature, const Graph& graph, const Node& node);
// Checks the known types of the outputs, which inference sees to otherwise.
void check_output_types(const Signature& signature, const Graph& graph, const Node& node);

}  // namespace onnxrun::ir

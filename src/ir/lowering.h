// Lowering: how one canonical node is written at an older operator set.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/expansion.h"

namespace onnxrun::ir {

// What OpDef::lower works with. Nodes that it emits are canonical ones, lowered in their turn; `keep` writes the source itself, changed to the older form. A
// lowering refuses before it adds anything.
class Lowering : public Expansion {
 public:
  Lowering(Graph& graph, const OpTable& table, Node source) : Expansion(graph, table, std::move(source)) {}

  // Adds the source node, as it now is, in the form of the older version. It is not inferred: its outputs keep their facts.
  void keep();
  // The same with a fresh value, of fact `fact`, in the place of output 0, which is then to be bound or finished.
  ValueId keep_aside(Fact fact);
  bool is_written(NodeId node) const { return node == written_; }

  // There is no exact form, and why: "its axes are not constant". The first reason counts.
  template <class... Args>
  void refuse(fmt::format_string<Args...> format, Args&&... args) {
    if (refusal_.empty()) refusal_ = fmt::format(format, std::forward<Args>(args)...);
  }
  bool refused() const { return !refusal_.empty(); }
  const std::string& refusal() const { return refusal_; }

  // What is known of a value and always holds: in a body, whose sizes and values may differ from call to call, only type and rank, unless it is a constant.
  Fact fact(ValueId id) const;
  // The value of an input where it is known, else none.
  Tensor constant_input(size_t i) const;
  // The integers of an input that is known; refuses where it is there and is not.
  std::optional<std::vector<int64_t>> known_ints(size_t input, std::string_view name);
  void drop_input(size_t input);
  // Moves an input to an attribute, as it was before; refuses where its value is not known. Nothing happens where it is absent.
  void input_to_ints(size_t input, std::string_view attribute);
  void input_to_int(size_t input, std::string_view attribute);
  // Removes an attribute that the older version lacks; refuses where it has another value than the older version always has.
  void drop_int(std::string_view attribute, int64_t implied);
  void drop_string(std::string_view attribute, std::string_view implied);
  // The same for a list of equal numbers, such as dilations of 1.
  void drop_ints(std::string_view attribute, int64_t implied);

 private:
  std::string refusal_;
  NodeId written_ = kNone;
};

// The lowering of operators whose older versions differ in nothing that a canonical node can have.
inline void lower_unchanged(Lowering& l, int) { l.keep(); }

}  // namespace onnxrun::ir

// Pass: one rewrite rule. It looks at a node, or at a graph as a whole, and proposes a patch, or says why not; it never changes the graph itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ir/capabilities.h"
#include "ir/evaluator.h"
#include "ir/graph.h"
#include "ir/op.h"
#include "ir/patch.h"

namespace onnxrun::optimize {

// Optimisation levels, with ONNX Runtime's numbers.
enum Level : int {
  kNone = 0,
  kBasic = 1,     // results stay exactly equal
  kExtended = 2,  // fusions: equal within rounding
  kLayout = 3,
  kAll = 99,
};

// Thrown by Operators::find, and caught by the driver, to which it is no match.
struct NotInThisBuild {};

// The operators that passes make nodes of. Asking for one that is left out of a reduced build ends the match.
class Operators {
 public:
  Operators(const ir::OpTable& table) : table_(table) {}
  const ir::OpDef* find(std::string_view domain, std::string_view name) const {
    const ir::OpDef* def = table_.find(domain, name);
    if (def == nullptr && !table_.reduced_to().empty()) throw NotInThisBuild();
    return def;
  }

 private:
  const ir::OpTable& table_;
};

// What a pass may use beside the graph.
struct PassContext {
  const ir::Graph& graph;
  Operators table;
  ir::Evaluator* evaluator;        // null: nothing can be computed now
  ir::Capabilities* capabilities;  // null: nothing is known of kernels
  int64_t max_folded_bytes;        // of one constant made by a pass, where it is larger than those it is made from
};

// A patch, or the reason why there is none.
class MatchResult {
 public:
  MatchResult(ir::Patch patch) : patch_(std::move(patch)) {}
  static MatchResult none(std::string_view reason) { return MatchResult(reason); }

  bool matched() const { return patch_.has_value(); }
  ir::Patch& patch() { return *patch_; }
  std::string_view reason() const { return reason_; }

 private:
  explicit MatchResult(std::string_view reason) : reason_(reason) {}
  std::optional<ir::Patch> patch_;
  std::string_view reason_;  // a literal
};

struct Pass {
  const char* name;         // "fold-constants"
  const char* description;  // one line
  Level level;
  MatchResult (*match)(const PassContext& context, ir::NodeId node);  // null for passes over whole graphs
  bool backwards = false;                                             // visits consumers before producers
  MatchResult (*match_graph)(const PassContext& context) = nullptr;   // instead of `match`
  bool last = false;  // runs in rounds in which no pass before it has found anything
};

}  // namespace onnxrun::optimize

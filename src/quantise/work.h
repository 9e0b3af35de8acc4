// What the parts of this room work on together: a graph that is being changed, what is asked for, what was observed, and notes on what was done.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"
#include "ir/patch.h"
#include "quantise/observed.h"
#include "quantise/settings.h"

namespace onnxrun::quantise {

class Compensation;

// A node that was changed.
struct Change {
  std::string node, op, form;                 // form: what stands for it now, as "MatMulNBits"
  int64_t bytes_before = 0, bytes_after = 0;  // of its constants
  double error = 0;                           // of the constants: root mean square against the size of what was there
  std::string output;                         // the value by which it can be found in either model
};

// A node that could have been meant and was not changed.
struct Left {
  std::string node, op, why;
};

struct Notes {
  std::vector<Change> changes;
  std::vector<Left> left;
};

struct Work {
  ir::Graph& graph;
  const ir::OpTable& table;
  const Settings& settings;
  const Observed& observed;
  const std::set<std::string>& skipped;  // first outputs of nodes to be left alone
  Notes& notes;
  // Constants made from constants, by what they were made of and how: a weight that two nodes read is written once.
  std::map<std::pair<ir::ValueId, std::string>, std::vector<ir::ValueId>> made;
  std::map<std::string, std::shared_ptr<const Compensation>> compensations;  // by value
  std::set<ir::ValueId> small = {};  // weights that together are a small part of all

  const ir::OpDef* op(std::string_view name, std::string_view domain = {}) const;
  void leave(const ir::Node& node, std::string why);
  void apply(ir::Patch patch) { ir::apply(graph, std::move(patch)); }
};

inline constexpr std::string_view kMicrosoft = "com.microsoft";

// The node's name, or its first output's.
std::string label_of(const ir::Graph& graph, const ir::Node& node);
// Its first output.
std::string key_of(const ir::Graph& graph, const ir::Node& node);
// Whether the patterns and the nodes to be skipped let it be changed; notes it where not.
bool is_chosen(Work& work, const ir::Node& node);

}  // namespace onnxrun::quantise

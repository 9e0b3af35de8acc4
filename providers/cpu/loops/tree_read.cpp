// Reading decision trees.
#include "cpu/loops/tree_read.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

using base::Code;

enum class Mode : uint8_t { kLessOrEqual, kLess, kGreaterOrEqual, kGreater, kEqual, kNotEqual, kMember, kLeaf };

Mode mode_named(std::string_view name) {
  constexpr std::pair<std::string_view, Mode> kModes[] = {
      {"LEAF", Mode::kLeaf},           {"BRANCH_LEQ", Mode::kLessOrEqual},
      {"BRANCH_LT", Mode::kLess},      {"BRANCH_GTE", Mode::kGreaterOrEqual},
      {"BRANCH_GT", Mode::kGreater},   {"BRANCH_EQ", Mode::kEqual},
      {"BRANCH_NEQ", Mode::kNotEqual},
  };
  for (const auto& [known, mode] : kModes)
    if (known == name) return mode;
  base::fail(Code::kInvalidModel,
             "'nodes_modes' has \"{}\", which is neither LEAF nor BRANCH_LEQ, LT, GTE, GT, EQ or NEQ", name);
}

// Expresses a mode by the tests that there are. Numbers compared with NaN go to the false child, but for kNotEqual.
void set_test(TreeModel::Node& node, Mode mode) {
  switch (mode) {
    case Mode::kLess: node.test = TreeTest::kLess; return;
    case Mode::kEqual: node.test = TreeTest::kEqual; return;
    case Mode::kMember: node.test = TreeTest::kMember; return;
    case Mode::kNotEqual: node.test = TreeTest::kEqual; break;
    case Mode::kGreaterOrEqual: node.test = TreeTest::kLess; break;
    default: node.test = TreeTest::kLessOrEqual;
  }
  if (mode == Mode::kLessOrEqual || (mode != Mode::kNotEqual && std::isnan(node.threshold))) return;
  TreeModel::negate(node);
}

std::vector<double> numbers_of(const onnxrun_tensor& tensor) {
  const Load load = scalar_load(dtype(tensor));
  std::vector<double> result(static_cast<size_t>(provider::count(tensor)));
  for (size_t i = 0; i < result.size(); ++i) result[i] = load(tensor.data, static_cast<int64_t>(i));
  return result;
}

template <class T>
void check_length(const std::vector<T>& list, std::string_view name, size_t length, bool optional = false) {
  if (list.size() != length && !(optional && list.empty()))
    base::fail(Code::kInvalidModel, "'{}' has {} elements, but there are {}", name, list.size(), length);
}

// Nodes and their ids: finds a node of the file by the ids of its tree and of itself.
class Ids {
 public:
  Ids(const std::vector<int64_t>& trees, const std::vector<int64_t>& nodes) {
    order_.reserve(trees.size());
    for (size_t i = 0; i < trees.size(); ++i) order_.push_back({trees[i], nodes[i], i});
    if (!std::is_sorted(order_.begin(), order_.end())) std::sort(order_.begin(), order_.end());
    for (size_t i = 1; i < order_.size(); ++i)
      if (order_[i][0] == order_[i - 1][0] && order_[i][1] == order_[i - 1][1])
        base::fail(Code::kInvalidModel, "tree {} has the node id {} twice", trees[order_[i].index],
                   nodes[order_[i].index]);
  }

  size_t find(int64_t tree, int64_t node) const {
    const Entry wanted{tree, node, 0};
    const auto found = std::lower_bound(order_.begin(), order_.end(), wanted);
    if (found == order_.end() || found->tree != tree || found->node != node)
      base::fail(Code::kInvalidModel, "tree {} has no node {}", tree, node);
    return found->index;
  }

 private:
  struct Entry {
    int64_t tree, node;
    size_t index;
    int64_t operator[](int part) const { return part == 0 ? tree : node; }
    bool operator<(const Entry& other) const {
      return tree != other.tree ? tree < other.tree : node != other.node ? node < other.node : index < other.index;
    }
  };
  std::vector<Entry> order_;
};

// The first node of each tree that is nobody's child, by ascending tree ids. It is a leaf only where it is alone.
std::vector<size_t> find_roots(const std::vector<int64_t>& trees, const std::vector<bool>& has_parent,
                               const std::vector<Mode>& modes) {
  std::vector<std::pair<int64_t, size_t>> first;  // tree, first node
  for (size_t i = 0; i < trees.size(); ++i) first.emplace_back(trees[i], i);
  std::stable_sort(first.begin(), first.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<size_t> roots;
  for (size_t i = 0; i < first.size();) {
    const int64_t tree = first[i].first;
    size_t root = trees.size(), size = 0;
    for (; i < first.size() && first[i].first == tree; ++i, ++size)
      if (root == trees.size() && !has_parent[first[i].second]) root = first[i].second;
    if (root == trees.size() || (size > 1 && modes[root] == Mode::kLeaf))
      base::fail(Code::kInvalidModel, "tree {} has no root: its nodes form a cycle", tree);
    roots.push_back(root);
  }
  return roots;
}

}  // namespace

std::vector<double> read_numbers(const Node& node, const std::string& name, bool* wide) {
  const std::string as_tensor = name + "_as_tensor";
  if (const onnxrun_tensor* tensor = node.get_tensor(as_tensor); tensor != nullptr && provider::count(*tensor) > 0) {
    if (node.has(name)) base::fail(Code::kInvalidModel, "'{}' and '{}' are both given; one is wanted", name, as_tensor);
    if (dtype(*tensor) != DType::kFloat32 && dtype(*tensor) != DType::kFloat64)
      base::fail(Code::kInvalidModel, "'{}' must be float64 or float32, got {}", as_tensor,
                 base::dtype_name(dtype(*tensor)));
    if (wide != nullptr && dtype(*tensor) == DType::kFloat64) *wide = true;
    return numbers_of(*tensor);
  }
  const std::vector<float> floats = node.get_floats(name);
  return {floats.begin(), floats.end()};
}

TreeModel read_trees_by_id(const Node& node, const std::string& votes, int64_t targets, TreeAggregate aggregate) {
  TreeModel model;
  model.targets = targets;
  model.aggregate = aggregate;
  model.wide = dtype(node.input(0)) == DType::kFloat64;
  const std::vector<std::string> modes = node.get_strings("nodes_modes");
  const size_t count = modes.size();
  const std::vector<int64_t> trees = node.get_ints("nodes_treeids"), ids = node.get_ints("nodes_nodeids"),
                             features = node.get_ints("nodes_featureids"), if_true = node.get_ints("nodes_truenodeids"),
                             if_false = node.get_ints("nodes_falsenodeids"),
                             missing = node.get_ints("nodes_missing_value_tracks_true");
  const std::vector<double> thresholds = read_numbers(node, "nodes_values", &model.wide);
  check_length(trees, "nodes_treeids", count);
  check_length(ids, "nodes_nodeids", count);
  check_length(features, "nodes_featureids", count);
  check_length(if_true, "nodes_truenodeids", count);
  check_length(if_false, "nodes_falsenodeids", count);
  check_length(thresholds, "nodes_values", count);
  check_length(missing, "nodes_missing_value_tracks_true", count, true);
  const Ids index(trees, ids);

  // The file's nodes are inner nodes, or leaves as ~leaf.
  std::vector<Mode> mode(count);
  std::vector<int64_t> child(count);
  size_t leaves = 0;
  for (size_t i = 0; i < count; ++i) {
    mode[i] = mode_named(modes[i]);
    child[i] = mode[i] == Mode::kLeaf ? ~static_cast<int64_t>(leaves++) : static_cast<int64_t>(i - leaves);
  }
  std::vector<bool> has_parent(count);
  for (size_t i = 0; i < count; ++i) {
    if (mode[i] == Mode::kLeaf) continue;
    const size_t a = index.find(trees[i], if_true[i]), b = index.find(trees[i], if_false[i]);
    has_parent[a] = has_parent[b] = true;
    TreeModel::Node inner;
    inner.missing_true = !missing.empty() && missing[i] != 0;
    inner.feature = features[i];
    inner.threshold = thresholds[i];
    inner.if_true = child[a];
    inner.if_false = child[b];
    set_test(inner, mode[i]);
    model.nodes.push_back(inner);
  }
  for (size_t root : find_roots(trees, has_parent, mode)) model.roots.push_back(child[root]);

  const std::vector<int64_t> vote_trees = node.get_ints(votes + "_treeids"),
                             vote_nodes = node.get_ints(votes + "_nodeids"), vote_ids = node.get_ints(votes + "_ids");
  const std::vector<double> weights = read_numbers(node, votes + "_weights");
  check_length(vote_trees, votes + "_treeids", vote_ids.size());
  check_length(vote_nodes, votes + "_nodeids", vote_ids.size());
  check_length(weights, votes + "_weights", vote_ids.size());
  // Votes are put in the order of their leaves; those of inner nodes mean nothing.
  if (vote_ids.size() > UINT32_MAX) base::fail(Code::kLimitExceeded, "{} leaf weights", vote_ids.size());
  std::vector<uint32_t> places(leaves + 1);
  std::vector<int64_t> leaf_of(vote_ids.size());
  for (size_t i = 0; i < vote_ids.size(); ++i) {
    leaf_of[i] = ~child[index.find(vote_trees[i], vote_nodes[i])];
    if (leaf_of[i] >= 0) ++places[static_cast<size_t>(leaf_of[i]) + 1];
  }
  for (size_t leaf = 0; leaf < leaves; ++leaf) places[leaf + 1] += places[leaf];
  model.leaf_ends.assign(places.begin() + 1, places.end());
  model.votes.resize(places[leaves]);
  for (size_t i = 0; i < vote_ids.size(); ++i) {
    if (vote_ids[i] < 0 || vote_ids[i] >= targets)
      base::fail(Code::kInvalidModel, "'{}_ids' has {}, but there are {}", votes, vote_ids[i], targets);
    if (leaf_of[i] >= 0) model.votes[places[static_cast<size_t>(leaf_of[i])]++] = {vote_ids[i], weights[i]};
  }
  model.check();
  return model;
}

TreeModel read_trees_by_position(const Node& node) {
  TreeModel model;
  model.targets = node.get_int("n_targets", 0);
  const int64_t aggregate = node.get_int("aggregate_function", 1);
  constexpr std::array kAggregates{TreeAggregate::kAverage, TreeAggregate::kSum, TreeAggregate::kMin,
                                   TreeAggregate::kMax};
  if (aggregate < 0 || aggregate > 3)
    base::fail(Code::kInvalidModel, "'aggregate_function' is {}, but must be 0 (average), 1 (sum), 2 (min) or 3 (max)",
               aggregate);
  model.aggregate = kAggregates[static_cast<size_t>(aggregate)];
  model.wide = dtype(node.input(0)) == DType::kFloat64;

  const std::vector<int64_t> features = node.get_ints("nodes_featureids"), if_true = node.get_ints("nodes_truenodeids"),
                             if_false = node.get_ints("nodes_falsenodeids"),
                             true_leaf = node.get_ints("nodes_trueleafs"),
                             false_leaf = node.get_ints("nodes_falseleafs"),
                             missing = node.get_ints("nodes_missing_value_tracks_true"),
                             targets = node.get_ints("leaf_targetids");
  const size_t count = features.size();
  const auto tensor = [&](const char* name) {
    const onnxrun_tensor* found = node.get_tensor(name);
    return found != nullptr ? numbers_of(*found) : std::vector<double>();
  };
  const onnxrun_tensor* modes = node.get_tensor("nodes_modes");
  if (modes == nullptr || dtype(*modes) != DType::kUint8)
    base::fail(Code::kInvalidModel, "'nodes_modes' must be a uint8 tensor");
  const std::vector<double> splits = tensor("nodes_splits"), weights = tensor("leaf_weights");
  check_length(if_true, "nodes_truenodeids", count);
  check_length(if_false, "nodes_falsenodeids", count);
  check_length(true_leaf, "nodes_trueleafs", count);
  check_length(false_leaf, "nodes_falseleafs", count);
  check_length(missing, "nodes_missing_value_tracks_true", count, true);
  check_length(splits, "nodes_splits", count);
  check_length(numbers_of(*modes), "nodes_modes", count);
  check_length(weights, "leaf_weights", targets.size());

  const auto child = [](int64_t id, bool leaf) {
    if (id < 0) base::fail(Code::kInvalidModel, "a node has the child {}", id);
    return leaf ? ~id : id;
  };
  model.members = tensor("membership_values");
  size_t member = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto mode = static_cast<const uint8_t*>(modes->data)[i];
    if (mode > static_cast<uint8_t>(Mode::kMember))
      base::fail(Code::kInvalidModel, "'nodes_modes' has {}, but must be 0 to 6", mode);
    TreeModel::Node inner;
    inner.missing_true = !missing.empty() && missing[i] != 0;
    inner.feature = features[i];
    inner.threshold = splits[i];
    inner.if_true = child(if_true[i], true_leaf[i] != 0);
    inner.if_false = child(if_false[i], false_leaf[i] != 0);
    set_test(inner, static_cast<Mode>(mode));
    // Sets follow each other, each ended by NaN.
    if (inner.test == TreeTest::kMember) {
      if (member >= model.members.size())
        base::fail(Code::kInvalidModel, "'membership_values' has no set for node {}", i);
      inner.member_begin = static_cast<uint32_t>(member);
      while (member < model.members.size() && !std::isnan(model.members[member])) ++member;
      inner.member_end = static_cast<uint32_t>(member++);
    }
    model.nodes.push_back(inner);
  }
  for (int64_t root : node.get_ints("tree_roots")) model.roots.push_back(child(root, false));
  for (size_t i = 0; i < targets.size(); ++i) {
    model.votes.push_back({targets[i], weights[i]});
    model.leaf_ends.push_back(static_cast<uint32_t>(i + 1));
  }
  model.check();
  return model;
}

}  // namespace onnxrun::cpu
